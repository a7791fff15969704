#!/bin/bash
# Disk layer: the variant plus the lab's own files, the guest helper and the
# packages under test, as a raw ext4 disk. Arguments: variant layer, variant,
# helper binary, packages (.deb files). Prints the disk's path.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

variant_layer=$1 variant=$2 helper=$3
shift 3
inputs=("@$image_dir/files" "@$image_dir/stage-disk.sh" "@$helper")
for deb in "$@"; do inputs+=("@$(realpath "$deb")"); done
key=$(content_key "$(basename "$variant_layer")" "${inputs[@]}")
disk=$cache_dir/disk-$variant-$key.raw

if [ ! -e "$disk" ]; then
    say "disk: $variant $([ $# -gt 0 ] && printf 'with %s' "$(basename -a "$@" | tr '\n' ' ')")"
    work=$cache_dir/work-$variant-$key
    remove_tree "$work"
    copy_tree "$variant_layer/tree" "$work"
    cp -a "$image_dir/files/." "$work/"
    chown -R root:root "$work/usr/local" "$work/etc/systemd/system"
    install -D -m 0755 "$helper" "$work/usr/local/sbin/clockmend-guest-helper"
    mkdir -p "$work/etc/systemd/system/sysinit.target.wants" "$work/etc/systemd/system/multi-user.target.wants"
    ln -sf ../lab-helper.service "$work/etc/systemd/system/sysinit.target.wants/lab-helper.service"
    ln -sf ../lab-setup.service "$work/etc/systemd/system/sysinit.target.wants/lab-setup.service"
    if [ $# -gt 0 ]; then
        guard_services "$work"
        mkdir "$work/debs"
        cp "$@" "$work/debs/"
        install_debs "$work" > "$work.log" 2>&1 ||
            { cat "$work.log" >&2; die "installing $* in the guest failed"; }
        remove_tree "$work/debs"
        rm -f "$work.log"
        unguard_services "$work"
    fi
    rm -f "$disk.part"
    truncate -s 1G "$disk.part"
    mke2fs -q -t ext4 -O ^has_journal,^metadata_csum -m 0 -E lazy_itable_init=1,root_owner=0:0 -d "$work" "$disk.part" >&2
    mv "$disk.part" "$disk"
    remove_tree "$work"
    # Older disks of this variant; an open one stays readable until it is closed.
    ls -1t "$cache_dir/disk-$variant-"*.raw | tail -n +7 | xargs -r rm -f --
fi
printf '%s\n' "$disk"
