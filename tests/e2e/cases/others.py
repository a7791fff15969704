"""The main job beside the other time daemons."""
from harness.check import Case

from . import daemons, disruptions

VARIANTS = ("chrony", "timesyncd")
KINDS = (("notice_with_exchange", disruptions.notice_with_exchange), ("no_notice", disruptions.no_notice),
         ("gap_200_ms", disruptions.gap_200_ms))

CASES = [Case(f"{variant}_{name}", run, variant) for variant in VARIANTS for name, run in KINDS]
CASES += [Case(f"sysvinit_{name}", run, "sysvinit", long=True) for name, run in KINDS[:2]]
CASES += [Case("sysvinit_killed_after_the_stop", daemons.killed_after_the_stop, "sysvinit", long=True,
               fault="agent killed when the time daemon is stopped, under sysvinit")]
CASES += [Case(f"ntp_classic_{name}", run, "ntp_classic", long=True) for name, run in KINDS]
