# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Where the build is, and how its driver is run.

SPARSAM_BUILD names the build folder; by default it is build/release. Set-up problems fail, they never skip.
"""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "python"))

TIMEOUT_SECONDS = 300


@pytest.fixture(scope="session")
def repository():
    """The root of the source tree."""
    return REPOSITORY


@pytest.fixture(scope="session")
def build_folder():
    """The folder that was built."""
    return pathlib.Path(os.environ.get("SPARSAM_BUILD", REPOSITORY / "build" / "release")).resolve()


@pytest.fixture(scope="session")
def sparsam(build_folder):
    """The driver's path."""
    path = build_folder / "bin" / "sparsam"
    if not path.is_file():
        pytest.fail(f"no driver at {path}: build it, or name another build folder in SPARSAM_BUILD", pytrace=False)
    return path


@pytest.fixture(scope="session")
def run_driver(sparsam):
    """Runs the driver and returns the finished process, whatever its exit code.

    A signal (a crash) is a failure in itself: no test expects one.
    """

    def run(*arguments):
        command = [str(argument) for argument in (sparsam, *arguments)]
        process = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)
        assert process.returncode >= 0, f"{' '.join(command)}\nwas killed by {-process.returncode}\n{process.stderr}"
        return process

    return run


@pytest.fixture(scope="session")
def run_json(run_driver):
    """Runs the driver with --json, expects success, and returns the object that it printed."""

    def run(*arguments):
        process = run_driver(*arguments, "--json")
        failed = f"{' '.join(map(str, arguments))}\nexit code {process.returncode}\n{process.stderr}"
        assert process.returncode == 0, failed
        return json.loads(process.stdout)

    return run


@pytest.fixture(scope="session")
def load_npz():
    """Reads all arrays of an .npz into a dictionary."""

    def load(path):
        with np.load(path) as arrays:
            return dict(arrays)

    return load
