#!/bin/bash
# Installs what the tests need, builds, runs everything through ctest, and ends with ctest's summary.
# usage: tests/run.sh [--full] [--only REGEX] [--no-e2e] [--accel auto|kvm|tcg] [--build DIR]
#   --full      adds the long and repeated cases (25 minutes alone with each daemon, 20 pauses in a row, ...)
#   --only      ctest -R REGEX; for development
#   --no-e2e    leaves the guests out; the run then fails at the end, because no guest booted
#   --accel     what the guests run on (default: auto, KVM only if a test kernel boots under it)
#   --build     build folder (default: build/test)
# CLOCKMEND_LANES: how many guests run at the same time, 1 or 2 (default: 2 where there are two processors)
# Exit code: 0 only if every test passed, a guest booted, and nothing outside tests/allowed-skips.txt was skipped.
set -euo pipefail
. "$(dirname "$0")/../deploy/without-sys-time.sh"
cd "$(dirname "$0")/.."

full=0; only=; e2e=1; build=build/test
while [ $# -gt 0 ]; do
    case $1 in
        --full) full=1 ;;
        --only) only=$2; shift ;;
        --no-e2e) e2e=0 ;;
        --build) build=$2; shift ;;
        --accel) export CLOCKMEND_ACCEL=$2; shift ;;
        -h | --help) sed -n '2,11s/^# \{0,1\}//p' tests/run.sh; exit 0 ;;
        *) echo "tests/run.sh: unknown argument $1 (see --help)" >&2; exit 2 ;;
    esac
    shift
done

deploy/host-packages.sh rig build test

say() { printf '\n== %s (%s)\n' "$*" "$(date +%T)"; }
mkdir -p "$build"
# The images of the guests grow beside the compiler and the tests of this machine.
preparing=()
prepare() { # prepare NAME ARGUMENT...
    [ "$e2e" = 1 ] && [[ -z $only || $only == *e2e* ]] || return 0
    local log=$build/prepare-$1.log
    shift
    python3 -B tests/e2e/e2e.py prepare "$@" > "$log" 2>&1 &
    preparing+=($!)
}
# Killed: what was cut off is made again by the next run.
trap '[ ${#preparing[@]} -eq 0 ] || kill "${preparing[@]}" 2> /dev/null || true' EXIT
prepare base --base

# One build serves both: the packages that the guests get, and the tests around the same objects.
say "building the packages"
export CLOCKMEND_WERROR=ON
CLOCKMEND_DEB_BUILD=$PWD/$build packaging/build-deb.sh "$build/debs.new"
rm -rf "$build/debs" && mv "$build/debs.new" "$build/debs"
export CLOCKMEND_DEBS=$PWD/$build/debs

prepare disks

say "building the tests"
cmake -S . -B "$build" -DBUILD_TESTING=ON -DCLOCKMEND_WERROR=ON -DCLOCKMEND_FULL=$full -DCLOCKMEND_E2E=$e2e > "$build/configure.log" 2>&1 ||
    { cat "$build/configure.log"; exit 1; }
cmake --build "$build" -j "$(nproc)"

say "this machine's clock is safe"
"$build/tests/lint/lint_sys_time"

say "running the tests of this machine"
status=0
results=()
# run_tests NAME CTEST_ARGUMENTS...: one ctest run, whose JUnit record joins the verdict at the end.
run_tests() {
    local xml=$PWD/$build/junit-$1.xml
    shift
    rm -f "$xml"
    ctest --test-dir "$build" --output-on-failure --output-junit "$xml" --no-tests=ignore ${only:+-R "$only"} "$@" || status=$?
    if [ -e "$xml" ]; then results+=("$xml"); fi
}
run_tests host -LE e2e -j "$(nproc)"
if [ ${#preparing[@]} -gt 0 ]; then
    say "waiting for the images of the guests"
    for pid in "${preparing[@]}"; do wait "$pid" || true; done
    preparing=()
    tail -v -n +1 "$build"/prepare-*.log
fi
lanes=${CLOCKMEND_LANES:-$(($(nproc) < 2 ? 1 : 2))}
say "running the cases in guests, $lanes at a time"
# A guest under TCG can starve on a busy machine, so a case may try twice; ctest shows both tries.
run_tests guest -L e2e -j "$lanes" --repeat until-pass:2
python3 tests/skips.py tests/allowed-skips.txt "${results[@]}" || status=1
exit "$status"
