#!/bin/bash
# Variant layer: the base plus one time daemon. Arguments: base layer, variant.
# Prints the layer's folder.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$image_dir/packages.sh"
. "$image_dir/newer.sh"

base=$1 variant=$2
packages=$(variant_packages "$variant") || die "unknown variant $variant"

# ntpd-rs is in no older suite than the next one. Its package asks for a newer libc6 than it uses, so it is unpacked; what its
# maintainer script would do is done here.
add_ntpd_rs() {
    local tree=$1 folder=$2 deb
    newer_sources ntpd-rs /dev/null trixie || unavailable "the mirror of this machine's apt has no trixie"
    (cd "$folder" && apt-get "${newer_apt[@]}" -qq download ntpd-rs >&2) || unavailable "the mirror of this machine's apt does not give ntpd-rs"
    for deb in "$folder"/ntpd-rs_*.deb; do dpkg-deb -x "$deb" "$tree"; done
    chroot "$tree" /usr/bin/ntp-daemon --version >&2 || unavailable "ntpd-rs of trixie does not run with the libc6 of the guest, although the mirror gives it"
    chroot "$tree" adduser --quiet --system --home /var/lib/ntpd-rs --no-create-home --group ntpd-rs >&2
    mkdir -p "$tree/etc/systemd/system/multi-user.target.wants"
    ln -sf /usr/lib/systemd/system/ntpd-rs.service "$tree/etc/systemd/system/multi-user.target.wants/"
}

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
    if [ "$variant" = ntpd-rs ]; then add_ntpd_rs "$layer/tree" "$layer/debs"; fi
    remove_tree "$layer/debs"
    touch "$layer/done"
    prune_layers "$variant" "${layer##*-}"
fi
printf '%s\n' "$layer"
