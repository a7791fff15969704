"""The kinds of guest that cases ask for. All sit on a tap network with an honest NTP server on HOST; further addresses
are there for cases which need more servers, or worse ones."""
from dataclasses import dataclass

from lab.network import HOST

MORE = tuple(f"10.0.2.{number}" for number in range(3, 10))
ADDRESSES = (HOST, *MORE)


@dataclass(frozen=True)
class Profile:
    variant: str
    unit: str
    lane: int  # cases of different lanes run at the same time
    accel: str = ""  # only there; empty: what was chosen for the run
    kernel: str = ""  # empty: the image's own; else a flavour of the newest backported one (lab.images.newer_kernel)
    newer_qemu: bool = False  # a QEMU with -device vmclock instead of the installed one
    devices: tuple = ()
    rtc: str = "host"  # the clock behind the RTC (QEMU's -rtc clock=)
    cmdline: str = ""
    rare: bool = False  # cases of the full run only: its image is made when it is needed
    libvirt: bool = False  # run by a libvirtd of the test's own instead of QEMU alone; on QEMU's user network
    ahead: bool = False  # its QEMU, its NTP server and clockmend-host live in a time that cases may move ahead (lab.host_clock)


# Two slots for PCI devices that come and go. igb has a PTP clock that freezes with the guest and can be set; the one of e1000e
# runs 2.5 times too fast. A clock_name of theirs is the address in hex; e1000e registers its clock before it knows its own.
SLOTS = ("pcie-root-port,id=slot0,chassis=10,slot=10", "pcie-root-port,id=slot1,chassis=11,slot=11")
IGB = {"driver": "igb", "ident": "igb", "bus": "slot0", "mac": "52:54:00:00:00:01", "romfile": ""}
E1000E = {"driver": "e1000e", "ident": "e1000e", "bus": "slot1", "mac": "52:54:00:00:00:02", "romfile": ""}
IGB_CLOCK = "525400000001"
E1000E_CLOCK = "000000000000"


# In the order in which their cases run. The lanes take about the same time.
PROFILES = {
    "ntpsec": Profile("ntpsec", "ntpsec.service", 1),
    "kvm": Profile("ntpsec", "ntpsec.service", 1, "kvm"),
    "libvirt": Profile("ntpsec", "ntpsec.service", 2, libvirt=True),
    "libvirt_ahead": Profile("ntpsec", "ntpsec.service", 1, libvirt=True, ahead=True),
    "chrony": Profile("chrony", "chrony.service", 2),
    "timesyncd": Profile("timesyncd", "systemd-timesyncd.service", 1),
    "openntpd": Profile("openntpd", "openntpd.service", 2, rare=True),
    "ntpd_rs": Profile("ntpd-rs", "ntpd-rs.service", 2, rare=True),
    "sysvinit": Profile("sysvinit", "ntpsec.service", 2, rare=True),  # the init; the unit is the init script of that name
    "ntp_classic": Profile("ntp-classic", "ntp.service", 2, rare=True),
    "vmclock": Profile("ntpsec", "ntpsec.service", 2, kernel="cloud", newer_qemu=True, devices=("vmclock", "vmgenid,guid=auto"),
                       cmdline="modules-load=ptp_vmclock"),
    "vmclock_rtc_rt": Profile("ntpsec", "ntpsec.service", 2, kernel="cloud", newer_qemu=True, devices=("vmclock", "vmgenid,guid=auto"),
                              rtc="rt", cmdline="modules-load=ptp_vmclock"),
    "ptp": Profile("ntpsec", "ntpsec.service", 2, kernel="generic", newer_qemu=True, devices=SLOTS, cmdline="modules-load=igb,e1000e"),
}
