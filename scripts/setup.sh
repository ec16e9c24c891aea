#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Installs what building and testing need on Debian 12, and makes the Python environment .venv. Installs only what is
# missing and says what it does; may be run at any time.
set -eu
cd "$(dirname "$0")/.."

packages="
  build-essential clang-22 clang-format-22 cmake ninja-build ccache lld-22 libclang-rt-22-dev
  libmlir-22-dev mlir-22-tools llvm-22-dev llvm-22-tools
  libonnx-dev protobuf-compiler libprotobuf-dev libdnnl-dev libhwy-dev
  libflatbuffers-dev flatbuffers-compiler libyaml-cpp-dev nlohmann-json3-dev libcli11-dev libzip-dev zlib1g-dev
  libgtest-dev libbenchmark-dev libgomp1 python3 python3-venv"

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  echo "setup: needs Debian 12: apt-get or dpkg-query is not there; install by other means:" $packages >&2
  exit 1
fi
missing=
for package in $packages; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
if [ -n "$missing" ]; then
  echo "setup: installing$missing"
  if [ "$(id -u)" = 0 ]; then
    as_root=
  elif command -v sudo >/dev/null; then
    as_root=sudo
  else
    echo "setup: needs root to install packages; run as root: apt-get install$missing" >&2
    exit 1
  fi
  if ! $as_root apt-get update -qq; then
    echo "setup: apt-get update failed; is there a network, and are the sources in /etc/apt right?" >&2
    exit 1
  fi
  # shellcheck disable=SC2086 # a list of words
  if ! $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null; then
    echo "setup: apt-get failed. LLVM 22 is in Debian 12's security archive: /etc/apt/sources.list needs" >&2
    echo "  deb http://deb.debian.org/debian-security bookworm-security main" >&2
    exit 1
  fi
else
  echo "setup: all Debian packages are there"
fi

stamp=.venv/requirements.stamp
if [ -x .venv/bin/python ] && cmp -s python/requirements.txt "$stamp"; then
  echo "setup: Python environment .venv is there"
else
  echo "setup: making the Python environment .venv: $(grep -v '^#' python/requirements.txt | tr '\n' ' ')"
  /usr/bin/python3 -m venv --clear .venv
  .venv/bin/pip install --quiet --disable-pip-version-check -r python/requirements.txt
  cp python/requirements.txt "$stamp"
fi
