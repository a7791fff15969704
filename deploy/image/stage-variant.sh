#!/bin/bash
# Variant layer: the base plus one time daemon. Arguments: base layer, variant.
# Prints the layer's folder.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$image_dir/packages.sh"

base=$1 variant=$2
packages=$(variant_packages "$variant") || die "unknown variant $variant"
layer=$cache_dir/$variant-$(content_key "$(basename "$base")" "$packages" "@$image_dir/stage-variant.sh")

if [ ! -e "$layer/done" ]; then
    say "variant layer: $variant"
    remove_tree "$layer"
    mkdir -p "$layer/debs"
    copy_tree "$base/tree" "$layer/tree"
    if [ -n "$packages" ]; then
        # shellcheck disable=SC2086 # a list of package names
        download_debs "$layer/debs" "$layer/tree/var/lib/dpkg/status" $packages
        guard_services "$layer/tree"
        mkdir "$layer/tree/debs"
        cp "$layer"/debs/*.deb "$layer/tree/debs/"
        install_debs "$layer/tree" > "$layer/apt.log" 2>&1 ||
            { cat "$layer/apt.log" >&2; die "apt failed in the $variant layer"; }
        remove_tree "$layer/tree/debs"
        unguard_services "$layer/tree"
    fi
    remove_tree "$layer/debs"
    touch "$layer/done"
    prune_layers "$variant" "${layer##*-}"
fi
printf '%s\n' "$layer"
