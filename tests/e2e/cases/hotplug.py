"""Devices that appear while the agent already wants them."""
import time

from harness import inside, repair
from harness.check import Case
from harness.profiles import E1000E, E1000E_CLOCK

DROP_IN = "50-lab-hotplug"
OOPS = "dmesg | grep -E 'BUG:|Oops|Call Trace|general protection' | head -5"


def _row(guest, log, name, holds, text, timeout_s=60):
    status = guest.agent.wait_status(lambda value: (row := inside.probe(value, name)) is not None and holds(row), timeout_s)
    row = inside.probe(status, name)
    return log.expect(row is not None and holds(row), f"{text} ({inside.told(row)})")


def ptp_allowed_before_it_comes(guest, log):
    """The driver e1000e of Linux 7.3 registers its clock before it can be read: whoever reads it in that moment crashes the kernel.
    The agent waits."""
    guest.agent.drop_in(DROP_IN, f'[ptp]\nallow = ["{E1000E_CLOCK}"]\n')
    guest.agent.reload()
    was = repair.before(guest)
    try:
        for _ in range(2):
            guest.vm.device_plug(E1000E["driver"], E1000E["ident"], E1000E["bus"], mac=E1000E["mac"], romfile=E1000E["romfile"])
            _row(guest, log, "ptp", lambda row: "too fast" in row["why"], "the clock is read, and rejected for its rate")
            guest.vm.device_unplug(E1000E["ident"])
            _row(guest, log, "ptp", lambda row: "too fast" not in row["why"] or "removed" in row["why"], "unplugged")
            time.sleep(1)
        said = guest.exec.run(OOPS).output.strip()
        log.expect(not said, f"the kernel did not oops: {said or 'nothing in its log'}")
        log.expect(guest.agent.last_number() == was.number, "nothing was corrected")
        repair.same_agent(guest, log, was)
    finally:
        if guest.alive():
            guest.agent.drop_out(DROP_IN)
            guest.agent.reload()


def vmclock_comes_late(guest, log):
    """The driver is loaded when the agent runs already; its unit may not open what was not there when it started."""
    service = "modprobe@ptp_vmclock.service"
    guest.exec.check(f"systemctl stop clockmendd; modprobe -r ptp_vmclock; systemctl mask --runtime {service}; systemctl start clockmendd", 60)
    try:
        _row(guest, log, "vmclock", lambda row: row["state"] == "off", "without a driver the probe is off")
        was = repair.before(guest)
        guest.exec.check("modprobe ptp_vmclock")
        _row(guest, log, "vmclock", lambda row: row["state"] == "running", "with the driver it runs")
        log.expect(guest.agent.pid() != was.pid, "the agent was started again for it")
        repair.daemon_back(guest, log, was, restarted=False)
    finally:
        if guest.alive():
            guest.exec.run(f"systemctl unmask --runtime {service}")


CASES = [
    Case("vmclock_comes_late", vmclock_comes_late, "vmclock", deadline_s=240),
    Case("ptp_allowed_before_it_comes", ptp_allowed_before_it_comes, "ptp", deadline_s=300),
]
