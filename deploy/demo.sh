#!/bin/bash
# Shows the main job on a real Debian guest under QEMU: frozen for 47.55 s, noticed, put right, daemon running again.
# usage: deploy/demo.sh [--accel auto|kvm|tcg] [--freeze SECONDS]
#   --accel   auto boots a test kernel under KVM before trusting it, else TCG (default: auto)
#   --freeze  length of each freeze (default: 47.55)
# Run as root. Installs what is missing of: a compiler, the build's libraries, QEMU, mmdebstrap. Images and packages are
# cached in ${CLOCKMEND_CACHE:-~/.cache/clockmend}, so a second run starts in seconds. Ends with 0 only if all held.
set -euo pipefail

for word in "$@"; do
    case $word in -h | --help) sed -n '2,7s/^# //p' "$0"; exit 0 ;; esac
done
[ "$(id -u)" = 0 ] || { echo "demo: please run as root (it makes a network namespace and a guest image)" >&2; exit 1; }
here=$(cd "$(dirname "$0")" && pwd)
. "$here/without-sys-time.sh"
export PATH=$PATH:/usr/sbin:/sbin
"$here/host-packages.sh" rig build
exec python3 -B "$here/demo/main.py" "$@"
