# Sourced by tests/run.sh: the Debian packages that building and testing need, and how they are installed.
# No time daemon is among them: those run in guests, or are unpacked into a folder.

test_packages="g++ cmake ninja-build pkg-config dpkg-dev gzip file git python3 ca-certificates util-linux
    nlohmann-json3-dev libspdlog-dev libudev-dev libgtest-dev libbenchmark-dev libasio-dev libc-ares-dev
    libtomlplusplus-dev libcli11-dev libsystemd-dev dbus systemd man-db iproute2
    qemu-system-x86 qemu-utils mmdebstrap e2fsprogs kmod cpio xz-utils busybox-static clang-format"

missing_packages() {
    local package
    for package in $test_packages; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2> /dev/null | grep -qx installed || printf '%s ' "$package"
    done
}

# Nothing that apt pulls in may start a service on this machine, and nothing may be removed for it.
install_missing_packages() {
    local missing guard=/usr/sbin/policy-rc.d guarded=no status=0
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
        echo "tests: please install: $missing" >&2
        return 1
    fi
    printf '\n== installing: %s\n' "$missing"
    if [ ! -e "$guard" ]; then
        printf '#!/bin/sh\nexit 101\n' > "$guard"
        chmod 755 "$guard"
        guarded=yes
    fi
    # shellcheck disable=SC2086 # a list of package names
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-remove --no-install-recommends $missing ||
        { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-remove --no-install-recommends $missing; } || status=1
    if [ "$guarded" = yes ]; then rm -f "$guard"; fi
    return "$status"
}
