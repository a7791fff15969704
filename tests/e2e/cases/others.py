"""The main job beside the other time daemons."""
from harness.check import Case

from . import disruptions

VARIANTS = ("chrony", "timesyncd")
KINDS = (("notice_with_exchange", disruptions.notice_with_exchange), ("no_notice", disruptions.no_notice),
         ("gap_200_ms", disruptions.gap_200_ms))

CASES = [Case(f"{variant}_{name}", run, variant) for variant in VARIANTS for name, run in KINDS]
