# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The lit suite: every .mlir and .test file of the repository, run from the build folder.

    /usr/lib/llvm-22/bin/lit -sv build/release                       everything
    /usr/lib/llvm-22/bin/lit -sv build/release/dialects/sattn/test   one folder
    SPARSAM_ROUNDTRIP=1 lit -sv build/release                        each sparsam-opt also verifies the round trip
"""
import os

import lit.formats

config.name = "Sparsam"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["build", "Inputs", "integration", "unit", ".git", ".venv", "models", "docs", "bench", "python"]
config.test_source_root = os.path.dirname(os.path.abspath(__file__))
config.test_exec_root = config.sparsam_build_dir

tools = os.path.join(config.sparsam_build_dir, "bin")
config.environment["PATH"] = os.pathsep.join([tools, config.llvm_tools_dir, os.environ.get("PATH", "")])
config.environment["FILECHECK_OPTS"] = "-enable-var-scope --dump-input=fail"
for variable in ("HOME", "ASAN_OPTIONS", "UBSAN_OPTIONS", "OMP_NUM_THREADS", "PYTHONPATH"):
    if variable in os.environ:
        config.environment[variable] = os.environ[variable]

config.substitutions.append(("%python", f"'{config.sparsam_python}'"))
config.substitutions.append(("%repo", config.test_source_root))
if os.environ.get("SPARSAM_ROUNDTRIP"):
    config.substitutions.append((r"(?<![-/\w])sparsam-opt(?![-/\w])", "sparsam-opt --verify-roundtrip"))

for tool in ("sparsam-opt", "sparsam", "sparsam-lsp-server", "sparsam-tblgen"):
    if os.access(os.path.join(tools, tool), os.X_OK):
        config.available_features.add(tool)
for target in config.sparsam_targets:
    config.available_features.add(f"target-{target}")
