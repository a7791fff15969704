"""The shape most cases share: note how things are, disturb the guest, watch from outside, judge what came of it."""
import time
from dataclasses import dataclass

from lab import timeline

from .guest import RIGHT_NS

GAP_S = 2.5
TOLD = ("chrony.service",)  # by default these are not restarted but told of the step
AS_USUAL = object()


@dataclass(frozen=True)
class Before:
    daemons: dict
    number: int
    pid: int
    counters: dict


def before(guest):
    return Before(guest.agent.daemons(), guest.agent.last_number(), guest.agent.pid(), guest.agent.status()["counters"])


def ms(ns):
    return f"{ns / 1e6:+.3f} ms"


def freeze(guest, log, gap_s=GAP_S):
    """Returns the host's time of resume; the gap must show on the guest's clock unless the agent was quicker."""
    error = guest.observer.best().error
    resumed = guest.vm.freeze(gap_s)
    sample = guest.observer.sample()
    lost = error - sample.error
    log.say(f"frozen for {gap_s} s, clock now {ms(sample.error)}")
    log.expect(abs(lost - gap_s * 1e9) < 0.5e9, f"the gap is missing on the guest's clock ({ms(-lost)})")
    return resumed


def notify(guest, log, resumed, event="hot-upgrade", timeout_s=60):
    """The host's hook with an exchange; watched from outside meanwhile. Returns the report it brought."""
    notice = guest.agent.notify(event, timeout_s=timeout_s)
    watch(guest, log, resumed)
    said = notice.end()
    log.expect(said.code == 0, f"clockmend-host ended with 0 ({said.code}) {said.text}")
    return said.report


def watch(guest, log, since_ns, timeout_s=30, tolerance_ns=RIGHT_NS):
    """Until the clock is right, seen from outside."""
    took, sample = guest.observer.wait_right(tolerance_ns, since_ns, timeout_s)
    held = log.expect(took is not None, f"right within {tolerance_ns / 1e6:.0f} ms, seen from outside ({ms(sample.error)})")
    if held:
        log.say(f"right since {took / 1e6:.1f} ms after the event")
    return took


def record(guest, log, was, timeout_s=40, tell_since=None):
    """The history's new record."""
    report = guest.agent.wait_record(was.number, timeout_s)
    log.require(report is not None, "the history has a record of it")
    log.say(f"record {report['number']}: {report['outcome']}: {report['reason']}")
    if tell_since:
        log.say(timeline.text(report, tell_since))
    return report


def no_record(guest, log, was, wait_s=4.0):
    time.sleep(wait_s)
    log.expect(guest.agent.last_number() == was.number, "the history has no new record")


def same_agent(guest, log, was):
    log.expect(guest.agent.pid() == was.pid, "the agent is still the same process")


def daemon_back(guest, log, was, restarted=None, timeout_s=10):
    """Exactly what ran before runs now."""
    end = time.monotonic() + timeout_s
    while set(now := guest.agent.daemons()) != set(was.daemons) and time.monotonic() < end:
        time.sleep(0.3)
    log.expect(set(now) == set(was.daemons), f"time daemons running: {', '.join(now) or 'none'}; before: {', '.join(was.daemons) or 'none'}")
    if restarted is not None:
        log.expect((now != was.daemons) == restarted, "it was restarted" if restarted else "it was not touched")


def status_tells(guest, log, report, state="synchronized"):
    """status.json agrees with what happened."""
    status = guest.agent.wait_status(lambda value: value["state"] == state, 15)
    log.expect(status["state"] == state, f"status: state {status['state']} ({status['state_reason']}), expected {state}")
    last = status["last_correction"] or {}
    newest = guest.agent.last_number()  # a notice that came too late for the correction has a record of its own
    log.expect(last.get("number") == newest >= report["number"], f"status: last correction is number {last.get('number')}, history: {newest}")
    log.expect(status["clock"]["valid"] == (state == "synchronized"), f"status: clock.valid is {status['clock']['valid']}")
    for daemon in status["daemons"]:
        unit = daemon["unit"]  # or one that only the administrator's list names
        active = unit in guest.agent.daemons() or guest.exec.run(f"systemctl is-active {unit}").code == 0
        log.expect(daemon["running"] == active, f"status: {daemon['unit']} running {daemon['running']}, in truth {active}")
    return status


def rtc_right(guest, log):
    """The RTC device seen by QEMU: whole seconds, so up to one off by itself."""
    off = guest.vm.rtc_read() - guest.clock.now_ns() / 1e9
    log.expect(-2.0 < off < 1.0, f"the RTC is right to its second ({off:+.2f} s)")


def healed(guest, log, was, report, restarted=AS_USUAL, state="synchronized", rtc=True):
    """Everything that must hold after a correction with NTP at hand."""
    if restarted is AS_USUAL:
        restarted = guest.profile.unit not in TOLD
    sample = guest.observer.best()
    log.expect(abs(sample.error) <= RIGHT_NS, f"the clock is right afterwards: {ms(sample.error)} +- {ms(sample.uncertainty)}")
    log.expect(report["outcome"] == "corrected", f"outcome {report['outcome']}")
    if state == "synchronized":
        log.expect(report["verified"], "verified by NTP")
    if rtc:
        log.expect(report["rtc"].startswith(("written", "already right")), f"RTC: {report['rtc']}")
        rtc_right(guest, log)
    daemon_back(guest, log, was, restarted)
    status_tells(guest, log, report, state)
    same_agent(guest, log, was)


def reverify(guest, log, timeout_s=45):
    """After a case without NTP: the operator asks for a check once it is back. Servers asked too often meanwhile make it
    wait for them."""
    end = time.monotonic() + timeout_s
    while True:
        answer = guest.agent.cli("resync")
        status = guest.agent.wait_status(lambda value: value["state"] == "synchronized", 6)
        if status["state"] == "synchronized" or time.monotonic() > end:
            break
    log.expect(answer.code == 0, f"clockmend resync: exit {answer.code}: {answer.output.strip()[:300]}")
    log.expect(status["state"] == "synchronized", f"state is synchronized again ({status['state']}: {status['state_reason']})")
