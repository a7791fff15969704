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

# ntpd 4.2.8: `ntp` of bullseye, with the libraries that it wants from there, for the guest's own apt. Later suites have ntpsec
# under that name.
fetch_classic_ntp() {
    local tree=$1 folder=$2
    newer_sources ntp-classic "$tree/var/lib/dpkg/status" bullseye || unavailable "the mirror of this machine's apt has no bullseye"
    mkdir -p "$folder/partial"
    apt-get "${newer_apt[@]}" -qq -y --no-install-recommends --no-remove --download-only -o Dir::State::extended_states=/dev/null \
        -o "Dir::Cache::archives=$folder" -o APT::Keep-Downloaded-Packages=true install ntp >&2 ||
        unavailable "the mirror of this machine's apt does not give ntp of bullseye"
}

# install_fetched TREE FOLDER: by the tree's own apt, without starting anything.
install_fetched() {
    guard_services "$1"
    mkdir "$1/debs"
    cp "$2"/*.deb "$1/debs/"
    install_debs "$1" > "$layer/apt.log" 2>&1 ||
        { cat "$layer/apt.log" >&2; die "apt failed in the $variant layer"; }
    remove_tree "$1/debs"
    unguard_services "$1"
}

# sysvinit's init where the initrd looks for systemd, an inittab with the agent's own line, and a systemctl for the rig's questions.
put_sysvinit() {
    local tree=$1 folder=$2/init init
    download_debs "$folder" '' sysvinit-core
    dpkg-deb -x "$folder"/sysvinit-core_*.deb "$folder/tree"
    init=$(find "$folder/tree" -name init -type f -perm -100 -print -quit)
    [ -n "$init" ] || die "sysvinit-core has no init"
    install -m 0755 "$init" "$tree/usr/lib/systemd/systemd"
    install -m 0755 "$image_dir/sysvinit/systemctl" "$tree/usr/bin/systemctl"
    install -D -m 0755 "$image_dir/sysvinit/boot" "$tree/usr/local/lib/lab/sysv-boot"
    cat "$image_dir/sysvinit/inittab" "$agent_inittab" > "$tree/etc/inittab"
}

agent_inittab=$image_dir/../../packaging/init/clockmendd.inittab
inputs=("@$image_dir/stage-variant.sh")
[ "$variant" != sysvinit ] || inputs+=("@$image_dir/sysvinit" "@$agent_inittab")
layer=$cache_dir/$variant-$(content_key "$(basename "$base")" "$packages" "${inputs[@]}")

if [ ! -e "$layer/done" ]; then
    say "variant layer: $variant"
    remove_tree "$layer"
    mkdir -p "$layer/debs"
    copy_tree "$base/tree" "$layer/tree"
    if [ -n "$packages" ]; then
        # shellcheck disable=SC2086 # a list of package names
        download_debs "$layer/debs" "$layer/tree/var/lib/dpkg/status" $packages
        install_fetched "$layer/tree" "$layer/debs"
    fi
    if [ "$variant" = ntpd-rs ]; then add_ntpd_rs "$layer/tree" "$layer/debs"; fi
    if [ "$variant" = ntp-classic ]; then
        fetch_classic_ntp "$layer/tree" "$layer/debs"
        install_fetched "$layer/tree" "$layer/debs"
    fi
    if [ "$variant" = sysvinit ]; then put_sysvinit "$layer/tree" "$layer/debs"; fi
    remove_tree "$layer/debs"
    touch "$layer/done"
    prune_layers "$variant" "${layer##*-}"
fi
printf '%s\n' "$layer"
