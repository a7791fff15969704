"""One witness missing, or only one left."""
import time

from harness import repair
from harness.check import Case


def _dumb_notice(guest):
    """What a hook of one line sends: an event and a stamp, no exchange."""
    line = guest.agent.line()
    try:
        return line.ask("clock-notify", 60, event="resumed", id=f"dumb-{time.time_ns()}", wait=True, sent_realtime_ns=time.time_ns())
    finally:
        line.close()


def ntp_only(guest, log):
    """The RTC removed and a notice without an exchange: only NTP can tell how much."""
    guest.vm.rtc_remove()
    guest.exec.check("systemctl restart clockmendd")
    guest.wait_settled()
    status = guest.agent.now()
    log.expect(status["rtc_mode"] == "none", f"status: rtc_mode {status['rtc_mode']}")
    was = repair.before(guest)
    resumed = repair.freeze(guest, log)
    answer = _dumb_notice(guest)
    log.expect("return" in answer, f"the notice was accepted: {str(answer)[:200]}")
    repair.watch(guest, log, resumed)
    report = repair.record(guest, log, was, tell_since=resumed)
    witnesses = {each["witness"] for each in report["discontinuity"]["evidence"]}
    log.expect(witnesses == {"ntp"}, f"NTP alone is the evidence: {sorted(witnesses)}")
    repair.healed(guest, log, was, report, rtc=False)
    log.say(f"RTC: {report['rtc']}")


def rtc_only(guest, log):
    """NTP firewalled off inside the guest, nobody notifies."""
    was = repair.before(guest)
    guest.block_ntp()
    try:
        resumed = repair.freeze(guest, log)
        # The RTC's edge is the only witness, good to a few milliseconds.
        repair.watch(guest, log, resumed, tolerance_ns=15_000_000)
        report = repair.record(guest, log, was, tell_since=resumed)
        witnesses = {each["witness"] for each in report["discontinuity"]["evidence"] if each["used"]}
        log.expect(witnesses == {"rtc"}, f"the RTC alone was used: {sorted(witnesses)}")
        log.expect(report["outcome"] == "corrected" and not report["verified"], f"{report['outcome']}, verified {report['verified']}")
        repair.daemon_back(guest, log, was, restarted=True)
        repair.status_tells(guest, log, report, "degraded")
        repair.same_agent(guest, log, was)
    finally:
        guest.unblock_ntp()
    repair.reverify(guest, log)
    guest.set_right()


def no_ntp_with_notice(guest, log):
    """No server answers; the host's exchange and the RTC agree."""
    was = repair.before(guest)
    guest.only_host_serves()
    guest.silence(next(iter(guest.servers)))
    try:
        resumed = repair.freeze(guest, log)
        brought = repair.notify(guest, log, resumed)
        report = repair.record(guest, log, was, tell_since=resumed)
        log.expect(bool(brought) and brought["number"] >= report["number"], "the host got the report")
        log.expect(report["outcome"] == "corrected" and not report["verified"], f"{report['outcome']}, verified {report['verified']}")
        repair.daemon_back(guest, log, was)
        # A host that speaks only after the RTC was quicker confirms the result, which NTP could not.
        newest = guest.agent.history()[-1]
        confirmed = newest["number"] > report["number"] and any(
            each["witness"] == "host" and each["used"] for each in newest["discontinuity"]["evidence"])
        status = repair.status_tells(guest, log, report, "synchronized" if confirmed else "degraded")
        log.expect(confirmed or "NTP" in status["state_reason"], f"the reason: {status['state_reason']}")
    finally:
        guest.only_host_serves()
    repair.reverify(guest, log)


CASES = [
    Case("rtc_only", rtc_only),
    Case("no_ntp_with_notice", no_ntp_with_notice),
    Case("ntp_only", ntp_only, spoils=True),
]
