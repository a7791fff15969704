#!/bin/bash
# Unpacks (never installs) chronyd and its libraries for the test servers and
# prints the folder: tools=PATH. Run the binaries with LD_LIBRARY_PATH set to
# PATH/usr/lib/*-linux-gnu.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

packages=(chrony libedit2 libseccomp2 libbsd0 libmd0)
version=$(apt-cache policy chrony | awk '/Candidate:/ { print $2 }')
layer=$cache_dir/tools-$(content_key "$version" "${packages[*]}" "@$image_dir/build-tools.sh")
mkdir -p "$cache_dir"
exec 9> "$cache_dir/build.lock"
flock 9
if [ ! -e "$layer/done" ]; then
    say "tools: ${packages[*]}"
    remove_tree "$layer"
    mkdir -p "$layer"
    download_debs "$layer/debs" "" "${packages[@]}"
    for deb in "$layer"/debs/*.deb; do dpkg-deb -x "$deb" "$layer"; done
    remove_tree "$layer/debs"
    touch "$layer/done"
    prune_layers "tools" "${layer##*-}"
fi
printf 'tools=%s\n' "$layer"
