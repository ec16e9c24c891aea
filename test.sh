#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Sets up, builds and runs every test. Usage: ./test.sh [--asan]
#   --asan   build and test with AddressSanitizer and UndefinedBehaviorSanitizer
set -u
cd "$(dirname "$0")" || exit 1
preset=release
case ${1-} in
"") ;;
--asan) preset=asan ;;
*)
  sed -n '3,4p' "$0" | cut -c3- >&2
  exit 2
  ;;
esac

scripts/setup.sh || exit 1
scripts/build.sh "$preset" || exit 1

# libMLIR itself is not instrumented: memory that it filled looks poisoned to our code.
if [ "$preset" = asan ]; then
  export ASAN_OPTIONS=detect_container_overflow=0:allow_user_poisoning=0:detect_leaks=0
fi
failed=
step() {
  name=$1
  shift
  echo "== $name"
  "$@" || failed="$failed, $name"
}
step "sources" /usr/bin/python3 scripts/check-sources.py
step "unit tests" ctest --test-dir "build/$preset" --output-on-failure --no-tests=error
step "lit tests" /usr/lib/llvm-22/bin/lit -sv "build/$preset"
step "integration tests" env SPARSAM_BUILD="build/$preset" .venv/bin/python -m pytest -q test/integration
step "conformance of every target" env SPARSAM_BUILD="build/$preset" .venv/bin/python -m pytest -q test/conformance
if [ -n "$failed" ]; then
  echo "FAILED: ${failed#, }"
  exit 1
fi
echo "all tests passed"
