# What goes into the guest. A change here is a new content key: the layers that
# depend on it are rebuilt on the next run.

# Every variant: an init, devices, hwclock, addresses, the run-time libraries of
# the agent, and the tools the cases use inside the guest.
base_packages=(
    systemd systemd-sysv udev dbus kmod util-linux util-linux-extra iproute2 procps
    libspdlog1.10 libfmt9 libudev1 libsystemd0 libc-ares2 libstdc++6
    nftables strace netbase tzdata adduser
)

# The runbook's and the benchmarks' tools live where they do not conflict.
variant_packages() {
    case $1 in
        ntpsec) echo ntpsec ntpsec-ntpdate ;;
        sysvinit) echo ntpsec ;;
        chrony) echo chrony ;;
        timesyncd) echo systemd-timesyncd ;;
        openntpd) echo openntpd ;;
        none | ntpd-rs | ntp-classic) echo ;;
        *) return 1 ;;
    esac
}
