#!/bin/bash
# Builds the fuzz targets into FOLDER: clang, AddressSanitizer, UndefinedBehaviorSanitizer, libFuzzer's counters in every object.
# usage: tests/fuzz/build.sh FOLDER [OPTIMIZATION]      (default: -O1; -O0 is built sooner and runs slower)
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=${1:?usage: tests/fuzz/build.sh FOLDER [OPTIMIZATION]}
optimization=${2:--O1}

launcher=()
if command -v ccache > /dev/null; then launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
# Compiling is what costs: so none of those UBSan checks that AddressSanitizer notices as well (null, alignment, vptr,
# object-size), and no checks inside the JSON and TOML libraries, whose bugs are not sought here.
checks=address,fuzzer-no-link,signed-integer-overflow,shift,integer-divide-by-zero,float-cast-overflow,bool,enum,bounds,return,unreachable
flags="$optimization -gline-tables-only -fno-sanitize-recover=all -fsanitize-ignorelist=$PWD/tests/fuzz/libraries.txt"
flags+=" -fsanitize-coverage-ignorelist=$PWD/tests/fuzz/libraries.txt"
cmake -S . -B "$folder" -G Ninja -DCMAKE_CXX_COMPILER=clang++ "${launcher[@]}" -DBUILD_TESTING=OFF -DCLOCKMEND_FUZZ_TARGETS=ON \
    -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_FLAGS="$flags" -DCMAKE_UNITY_BUILD=ON -DCLOCKMEND_SANITIZE="$checks" \
    > "$folder.log" 2>&1 || { cat "$folder.log"; exit 1; }
cmake --build "$folder" --target fuzz_targets
