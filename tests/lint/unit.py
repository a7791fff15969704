#!/usr/bin/env python3
"""The units' sandboxes: systemd's own exposure score stays at 2.4 or below, and what must never be set is not."""

import re
import shutil
import subprocess
import sys

import source

UNIT = source.ROOT / "packaging" / "systemd" / "clockmendd.service"
HOST_UNIT = source.ROOT / "packaging" / "systemd" / "clockmend-host-watch.service"
LIMIT = 24  # tenths
SKIPPED = "SKIPPED: "


def exposure_problems(unit):
    done = subprocess.run(["setpriv", "--pdeathsig", "KILL", "systemd-analyze", "security", "--offline=yes", "--no-pager", f"--threshold={LIMIT}", str(unit)],
                          capture_output=True, text=True, check=False, timeout=60)
    print(done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr.strip())
    if done.returncode != 0:
        yield f"{unit.name}: the exposure is above {LIMIT / 10}"


def setting_problems():
    text = "\n".join(line for line in UNIT.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    for pattern, why in ((r"^WatchdogSec=", "kills the agent on resume, where CLOCK_MONOTONIC jumps"),
                         (r"^ProtectClock=yes", "takes the right to set the clock"),
                         (r"^PrivateUsers=yes", "makes CAP_SYS_TIME worthless")):
        if re.search(pattern, text, re.M):
            yield f"{UNIT.name}: {pattern.strip('^')} {why}"
    for needed in ("ConditionVirtualization=vm", "ExecStopPost=/usr/sbin/clockmendd --recover", "RuntimeDirectoryPreserve=yes"):
        if needed not in text:
            yield f"{UNIT.name}: {needed} is missing"


def main():
    if not shutil.which("systemd-analyze"):
        print(SKIPPED + "no systemd-analyze here")
        return 0
    return source.finish(list(setting_problems()) + list(exposure_problems(UNIT)) + list(exposure_problems(HOST_UNIT)), "the unit")


if __name__ == "__main__":
    sys.exit(main())
