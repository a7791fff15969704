"""Only under real KVM: clocksource kvm-clock, where a pause freezes all of the guest's clocks but not its TSC, and the host's
clock as a PTP clock."""
from harness import inside, repair
from harness.check import Case

from . import disruptions


def kvm_clock(guest, log):
    source = guest.exec.check("cat /sys/devices/system/clocksource/clocksource0/current_clocksource").strip()
    log.expect(source == "kvm-clock", f"clocksource {source}")
    status = guest.agent.status()
    log.expect(status["clock"]["clocksource"] == source, f"status names it: {status['clock']['clocksource']}")
    disruptions.no_notice(guest, log)


def ptp_kvm(guest, log):
    """Taken as soon as its driver is there, and among the evidence of a pause."""
    guest.exec.check("modprobe ptp_kvm")
    clock = inside.ptp(guest, "KVM virtual PTP")
    log.require(clock is not None, "the driver ptp_kvm gives a PTP clock")
    off = clock["offset_ns"] + guest.observer.best().error
    log.expect(abs(off) < 1e6, f"it shows the host's time ({repair.ms(off)})")
    status = guest.agent.wait_now(lambda value: inside.probe(value, "ptp")["state"] == "running", 30)
    log.expect(inside.probe(status, "ptp")["state"] == "running", f"it is taken ({inside.told(inside.probe(status, 'ptp'))})")
    guest.wait_settled()
    was = repair.before(guest)
    resumed = repair.freeze(guest, log)
    repair.watch(guest, log, resumed)
    report = repair.record(guest, log, was, tell_since=resumed)
    used = {each["witness"] for each in report["discontinuity"]["evidence"] if each["used"]}
    log.expect("ptp" in used, f"the PTP clock is among the evidence: {sorted(used)}")
    repair.healed(guest, log, was, report)


CASES = [Case("kvm_clock", kvm_clock, "kvm"), Case("ptp_kvm", ptp_kvm, "kvm")]
