#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks what no compiler checks: licence lines, who includes whom, and that no shared code names a target.

    scripts/check-sources.py            the tree
    scripts/check-sources.py --self     that each rule finds a violation
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
CODE = {".h", ".cpp", ".td"}
WITH_LICENCE = CODE | {".py", ".sh", ".cmake", ".fbs", ".yaml", ".mlir"}
LICENCE = "SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception"
INCLUDE = re.compile(r'^\s*#?include\s+[<"]([^>"]+)[>"]', re.MULTILINE)

# Folder -> what its files must not include. The first folder that fits a file decides.
MLIR = ["mlir/", "llvm/"]
DIALECTS = ["onnx/", "sattn/", "isa/", "check/"]
LIBRARY = sorted(f"{folder.name}/" for folder in (ROOT / "lib").iterdir() if folder.is_dir())
FORBIDDEN = {
    "dialects/onnx": ["sattn/", "isa/", "sparsam/", "runtime/", "targets/"],
    "dialects/sattn": ["onnx/", "isa/", "sparsam/", "runtime/", "targets/"],
    "dialects/isa": ["onnx/", "sattn/", "sparsam/", "runtime/", "targets/"],
    "dialects/check": ["onnx/", "isa/", "sparsam/", "runtime/", "targets/"],
    "include": ["runtime/", "targets/"],
    "lib": ["runtime/", "targets/"],
    "runtime": [*MLIR, *DIALECTS, "sparsam/", "targets/"],
    "targets/*/compiler": ["runtime/", *LIBRARY],
    "targets/*/model": [*MLIR, *DIALECTS, "sparsam/"],
    "targets/*/test/unit": [*MLIR, *DIALECTS, "sparsam/"],
}
# The schema of the program file is shared; the protobuf headers of ONNX are not our dialect.
ALLOWED = {"runtime/program/Program_generated.h", "runtime/program/ProgramHeader.h", "onnx/onnx_pb.h",
           "onnx/onnx-ml.pb.h"}
WORDS_OF_CPP = {"template"}
# Where a target may be named although it is not one of the target's own files.
MAY_NAME_TARGETS = ("targets/", "test/", "docs/", "models/", "python/", "bench/", "README.md", "CONTRIBUTING.md", "demo.sh")


def files():
    """Tracked files and those about to be."""
    listing = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True,
                             capture_output=True, text=True).stdout
    return [pathlib.PurePosixPath(line) for line in listing.splitlines() if (ROOT / line).is_file()]


def check_licence(path, text):
    special = path.name in ("CMakeLists.txt", "run") or path.suffix in WITH_LICENCE
    if special and LICENCE not in "\n".join(text.splitlines()[:3]):
        yield f"has no line '{LICENCE}' at its top"


def check_includes(path, text):
    if path.suffix not in CODE:
        return
    folder = next((name for name in FORBIDDEN if path.match(name + "/*") or is_inside(path, name)), None)
    if folder is None:
        return
    own = path.parts[1] if path.parts[0] == "targets" else None
    for include in INCLUDE.findall(text):
        if include in ALLOWED:
            continue
        if any(include.startswith(prefix) for prefix in FORBIDDEN[folder]):
            yield f"includes {include}, which {folder} may not"
        other = re.match(r"targets/([^/]+)/(\w*)", include)
        if own and other and (other[1] != own or crosses(path, other[2])):
            yield f"includes {include}, which is not its own half of its own target"


def is_inside(path, pattern):
    parts = pattern.split("/")
    return len(path.parts) > len(parts) and all(p in ("*", q) for p, q in zip(parts, path.parts))


def crosses(path, half):
    return {"compiler": "model", "model": "compiler"}.get(path.parts[2]) == half


