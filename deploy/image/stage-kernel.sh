#!/bin/bash
# Kernel layer: unpacks the cloud kernel and builds a small initrd which loads
# the virtio modules and switches to the disk. Prints the layer's folder.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

image=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image-/ { print $2; exit }')
[ -n "$image" ] || die "apt knows no linux-image-cloud-amd64; run apt-get update"
release=${image#linux-image-}
version=$(apt-cache policy "$image" | awk '/Candidate:/ { print $2 }')
layer=$cache_dir/kernel-$(content_key "$version" "@$image_dir/stage-kernel.sh" "@$image_dir/initrd-init.sh")

if [ ! -e "$layer/done" ]; then
    say "kernel layer: $release"
    remove_tree "$layer"
    mkdir -p "$layer/initrd/bin" "$layer/initrd/mod"
    download_debs "$layer/debs" "" "$image" busybox-static
    for deb in "$layer"/debs/*.deb; do dpkg-deb -x "$deb" "$layer/tree"; done
    modules=$layer/tree/lib/modules/$release
    depmod -b "$layer/tree" "$release"
    cp "$layer/tree/boot/vmlinuz-$release" "$layer/vmlinuz"
    install -m 0755 "$layer/tree/bin/busybox" "$layer/initrd/bin/busybox"
    install -m 0755 "$image_dir/initrd-init.sh" "$layer/initrd/init"
    # Load order: dependencies first, each module once.
    for wanted in virtio_pci virtio_blk virtio_console virtio_net virtio_rng ext4; do
        modprobe -d "$layer/tree" -S "$release" --show-depends "$wanted" | awk '$1 == "insmod" { print $2 }'
    done | awk '!seen[$0]++' > "$layer/order"
    while read -r module; do
        cp "$module" "$layer/initrd/mod/"
        basename "$module" >> "$layer/initrd/mod/order"
    done < "$layer/order"
    (cd "$layer/initrd" && find . | cpio --quiet -o -H newc) | gzip -1 > "$layer/initrd.img"
    mkdir -p "$layer/modules"
    mv "$modules" "$layer/modules/$release"
    remove_tree "$layer/tree"
    remove_tree "$layer/debs"
    printf '%s %s\n' "$release" "$version" > "$layer/version"
    touch "$layer/done"
    prune_layers "kernel" "${layer##*-}"
fi
printf '%s\n' "$layer"
