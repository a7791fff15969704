#!/bin/bash
# Unpacks Debian's chronyd and ntpsec's ntpd into FOLDER; nothing is installed, nothing of theirs is started by this.
# usage: unpack-servers.sh FOLDER        exit 77 and "SKIPPED: why" where this machine's apt cannot get them
set -euo pipefail
folder=${1:?usage: unpack-servers.sh FOLDER}
mkdir -p "$folder/debs"
exec 9> "$folder/lock"
flock 9
[ ! -e "$folder/done" ] || exit 0
cd "$folder/debs"
rm -f -- *.deb
if ! apt-get -qq -o APT::Sandbox::User=root download chrony ntpsec > "$folder/log" 2>&1; then
    echo "SKIPPED: this machine's apt has no chrony and ntpsec: $(tail -n 1 "$folder/log")"
    exit 77
fi
for deb in *.deb; do dpkg-deb -x "$deb" "$folder"; done
missing=$(ldd "$folder/usr/sbin/chronyd" "$folder/usr/sbin/ntpd" | grep 'not found' || true)
if [ -n "$missing" ]; then
    echo "SKIPPED: libraries are missing on this machine:" $missing
    exit 77
fi
touch "$folder/done"
