#!/bin/bash
# Builds the fuzz targets into FOLDER: clang, AddressSanitizer, UndefinedBehaviorSanitizer, libFuzzer's counters in every object.
# usage: tests/fuzz/build.sh FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=${1:?usage: tests/fuzz/build.sh FOLDER}

launcher=()
if command -v ccache > /dev/null; then launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
# -O1: most of the time goes into compiling, not running.
cmake -S . -B "$folder" -G Ninja -DCMAKE_CXX_COMPILER=clang++ "${launcher[@]}" -DBUILD_TESTING=OFF -DCLOCKMEND_FUZZ_TARGETS=ON \
    -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_FLAGS="-O1 -gline-tables-only -fno-sanitize-recover=undefined" -DCMAKE_UNITY_BUILD=ON \
    -DCLOCKMEND_SANITIZE=address,undefined,fuzzer-no-link > "$folder.log" 2>&1 || { cat "$folder.log"; exit 1; }
cmake --build "$folder" --target fuzz_targets
