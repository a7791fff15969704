#!/bin/bash
# Installs the Debian packages of the given sets that are missing on this machine, and nothing else.
# usage: deploy/host-packages.sh SET...     SET: rig (guests under QEMU) | build (the packages) | test (the test programs)
# No time daemon is among them: those run in guests, or are unpacked into a folder.
# Nothing is removed, nothing recommended comes along, and no service is started by what is installed.
set -euo pipefail
. "$(dirname "$0")/without-sys-time.sh"

packages_of() {
    case $1 in
        rig) echo qemu-system-x86 qemu-utils mmdebstrap e2fsprogs kmod cpio xz-utils iproute2 procps util-linux g++ python3 \
            libvirt-daemon libvirt-daemon-driver-qemu libvirt-clients socat ;;
        build) echo g++ cmake ninja-build pkg-config dpkg-dev gzip file nlohmann-json3-dev libspdlog-dev libudev-dev \
            libasio-dev libc-ares-dev libtomlplusplus-dev libcli11-dev libsystemd-dev libvirt-dev libxml2-dev ;;
        test) echo libgtest-dev libbenchmark-dev clang clang-format libclang-rt-dev git ca-certificates dbus systemd man-db busybox-static ;;
        *) echo "unknown set $1" >&2; return 1 ;;
    esac
}

say() { printf 'packages: %s\n' "$*" >&2; }
[ $# -gt 0 ] || { sed -n '2,5s/^# //p' "$0" >&2; exit 2; }

missing=()
for set in "$@"; do
    for package in $(packages_of "$set"); do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2> /dev/null | grep -qx installed || missing+=("$package")
    done
done
known() { [[ $(apt-cache policy linux-image-cloud-amd64 2> /dev/null) == *"Candidate: "[0-9]* ]]; }
if [ ${#missing[@]} -eq 0 ] && known; then exit 0; fi
[ "$(id -u)" = 0 ] || { say "please install: ${missing[*]}"; exit 1; }

guard=/usr/sbin/policy-rc.d
guarded=no
unguard() { if [ "$guarded" = yes ]; then rm -f "$guard"; fi; }
trap unguard EXIT
trap 'exit 130' INT TERM
if [ ! -e "$guard" ]; then
    guarded=yes
    printf '#!/bin/sh\nexit 101\n' > "$guard"
    chmod 755 "$guard"
fi
export DEBIAN_FRONTEND=noninteractive
update() { say "apt-get update"; apt-get -q update >&2; }
install_all() { apt-get -q -y -o Dpkg::Use-Pty=0 --no-remove --no-install-recommends install "${missing[@]}" >&2; }

# The guest's kernel and packages come through this machine's apt too, so its lists must be there.
known || update
[ ${#missing[@]} -gt 0 ] || exit 0
say "installing ${missing[*]}"
install_all || { update; install_all; }
