"""The examples of deploy/host for hosts without libvirt: the pair around a hot upgrade and a migration, and one line of shell."""
import os
import shutil
import subprocess
import time
from pathlib import Path

from harness import repair
from harness.check import Case, Skip
from lab import proc

EXAMPLES = Path(__file__).resolve().parents[3] / "deploy/host"
GAP_S = 2.0
HELD_S = 1.6


def _run(guest, log, name, *words):
    began = time.monotonic()
    done = subprocess.run(proc.bound([EXAMPLES / name, *words]), env={**os.environ, "CLOCKMEND_HOST": str(guest.packages.host)},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=90, check=False)
    log.say(f"{name} ended with {done.returncode} after {time.monotonic() - began:.2f} s: {(done.stdout + done.stderr).strip()[:400]}")
    return done


def hot_upgrade(guest, log):
    """The pair around QMP: migrate to a file, quit, a fresh QEMU, cont."""
    was = repair.before(guest)
    before = _run(guest, log, "before-freeze.sh", guest.vm.agent_socket)
    log.expect(before.returncode == 0 and "fresh baselines" in before.stdout, "before: the guest took its baselines")
    log.expect(guest.agent.last_number() == was.number, "the announcement corrected nothing")
    resumed = guest.vm.migrate_through_file(GAP_S)
    after = _run(guest, log, "after-freeze.sh", guest.vm.agent_socket)
    log.expect(after.returncode == 0, "after: the guest is right")
    repair.watch(guest, log, resumed)
    report = repair.record(guest, log, was, tell_since=resumed)
    log.expect(report["total_step_ns"] > (GAP_S - 0.3) * 1e9, f"the gap was corrected: {report['total_step_ns'] / 1e9:.3f} s")
    repair.healed(guest, log, was, report)
    nobody = _run(guest, log, "before-freeze.sh", "/nonexistent/clockmend.sock")
    log.expect(nobody.returncode == 0 and "going on" in nobody.stderr, "a guest that cannot be told does not stop the upgrade")


def migration(guest, log):
    """The same pair on the source and on the destination."""
    was = repair.before(guest)
    before = _run(guest, log, "before-freeze.sh", guest.vm.agent_socket)
    log.expect(before.returncode == 0, "source: told")
    stopped, resumed = guest.vm.migrate_live(HELD_S)
    after = _run(guest, log, "after-freeze.sh", guest.vm.agent_socket, "migrated")
    log.expect(after.returncode == 0, "destination: the guest is right")
    repair.watch(guest, log, resumed)
    report = repair.record(guest, log, was, tell_since=resumed)
    gap = resumed - stopped
    log.expect(abs(report["total_step_ns"] - gap) < 0.4e9, f"the steps are the gap: {repair.ms(report['total_step_ns'])} of {repair.ms(gap)}")
    repair.healed(guest, log, was, report, restarted=None)


def one_line(guest, log):
    """printf | socat: the agent's answer comes back, and the clock is right without an exchange."""
    if not shutil.which("socat"):
        raise Skip("socat is not installed")
    was = repair.before(guest)
    resumed = repair.freeze(guest, log)
    told = _run(guest, log, "one-line-hook.sh", guest.vm.agent_socket)
    log.expect(told.returncode == 0 and '"disposition"' in told.stdout, "the agent took the notice")
    repair.watch(guest, log, resumed)
    repair.healed(guest, log, was, repair.record(guest, log, was, tell_since=resumed))


CASES = [
    Case("hooks_hot_upgrade", hot_upgrade),
    Case("hooks_one_line", one_line),
    Case("hooks_migration", migration, long=True),
]