def check_target_names(path, text, targets):
    name = str(path)
    if name.startswith(MAY_NAME_TARGETS) or path.suffix not in {*CODE, ".cmake", ".txt", ".sh", ".fbs"}:
        return
    if "/test/" in name:
        return
    code = re.sub(r"//.*|```.*?```", "", text, flags=re.DOTALL if path.suffix == ".td" else 0)
    if path.suffix == ".td":  # descriptions hold examples
        code = re.sub(r"\[\{.*?\}\]", "", text, flags=re.DOTALL)
    elif path.suffix in CODE:
        code = re.sub(r"//.*", "", text)
    else:
        code = re.sub(r"#.*", "", text)
    for target in targets:
        if names(target, code):
            yield f"names the target {target}"


def names(target, code):
    """Also as a word of an identifier: target_x, registerTargetModel, TARGET; but not `sta` in `static`. A target that is
    called like a word of C++ is named by its namespace (with a _ behind it), in quotes, or as a folder."""
    if target in WORDS_OF_CPP:
        return re.search(rf"(?<![^\W_]){target}_(?!\w)|[\"']{target}[\"']|targets/{target}\b", code)
    words = [rf"(?<![^\W_]){target}(?![^\W_])", rf"{target.capitalize()}(?![a-z0-9])", rf"(?<![^\W_]){target.upper()}(?![^\W_])"]
    return re.search("|".join(words), code)


def targets(root):
    text = (root / "targets/CMakeLists.txt").read_text()
    return re.search(r"set\(all_targets\s+(.*?)\)", text, re.DOTALL)[1].split()


def check(path, text, target_names):
    yield from check_licence(path, text)
    yield from check_includes(path, text)
    yield from check_target_names(path, text, target_names)


def check_tree():
    target_names, found = targets(ROOT), 0
    for path in files():
        try:
            text = (ROOT / path).read_text()
        except UnicodeDecodeError:
            continue
        for problem in check(path, text, target_names):
            print(f"{path}: {problem}")
            found += 1
    print(f"check-sources: {found or 'no'} problems")
    return found


def check_self():
    """Every rule must find what it is for."""
    good = f"// {LICENCE}\n"
    samples = [
        ("runtime/a.cpp", "int x;\n", "has no line"),
        ("runtime/a.cpp", good + '#include "mlir/IR/Value.h"\n', "runtime may not"),
        ("dialects/isa/a.h", good + '#include "sattn/Sattn.h"\n', "dialects/isa may not"),
        ("lib/X/a.cpp", good + '#include "runtime/io/File.h"\n', "lib may not"),
        ("lib/X/a.cpp", good + 'auto x = "sanger";\n', "names the target"),
        ("runtime/a.cpp", good + "registerSangerModel(registry);\n", "names the target"),
        ("targets/sanger/compiler/a.cpp", good + '#include "Transforms/Calibration.h"\n', "may not"),
        ("targets/sanger/model/a.cpp", good + '#include "isa/Isa.h"\n', "may not"),
        ("targets/sanger/model/a.cpp", good + '#include "targets/sanger/compiler/Sanger.h"\n', "own half"),
        ("targets/sanger/compiler/a.cpp", good + '#include "targets/other/Other.h"\n', "own half"),
    ]
    missed = [s for s in samples if not any(s[2] in p for p in check(pathlib.PurePosixPath(s[0]), s[1], ["sanger"]))]
    if names("sta", "static Status registerStatic(Stage)") or not names("sta", "int sta_rows, makeStaModel"):
        missed.append(("(names)", "sta", "words of identifiers alone"))
    if names("template", "template <typename T> struct TemplateArgument;") or not names("template", "template_::load()"):
        missed.append(("(names)", "template", "its namespace alone"))
    for path, text, expected in missed:
        print(f"no problem found in {path}: {text!r}, expected '{expected}'")
    print(f"check-sources: {len(samples) - len(missed)} of {len(samples)} violations found")
    return len(missed)


if __name__ == "__main__":
    sys.exit(1 if (check_self() if "--self" in sys.argv else check_self() + check_tree()) else 0)
