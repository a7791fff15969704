#!/bin/bash
# Builds (or finds in the cache) a small Debian guest and prints where it is:
#   kernel=PATH  initrd=PATH  disk=PATH
# Usage: build-image.sh [--variant ntpsec|chrony|timesyncd|openntpd|ntpd-rs|ntp-classic|sysvinit|none] [--deb FILE]...
#                       [--helper BINARY] [--only-layers]
# Layers: kernel -> base -> variant -> disk; each is keyed by its inputs, so a
# new package under test rebuilds only the disk.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

variant=ntpsec helper='' debs=() only_layers=''
while [ $# -gt 0 ]; do
    case $1 in
        --variant) variant=$2; shift 2 ;;
        --deb) debs+=("$2"); shift 2 ;;
        --helper) helper=$2; shift 2 ;;
        --only-layers) only_layers=1; shift ;;
        -h | --help) sed -n '2,8s/^# //p' "$0"; exit 0 ;;
        *) die "unknown argument $1" ;;
    esac
done
[ "$(id -u)" = 0 ] || die "must run as root: it makes file owners and a chroot"
for tool in mmdebstrap mke2fs modprobe cpio dpkg-deb; do
    PATH=$PATH:/usr/sbin:/sbin command -v "$tool" > /dev/null || die "$tool is missing (packages: mmdebstrap e2fsprogs kmod cpio)"
done
export PATH=$PATH:/usr/sbin:/sbin
for deb in "${debs[@]}"; do [ -r "$deb" ] || die "no such package: $deb"; done

mkdir -p "$cache_dir"
exec 9> "$cache_dir/build.lock"
flock 9
if [ -z "$helper" ]; then
    source=$(realpath "$image_dir/../../tests/e2e/guest/guest_helper.cpp")
    helper=$cache_dir/helper-$(content_key "@$source")
    [ -x "$helper" ] || { say "guest helper"; g++ -std=c++20 -O2 -s -static -Wall -Wextra -o "$helper" "$source"; }
fi
kernel=$("$image_dir/stage-kernel.sh")
base=$("$image_dir/stage-base.sh" "$kernel")
layer=$("$image_dir/stage-variant.sh" "$base" "$variant") || { code=$?; printf '%s\n' "$layer"; exit "$code"; }  # "unavailable=REASON"
[ -z "$only_layers" ] || exit 0
disk=$("$image_dir/stage-disk.sh" "$layer" "$variant" "$helper" "${debs[@]}")
printf 'kernel=%s\ninitrd=%s\ndisk=%s\n' "$kernel/vmlinuz" "$kernel/initrd.img" "$disk"
