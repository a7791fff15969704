#!/bin/bash
# Builds clockmend_*.deb and clockmend-host_*.deb from this checkout and leaves them in OUTDIR.
# usage: packaging/build-deb.sh OUTDIR
#   CLOCKMEND_DEB_BUILD  build folder to use and keep (default: build/deb in the checkout)
#   CLOCKMEND_JOBS       parallel compile jobs (default: all processors)
set -euo pipefail

[ $# -eq 1 ] || { sed -n '2,5s/^# //p' "$0" >&2; exit 2; }
root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
outdir=$(cd "$1" && pwd)
build=${CLOCKMEND_DEB_BUILD:-$root/build/deb}
jobs=${CLOCKMEND_JOBS:-$(nproc)}

build_packages="g++ cmake ninja-build pkg-config dpkg-dev gzip file
    nlohmann-json3-dev libspdlog-dev libudev-dev libasio-dev libc-ares-dev libtomlplusplus-dev libcli11-dev libsystemd-dev libvirt-dev libxml2-dev"

say() { printf 'build-deb: %s\n' "$*" >&2; }

missing_packages() {
    local package
    for package in $build_packages; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2> /dev/null | grep -qx installed || printf '%s ' "$package"
    done
}

# Nothing that apt pulls in may start a service on the build machine. A guard that is already there stays as it is.
guard=/usr/sbin/policy-rc.d
guarded=no
unguard() { if [ "$guarded" = yes ]; then rm -f "$guard"; fi; }
trap unguard EXIT
install_missing() {
    local missing=$1
    if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
        say "please install: $missing"
        exit 1
    fi
    say "installing: $missing"
    if [ ! -e "$guard" ]; then
        printf '#!/bin/sh\nexit 101\n' > "$guard"
        chmod 755 "$guard"
        guarded=yes
    fi
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086 # a list of package names
    apt-get install -q -y --no-remove --no-install-recommends $missing >&2 ||
        { apt-get update -q >&2 && apt-get install -q -y --no-remove --no-install-recommends $missing >&2; }
}

missing=$(missing_packages)
if [ -n "$missing" ]; then install_missing "$missing"; fi

# The same sources give the same package: time stamps from the last commit, no build path in the binaries.
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
    SOURCE_DATE_EPOCH=$(git -C "$root" log -1 --format=%ct 2> /dev/null || stat -c %Y "$root/CMakeLists.txt")
fi
export SOURCE_DATE_EPOCH
flags() { DEB_BUILD_MAINT_OPTIONS=hardening=+all dpkg-buildflags --get "$1"; }
launcher=()
if command -v ccache > /dev/null; then launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi

say "building in $build"
cmake -S "$root" -B "$build" -G Ninja --log-level=WARNING \
    -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_INSTALL_PREFIX=/usr -DBUILD_TESTING=OFF -DCLOCKMEND_WERROR="${CLOCKMEND_WERROR:-OFF}" -DCLOCKMEND_BENCHMARKS=OFF \
    -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=12 \
    -DCMAKE_CXX_FLAGS="$(flags CPPFLAGS) $(flags CXXFLAGS) -ffile-prefix-map=$root=." \
    -DCMAKE_EXE_LINKER_FLAGS="$(flags LDFLAGS)" "${launcher[@]}" >&2
cmake --build "$build" -j "$jobs" >&2

rm -rf "$build/packages"
(cd "$build" && umask 022 && cpack -G DEB -B "$build/packages" > cpack.log 2>&1) || { cat "$build/cpack.log" >&2; exit 1; }
for deb in "$build"/packages/*.deb; do
    install -m 644 "$deb" "$outdir/"
    say "$outdir/$(basename "$deb")"
done
