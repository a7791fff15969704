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
    accel: str = ""  # only there; empty: what was chosen for the run


PROFILES = {
    "ntpsec": Profile("ntpsec", "ntpsec.service"),
    "chrony": Profile("chrony", "chrony.service"),
    "timesyncd": Profile("timesyncd", "systemd-timesyncd.service"),
    "kvm": Profile("ntpsec", "ntpsec.service", "kvm"),
}
