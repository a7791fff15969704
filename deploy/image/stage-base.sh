#!/bin/bash
# Base layer: a minimal Debian tree with the kernel's modules, without a time
# daemon. Argument: the kernel layer. Prints the layer's folder.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$image_dir/packages.sh"

kernel=$1
layer=$cache_dir/base-$(content_key "@$kernel/version" "${base_packages[*]}" "$(apt_sources)" "@$image_dir/stage-base.sh")

# Units that only cost time or wake-ups in a test guest.
masked=(
    getty.target console-getty.service serial-getty@ttyS0.service
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer
    e2scrub_reap.service systemd-networkd.service systemd-networkd.socket systemd-resolved.service
    systemd-networkd-wait-online.service systemd-update-utmp.service systemd-pstore.service
    systemd-tmpfiles-clean.timer ldconfig.service nftables.service
    systemd-logind.service dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount
    kmod-static-nodes.service modprobe@.service systemd-random-seed.service
)

if [ ! -e "$layer/done" ]; then
    say "base layer: mmdebstrap (about 100 s the first time)"
    remove_tree "$layer"
    mkdir -p "$layer"
    codename=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
    apt_sources > "$layer/sources.list"
    [ -s "$layer/sources.list" ] || die "this machine's apt has no Debian $codename main source"
    apt_settings > "$layer/apt.conf"
    packages=$(IFS=,; printf '%s' "${base_packages[*]}")
    # mmdebstrap reads apt options from a file when it is given a path.
    mmdebstrap --quiet --mode=root --variant=minbase --include="$packages" \
        --aptopt="$layer/apt.conf" --aptopt='APT::Install-Recommends "false"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-include=/usr/share/locale/locale.alias' \
        "$codename" "$layer/tree" "$layer/sources.list" >&2
    mkdir -p "$layer/tree/lib/modules"
    cp -a "$kernel"/modules/* "$layer/tree/lib/modules/"
    for unit in "${masked[@]}"; do ln -sf /dev/null "$layer/tree/etc/systemd/system/$unit"; done
    : > "$layer/tree/etc/machine-id"
    echo guest > "$layer/tree/etc/hostname"
    echo '127.0.0.1 localhost guest' > "$layer/tree/etc/hosts"
    # The initrd mounted the root as it shall be; an entry here would only make systemd wait for udev.
    : > "$layer/tree/etc/fstab"
    printf '0.0 0 0\n0\nUTC\n' > "$layer/tree/etc/adjtime"
    rm -f "$layer/tree/etc/resolv.conf"
    touch "$layer/done"
    prune_layers "base" "${layer##*-}"
fi
printf '%s\n' "$layer"
