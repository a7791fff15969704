#!/bin/bash
# Builds the fuzz targets and runs them one after another, SECONDS each; a crash leaves its input in build/fuzz/found/ and ends
# with code 1.
# usage: tests/fuzz/run.sh [--build | --run] [SECONDS [TARGET...]]     (default: 60, all)
#   --build   only builds, without optimization: soon done, for a few seconds of running
#   --run     only runs what is built
# CLOCKMEND_FUZZ_BUILD: build folder (default: build/fuzz)
set -euo pipefail
cd "$(dirname "$0")/../.."
build=1 run=1 optimization=-O1
case ${1:-} in
    --build) run=0 optimization=-O0; shift ;;
    --run) build=0; shift ;;
esac
seconds=${1:-60}
shift || true
folder=${CLOCKMEND_FUZZ_BUILD:-$PWD/build/fuzz}
mkdir -p "$folder"
if [ "$build" = 1 ]; then
    if ! command -v clang++ > /dev/null; then
        echo "SKIPPED: clang++ is not installed (deploy/host-packages.sh test)"
        exit 77
    fi
    tests/fuzz/build.sh "$folder/objects" "$optimization"
fi
[ "$run" = 1 ] || exit 0
[ $# -gt 0 ] || set -- $(cd tests/fuzz/targets && ls -- *.cpp | sed 's/\.cpp$//')
status=0
for target in "$@"; do
    program=$folder/objects/tests/fuzz/targets/fuzz_$target
    if [ ! -x "$program" ]; then
        echo "SKIPPED: $target is not built"
        exit 77
    fi
    mkdir -p "$folder/corpus/$target" "$folder/found"
    seeds=()
    if [ -d "tests/fuzz/corpus/$target" ]; then seeds=("tests/fuzz/corpus/$target"); fi
    printf '== %s\n' "$target"
    "$program" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=1024 -print_final_stats=1 \
        -artifact_prefix="$folder/found/$target-" "$folder/corpus/$target" "${seeds[@]}" || status=1
done
exit "$status"
