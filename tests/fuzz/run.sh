#!/bin/bash
# Runs the fuzz targets one after another, SECONDS each; a crash leaves its input in build/fuzz/found/ and ends with code 1.
# usage: tests/fuzz/run.sh [SECONDS [TARGET...]]     (default: 60, all)
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60}
shift || true
build=${CLOCKMEND_FUZZ_BUILD:-$PWD/build/fuzz}
mkdir -p "$build"
tests/fuzz/build.sh "$build/objects"
[ $# -gt 0 ] || set -- $(cd tests/fuzz/targets && ls -- *.cpp | sed 's/\.cpp$//')
status=0
for target in "$@"; do
    mkdir -p "$build/corpus/$target" "$build/found"
    seeds=()
    if [ -d "tests/fuzz/corpus/$target" ]; then seeds=("tests/fuzz/corpus/$target"); fi
    printf '== %s\n' "$target"
    "$build/objects/tests/fuzz/targets/fuzz_$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=1024 -print_final_stats=1 \
        -artifact_prefix="$build/found/$target-" "$build/corpus/$target" "${seeds[@]}" || status=1
done
exit "$status"
