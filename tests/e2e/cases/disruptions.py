"""What happens to VMs: freezes of every length, hot upgrade, restore, and somebody setting the clock."""
import time

from harness import repair
from harness.check import Case
from lab import timeline


def notice_with_exchange(guest, log):
    was = repair.before(guest)
    resumed = repair.freeze(guest, log)
    brought = repair.notify(guest, log, resumed)
    log.require(bool(brought), "clockmend-host printed the report")
    report = repair.record(guest, log, was, tell_since=resumed)
    cause = report["discontinuity"]["cause"]
    log.expect(brought["number"] >= report["number"], f"the report brought to the host is number {brought['number']}")
    witnesses = {each["witness"] for each in report["discontinuity"]["evidence"]}
    # An RTC edge right after resume may be quicker than the host; the notice then joins, or finds all done.
    log.expect("host" in witnesses or cause == "pause", f"cause {cause}, evidence {sorted(witnesses)}")
    repair.healed(guest, log, was, report)


def no_notice(guest, log):
    was = repair.before(guest)
    resumed = repair.freeze(guest, log)
    repair.watch(guest, log, resumed)
    report = repair.record(guest, log, was, tell_since=resumed)
    # The idle look at NTP may happen to come first.
    log.expect(report["discontinuity"]["cause"] in ("pause", "ntp-offset"), f"cause is {report['discontinuity']['cause']}")
    repair.healed(guest, log, was, report)


def again_while_correcting(guest, log):
    """The second freeze comes while the first is being corrected."""
    was = repair.before(guest)
    guest.vm.freeze(3)
    time.sleep(1.2)
    resumed = guest.vm.freeze(3)
    repair.watch(guest, log, resumed)
    report = repair.record(guest, log, was)
    guest.wait_settled(60)
    total = sum(each["total_step_ns"] for each in guest.agent.history() if each["number"] > was.number)
    # The restarted time daemon may take the second gap back in its first burst; then the agent must let it.
    log.expect(any(abs(total - gaps * 3e9) < 0.5e9 for gaps in (1, 2)), f"the agent's steps: {total / 1e9:.3f} s of 6 s")
    report = guest.agent.history()[-1]
    repair.status_tells(guest, log, report)
    repair.daemon_back(guest, log, was)


def _gap(gap_s):
    def case(guest, log):
        was = repair.before(guest)
        resumed = repair.freeze(guest, log, gap_s)
        return was, resumed
    return case


def gap_200_ms(guest, log):
    was, resumed = _gap(0.2)(guest, log)
    repair.watch(guest, log, resumed)
    repair.healed(guest, log, was, repair.record(guest, log, was, tell_since=resumed))


def gap_75_ms(guest, log):
    """Recorded, and left to the time daemon. How soon is told, not judged: gaps over 50 ms shall be recorded within 3 s."""
    was, resumed = _gap(0.075)(guest, log)
    report = repair.record(guest, log, was)
    seen = time.clock_gettime_ns(time.CLOCK_REALTIME)
    behind = guest.observer.best().error  # the record has the guest's time, which is as wrong as the gap was long
    detected = timeline.detected_ns(report) - behind - resumed
    log.say(f"after resume: detected {detected / 1e6:.0f} ms, record made {(report['ended_realtime_ns'] - behind - resumed) / 1e6:.0f} ms, "
            f"read from the history {(seen - resumed) / 1e6:.0f} ms")
    log.expect(report["outcome"] == "no-action" and report["total_step_ns"] == 0, f"no step was made: {report['outcome']}")
    repair.daemon_back(guest, log, was, restarted=False)
    repair.same_agent(guest, log, was)
    guest.set_right()


def gap_30_ms(guest, log):
    """Below what is told from noise: nothing."""
    was, _ = _gap(0.03)(guest, log)
    repair.no_record(guest, log, was)
    repair.daemon_back(guest, log, was, restarted=False)
    guest.set_right()


def _date(text):
    def case(guest, log):
        was = repair.before(guest)
        began = time.clock_gettime_ns(time.CLOCK_REALTIME)
        guest.exec.check(f'date -s "{text}"')
        repair.watch(guest, log, began)
        report = repair.record(guest, log, was)
        repair.watch(guest, log, began)
        wrong = report["discontinuity"]["foreign_step_ns"] or 0
        log.expect(abs(wrong) > 365 * 86400e9, f"the record tells by how much the clock was set wrong: {wrong / 86400e9:+.1f} days")
        log.expect(abs(report["total_step_ns"] + wrong) < 1e9, "and the agent's steps took it back")
        log.expect(report["discontinuity"]["cause"] == "foreign-step", f"cause is {report['discontinuity']['cause']}")
        repair.healed(guest, log, was, report)
    return case


def _upgrade(noticed):
    def case(guest, log):
        was = repair.before(guest)
        resumed = guest.vm.migrate_through_file(repair.GAP_S)
        log.say(f"running in a fresh QEMU, clock now {repair.ms(guest.observer.sample().error)}")
        if noticed:
            repair.notify(guest, log, resumed)
        else:
            repair.watch(guest, log, resumed)
        repair.healed(guest, log, was, repair.record(guest, log, was, tell_since=resumed))
    return case


def snapshot_restored(guest, log):
    was = repair.before(guest)
    guest.vm.savevm("case")
    time.sleep(2)
    resumed = guest.vm.restart_from("case")
    log.say(f"restored in a fresh QEMU, clock now {repair.ms(guest.observer.sample().error)}")
    repair.watch(guest, log, resumed)
    report = repair.record(guest, log, was, tell_since=resumed)
    repair.healed(guest, log, was, report)


CASES = [
    Case("notice_with_exchange", notice_with_exchange),
    Case("no_notice", no_notice),
    Case("again_while_correcting", again_while_correcting),
    Case("gap_200_ms", gap_200_ms),
    Case("gap_75_ms", gap_75_ms),
    Case("gap_30_ms", gap_30_ms),
    Case("date_years_back", _date("2 May 2021 01:01:01")),
    Case("date_years_ahead", _date("2 May 2033 01:01:01")),
    Case("hot_upgrade_with_notice", _upgrade(True)),
    Case("hot_upgrade_without_notice", _upgrade(False)),
    Case("snapshot_restored", snapshot_restored),
]
