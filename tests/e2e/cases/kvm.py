"""Only under real KVM: clocksource kvm-clock, where a pause freezes all of the guest's clocks but not its TSC."""
from harness.check import Case

from . import disruptions


def kvm_clock(guest, log):
    source = guest.exec.check("cat /sys/devices/system/clocksource/clocksource0/current_clocksource").strip()
    log.expect(source == "kvm-clock", f"clocksource {source}")
    status = guest.agent.status()
    log.expect(status["clock"]["clocksource"] == source, f"status names it: {status['clock']['clocksource']}")
    disruptions.no_notice(guest, log)


CASES = [Case("kvm_clock", kvm_clock, "kvm")]
