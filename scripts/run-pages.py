#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the commands of documentation pages, so that no page shows what the tools do not do.

    scripts/run-pages.py BUILD PAGE...            every ```console block: commands succeed and print the lines shown
    scripts/run-pages.py --update BUILD PAGE...   writes what they print into the pages
    scripts/run-pages.py --self                   that it finds wrong output and commands that fail

A block holds commands behind `$ ` (a line that ends in \\ goes on) and their output. The blocks of a page share one
empty folder, in which `models` is that of the repository; `python` is the one of .venv. Numbers, and the blanks and
rules that align them, are not compared: they may differ between processors.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"(^```console\n)(.*?)(^```$)", re.MULTILINE | re.DOTALL)
TIMEOUT_SECONDS = 300


def split_commands(block):
    """[command with its continuation lines, output] of a block."""
    entries = []
    continues = False
    for line in block.splitlines():
        if line.startswith("$ "):
            entries.append([line[2:], ""])
        elif not entries:
            raise ValueError(f"a console block starts with '{line}', expects a command behind '$ '")
        elif continues:
            entries[-1][0] += "\n" + line
        else:
            entries[-1][1] += line + "\n"
        continues = line.endswith("\\") and (line.startswith("$ ") or continues)
    return entries


def skeleton(text):
    """What must agree: the words."""
    words = re.sub(r"[-+]?\d[\d.]*(?:e[-+]?\d+)?", "#", text)
    words = re.sub(r"\b(?:[num]s|[numk]J|[pnum]J|[kMG]?B)\b", "unit", words)
    return [" ".join(re.sub(r"-{2,}", "--", line).replace("# #", "#").split()) for line in words.splitlines() if line.strip()]


def run(command, folder, build):
    environment = dict(os.environ, LC_ALL="C.UTF-8")
    environment["PATH"] = os.pathsep.join([str(build / "bin"), str(ROOT / ".venv/bin"), os.environ["PATH"]])
    process = subprocess.run(["bash", "-eo", "pipefail", "-c", command], cwd=folder, env=environment, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT_SECONDS, check=False)
    output = "".join(line.rstrip() + "\n" for line in process.stdout.splitlines())
    return process.returncode, output


def run_page(path, build, update):
    """Number of commands that failed or printed something else."""
    text, problems = path.read_text(), 0
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "models").symlink_to(ROOT / "models")

        def run_block(match):
            nonlocal problems
            lines = match[1]
            for command, expected in split_commands(match[2]):
                code, output = run(command, folder, build)
                if code != 0:
                    print(f"{path}: $ {command}\nexit code {code}\n{output}")
                    problems += 1
                elif not update and skeleton(output) != skeleton(expected):
                    print(f"{path}: $ {command}\nprints\n{output}the page shows\n{expected}")
                    problems += 1
                lines += f"$ {command}\n{output}"
            return lines + match[3]

        new = BLOCK.sub(run_block, text)
    if update and not problems:
        path.write_text(new)
    return problems


def check_self():
    """Of these four commands the second and the fourth must be found."""
    block = "```console\n$ echo 12 words\n 7  words\n$ echo other\nwords\n$ true\n$ false\n```\n"
    with tempfile.TemporaryDirectory() as folder:
        page = pathlib.Path(folder) / "page.md"
        page.write_text(block)
        found = run_page(page, pathlib.Path(folder), update=False)
    print(f"run-pages: {found} of 2 problems found")
    return 0 if found == 2 else 1


def main(arguments):
    if arguments == ["--self"]:
        return check_self()
    update = arguments[:1] == ["--update"]
    arguments = arguments[update:]
    if len(arguments) < 2 or not pathlib.Path(arguments[0]).is_dir():
        print(__doc__.strip(), file=sys.stderr)
        return 2
    build = pathlib.Path(arguments[0]).resolve()
    problems = sum(run_page(pathlib.Path(page), build, update) for page in arguments[1:])
    if problems:
        print(f"run-pages: {problems} problems; scripts/run-pages.py --update {arguments[0]} {' '.join(arguments[1:])}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
