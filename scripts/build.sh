#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Configures and builds a preset (release, debug, asan): scripts/build.sh [PRESET [TARGET...]]
set -eu
cd "$(dirname "$0")/.."
preset=${1:-release}
[ $# -gt 0 ] && shift
folder=build/$preset
if [ ! -f "$folder/build.ninja" ]; then
  echo "build: configuring $folder"
  mkdir -p "$folder"
  cmake --preset "$preset" -DSPARSAM_WERROR=ON >"$folder/configure.log" 2>&1 || {
    cat "$folder/configure.log" >&2
    exit 1
  }
fi
echo "build: $folder"
exec ninja -C "$folder" "$@"
