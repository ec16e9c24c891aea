# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""tools/new-target: clones the template, adds one line, and touches nothing else. Needs no build."""

import pathlib
import re
import shutil
import subprocess
import sys

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = REPOSITORY / "tools" / "new-target"
NAME = "unheardof"  # not that of the guide: who follows it has that target, and runs this


@pytest.fixture
def tree(tmp_path):
    """A copy of what is tracked, or is about to be."""
    listing = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "targets", "tools", "cmake", "scripts", "test/conformance"],
                             cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
    for line in listing.splitlines():
        if (REPOSITORY / line).is_file():
            (tmp_path / line).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / line, tmp_path / line)
    return tmp_path


def new_target(*arguments):
    return subprocess.run([sys.executable, SCRIPT, *map(str, arguments)], capture_output=True, text=True, check=False)


def contents(tree):
    return {str(path.relative_to(tree)): path.read_text() for path in tree.rglob("*") if path.is_file()}


def test_adds_a_folder_and_one_line(tree):
    before = contents(tree)
    process = new_target(NAME, "--root", tree)
    assert process.returncode == 0, process.stderr
    after = contents(tree)
    added = after.keys() - before.keys()
    assert {name for name, text in before.items() if after[name] != text} == {"targets/CMakeLists.txt"}
    assert all(name.startswith(f"targets/{NAME}/") for name in added)
    assert {name.replace(NAME, "template").replace(NAME.capitalize(), "Template") for name in added} == {
        name for name in before if name.startswith("targets/template/")
    }
    old, new = (files["targets/CMakeLists.txt"].splitlines() for files in (before, after))
    assert [line for line in new if line not in old] == [f"  {NAME}"]
    assert len(new) == len(old) + 1


def test_leaves_no_word_of_the_template(tree):
    new_target(NAME, "--root", tree)
    for name, text in contents(tree).items():
        if name.startswith(f"targets/{NAME}/"):
            assert "template" not in (name + text).lower(), name
            assert f"{NAME}_" not in re.sub(rf"\bsparsam_{NAME}_|{NAME.capitalize()}_", "", text), f"{name} kept the template's namespace"


def test_keeps_the_shape_of_files(tree):
    new_target("abc", "--root", tree)
    for name, text in contents(tree).items():
        if not name.startswith("targets/abc/"):
            continue
        title = re.search(r"^//===- .*$", text, re.MULTILINE)
        assert title is None or len(title[0]) == 80, f"{name}: {title[0]}"


def test_lists_targets_in_order(tree):
    for name in ("zebra", "aardvark"):
        assert new_target(name, "--root", tree).returncode == 0
    listed = re.search(r"set\(all_targets\n(.*?)\)", (tree / "targets/CMakeLists.txt").read_text(), re.DOTALL)[1].split()
    assert listed[0] == "aardvark" and listed[-1] == "zebra"


def test_lists_no_target_twice(tree):
    for _ in range(2):
        assert new_target(NAME, "--root", tree).returncode == 0
        shutil.rmtree(tree / "targets" / NAME)
    assert (tree / "targets/CMakeLists.txt").read_text().count(NAME) == 1


def test_says_what_to_do_next(tree):
    output = new_target(NAME, "--root", tree).stdout
    assert "scripts/build.sh release" in output
    assert "docs/add-a-target.md" in output


@pytest.mark.parametrize(
    "name, text",
    [
        ("Energon", "must be lower-case letters and digits, a letter first"),
        ("my-target", "must be lower-case letters and digits, a letter first"),
        ("2fast", "must be lower-case letters and digits, a letter first"),
        ("a_b", "must be lower-case letters and digits, a letter first"),
        ("", "must be lower-case letters and digits, a letter first"),
        ("../escape", "must be lower-case letters and digits, a letter first"),
        ("a" * 25, "is too long for a target's name: 25 letters, at most 24"),
        ("class", "it is a word of C++"),
        ("template", "it is a word of C++"),
        ("sattn", "a dialect or namespace is called so"),
        ("sanger", "targets/sanger is there already"),
    ],
)
def test_refuses_a_name(tree, name, text):
    before = contents(tree)
    process = new_target(name, "--root", tree)
    assert (process.returncode, process.stdout) == (1, "")
    assert text in process.stderr
    assert contents(tree) == before


def test_refuses_a_tree_without_template(tree):
    shutil.rmtree(tree / "targets/template")
    before = contents(tree)
    process = new_target(NAME, "--root", tree)
    assert process.returncode == 1 and "has no targets/template to clone" in process.stderr
    assert contents(tree) == before
