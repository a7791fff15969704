#!/bin/bash
# Fetches a QEMU of at least version 10 (with -device vmclock) and unpacks it, with the libraries this machine lacks for it,
# into the cache; nothing is installed.
# Prints qemu=BINARY libraries=FOLDER data=FOLDER version=VERSION, or unavailable=REASON (exit code 3).
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$image_dir/newer.sh"

codename=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
suite=$codename-backports
pointer=$cache_dir/newer-qemu

mkdir -p "$cache_dir"
exec 9> "$cache_dir/newer-qemu.lock"
flock 9

build() {
    local layer=$1 deb
    say "newer QEMU: $2"
    remove_tree "$layer"
    mkdir -p "$layer/debs/partial"
    # Everything of it that is not installed here at the same version comes along: its own files, libraries, firmware.
    apt-get "${newer_apt[@]}" -qq -y --no-install-recommends --no-remove --download-only -t "$suite" \
        -o Dir::Cache::archives="$layer/debs" -o Dir::State::extended_states=/dev/null \
        -o APT::Keep-Downloaded-Packages=true -o APT::Clean-Installed=false install qemu-system-x86 seabios >&2 ||
        unavailable "the mirror of this machine's apt does not give the packages of QEMU $2"
    for deb in "$layer"/debs/*.deb; do dpkg-deb -x "$deb" "$layer"; done
    remove_tree "$layer/debs"
    [ -x "$layer/usr/bin/qemu-system-x86_64" ] || unavailable "QEMU $2 is installed here already, but not from $suite"
    touch "$layer/done"
}

# An installed one that is new enough needs no other.
if installed=$(qemu-system-x86_64 -device help 2> /dev/null) && grep -q '"vmclock"' <<< "$installed"; then
    printf 'qemu=%s\nlibraries=\ndata=\nversion=%s\n' "$(command -v qemu-system-x86_64)" \
        "$(qemu-system-x86_64 --version | awk '{ print $4; exit }')"
    exit 0
fi
if ! layer=$(newer_ready "$pointer"); then
    if newer_sources qemu /var/lib/dpkg/status "$codename" "$suite"; then
        version=$(apt-cache "${newer_apt[@]}" policy qemu-system-x86 | awk -v s="$suite" '$1 ~ /^[0-9]+:|^\*\*\*/ { v = $1 == "***" ? $2 : $1 } index($0, s) { print v; exit }')
        [ -n "$version" ] || unavailable "$suite of this machine's mirror has no qemu-system-x86"
        layer=$cache_dir/newer-$(content_key "$version" "@$image_dir/build-newer-qemu.sh")
        [ -e "$layer/done" ] || build "$layer" "$version"
        basename "$layer" > "$pointer"
    else
        layer=$(newer_ready "$pointer" any) || unavailable "this machine's mirror does not answer for $suite"
    fi
fi
libraries=$layer/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH 2> /dev/null || echo x86_64-linux-gnu)
export LD_LIBRARY_PATH=$libraries
lacking=$(ldd "$layer/usr/bin/qemu-system-x86_64" | awk '/not found/ { print $1 }' | sort -u | tr '\n' ' ')
[ -z "$lacking" ] || unavailable "QEMU of $suite lacks $lacking here"
printf 'qemu=%s\nlibraries=%s\ndata=%s\nversion=%s\n' "$layer/usr/bin/qemu-system-x86_64" "$libraries" "$layer/usr/share" \
    "$("$layer/usr/bin/qemu-system-x86_64" --version | awk '{ print $4; exit }')"
