#!/bin/bash
# Fetches Debian's newest kernel of the suite after this one's (trixie-backports on bookworm) and makes an initrd for it with
# the modules that cases need; the disk of build-image.sh boots with it unchanged.
# Usage: build-newer-kernel.sh cloud|generic
# Prints kernel=PATH initrd=PATH release=NAME, or unavailable=REASON (exit code 3).
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$image_dir/newer.sh"
export PATH=$PATH:/usr/sbin:/sbin

case ${1:-} in
    cloud) package=linux-image-cloud-amd64 ;;
    generic) package=linux-image-amd64 ;;
    *) die "usage: build-newer-kernel.sh cloud|generic" ;;
esac
flavour=$1 suite=trixie-backports
pointer=$cache_dir/newer-kernel-$flavour
# Loaded before the disk is there; the rest lies in /lib/modules for udev.
early=(virtio_pci virtio_blk virtio_console virtio_net virtio_rng ext4)
more=(ptp ptp_kvm ptp_vmclock virtio_rtc vmgenid igb e1000e rtc_cmos autofs4 nf_tables nft_ct nfnetlink af_packet)

# unpack_modules TREE RELEASE: their files, uncompressed: busybox's insmod cannot open them otherwise.
unpack_modules() {
    find "$1/usr/lib/modules/$2" -name '*.ko.xz' -print0 | xargs -0 -r -P 2 -n 64 xz -d
    find "$1/usr/lib/modules/$2" -name '*.ko.zst' -print0 | xargs -0 -r -n 64 zstd -q -d --rm
    ln -sfn usr/lib "$1/lib"
    depmod -b "$1" "$2"
}

# files_of TREE RELEASE MODULE...: the files to load for these, dependencies first, each once. A module that this kernel has
# built in, or has not at all, is no mistake.
files_of() {
    local tree=$1 release=$2 module
    shift 2
    for module in "$@"; do modprobe -d "$tree" -S "$release" --show-depends "$module" 2> /dev/null || true; done |
        awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

make_initrd() {
    local layer=$1 release=$2 root=$1/initrd tree=$1/tree file keep
    mkdir -p "$root/bin" "$root/mod" "$root/lib/modules/$release"
    install -m 0755 "$layer/busybox" "$root/bin/busybox"
    # The disk was made for another kernel: its modules for this one come along.
    sed '/umount \/proc/i /bin/busybox mkdir -p /root/usr/lib/modules\n/bin/busybox cp -a /lib/modules/. /root/usr/lib/modules/' \
        "$image_dir/initrd-init.sh" > "$root/init"
    chmod 0755 "$root/init"
    files_of "$tree" "$release" "${early[@]}" > "$layer/order"
    while read -r file; do
        cp "$file" "$root/mod/"
        basename "$file" >> "$root/mod/order"
    done < "$layer/order"
    files_of "$tree" "$release" "${early[@]}" "${more[@]}" | while read -r file; do
        keep=$root/lib/modules/$release/${file#*/lib/modules/"$release"/}
        install -D -m 0644 "$file" "$keep"
    done
    cp "$tree/usr/lib/modules/$release"/modules.{builtin,builtin.modinfo,order} "$root/lib/modules/$release/"
    depmod -b "$root" "$release"
    (cd "$root" && find . | cpio --quiet -o -H newc) | gzip -1 > "$layer/initrd.img"
}

build() {
    local release=$1 layer=$2
    say "newer kernel: $release"
    remove_tree "$layer"
    mkdir -p "$layer/debs"
    (cd "$layer/debs" && apt-get "${newer_apt[@]}" -qq download "linux-base-$release" "linux-binary-$release" "linux-modules-$release" >&2) ||
        unavailable "the mirror of this machine's apt does not give the packages of $release"
    download_debs "$layer/debs" "" busybox-static
    for deb in "$layer"/debs/*.deb; do dpkg-deb -x "$deb" "$layer/tree"; done
    mv "$(find "$layer/tree" -path '*bin/busybox' -type f)" "$layer/busybox"
    [ ! -d "$layer/tree/lib/modules" ] || [ -L "$layer/tree/lib" ] || { mkdir -p "$layer/tree/usr"; mv "$layer/tree/lib" "$layer/tree/usr/lib"; }
    unpack_modules "$layer/tree" "$release"
    cp "$(find "$layer/tree" -name "vmlinuz-$release" -o -path "*/$release/vmlinuz" | head -1)" "$layer/vmlinuz"
    make_initrd "$layer" "$release"
    remove_tree "$layer/tree"
    remove_tree "$layer/debs"
    remove_tree "$layer/initrd"
    printf '%s\n' "$release" > "$layer/release"
    touch "$layer/done"
}

mkdir -p "$cache_dir"
exec 9> "$cache_dir/newer-kernel-$flavour.lock"
flock 9
if ! layer=$(newer_ready "$pointer"); then
    if newer_sources kernel /dev/null "$suite"; then
        release=$(apt-cache "${newer_apt[@]}" depends "$package" | awk '/Depends: linux-image-[0-9]/ { sub("linux-image-", "", $2); print $2; exit }')
        [ -n "$release" ] || unavailable "$suite of this machine's mirror has no $package"
        version=$(apt-cache "${newer_apt[@]}" policy "linux-binary-$release" | awk '/Candidate:/ { print $2 }')
        [ -n "$version" ] && [ "$version" != "(none)" ] || unavailable "$suite of this machine's mirror has no linux-binary-$release"
        layer=$cache_dir/newer-$(content_key "$flavour" "$version" "@$image_dir/build-newer-kernel.sh" "@$image_dir/initrd-init.sh")
        [ -e "$layer/done" ] || build "$release" "$layer"
        basename "$layer" > "$pointer"
    else
        layer=$(newer_ready "$pointer" any) || unavailable "this machine's mirror does not answer for $suite"
    fi
fi
printf 'kernel=%s\ninitrd=%s\nrelease=%s\n' "$layer/vmlinuz" "$layer/initrd.img" "$(cat "$layer/release")"
