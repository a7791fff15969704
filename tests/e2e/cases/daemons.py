"""The time daemon: left as it was found, whatever happens to it or to the agent meanwhile."""
import time

from harness import repair
from harness.check import Case

KILL = "kill -KILL $(systemctl show -p MainPID --value clockmendd)"


def stop_first(guest, log):
    guest.agent.drop_in("50-case", '[policy]\nsequence = "stop-first"\n')
    guest.agent.reload()
    try:
        status = guest.agent.wait_status(lambda value: value["sequence"] == "stop-first", 10)
        log.expect(status["sequence"] == "stop-first", f"status: sequence {status['sequence']}")
        was = repair.before(guest)
        resumed = repair.freeze(guest, log)
        repair.notify(guest, log, resumed)
        report = repair.record(guest, log, was, tell_since=resumed)
        stopped = [action["ended_ns"] for action in report["actions"] if action["kind"] == "stop-daemon"]
        steps = [action["begun_ns"] for action in report["actions"] if action["kind"] in ("step", "trim")]
        log.expect(bool(stopped) and bool(steps) and stopped[0] <= min(steps), "the clock was touched only after the daemon had stopped")
        repair.healed(guest, log, was, report)
    finally:
        guest.agent.drop_out("50-case")
        guest.agent.reload()
    guest.agent.wait_status(lambda value: value["sequence"] == "restore-first", 10)


def stopped_by_the_admin(guest, log):
    """No daemon ran before, so none runs after."""
    guest.exec.check(f"systemctl stop {guest.profile.unit}")
    try:
        was = repair.before(guest)
        log.expect(not was.daemons, f"no time daemon is active: {was.daemons}")
        resumed = repair.freeze(guest, log)
        repair.notify(guest, log, resumed)
        report = repair.record(guest, log, was, tell_since=resumed)
        repair.healed(guest, log, was, report, restarted=False)
        log.say(f"daemon: {report['daemon']}")
    finally:
        guest.exec.check(f"systemctl start {guest.profile.unit}")


def admin_sets_the_clock(guest, log):
    """Without a time daemon a wrong clock is told and left; as soon as one runs again, it is corrected."""
    unit = guest.profile.unit
    guest.exec.check(f"systemctl stop {unit}")
    was = repair.before(guest)
    guest.exec.check('date -s "+1 hour"')
    report = repair.record(guest, log, was)
    log.expect(report["outcome"] == "observed" and report["total_step_ns"] == 0, f"left as it was set: {report['outcome']}: {report['reason']}")
    log.expect(abs(guest.observer.best().error - 3600e9) < 1e9, f"the clock is what the admin made it: {repair.ms(guest.observer.best().error)}")
    back = repair.before(guest)
    guest.step_clock(-3600_000_000_000)
    repair.record(guest, log, back)
    guest.exec.check(f"systemctl start {unit}")
    was = repair.before(guest)
    began = time.clock_gettime_ns(time.CLOCK_REALTIME)
    guest.exec.check('date -s "2 May 2021 01:01:01"')
    report = repair.record(guest, log, was)
    repair.watch(guest, log, began)
    repair.healed(guest, log, was, report)


def will_not_stop(guest, log):
    """ExecStop outlasts the agent's deadline."""
    was = repair.before(guest)
    guest.daemon_drop_in("[Service]\nExecStop=/bin/sleep 16\nTimeoutStopSec=40\n")
    try:
        resumed = repair.freeze(guest, log)
        repair.watch(guest, log, resumed)
        report = repair.record(guest, log, was, 60, tell_since=resumed)
        log.expect(abs(guest.observer.best().error) <= repair.RIGHT_NS, "the clock is right although the daemon would not stop")
        stop = next((action for action in report["actions"] if action["kind"] == "stop-daemon"), None)
        log.expect(stop is not None and not stop["ok"], f"the report says that it would not stop: {stop and stop['detail']}")
        repair.daemon_back(guest, log, was, timeout_s=60)
        repair.same_agent(guest, log, was)
    finally:
        guest.daemon_restore()
    # The job that was under way may still take the daemon down; in the end it must run.
    time.sleep(3)
    repair.daemon_back(guest, log, was, timeout_s=40)
    repair.reverify(guest, log)


def will_not_start(guest, log):
    was = repair.before(guest)
    guest.daemon_drop_in("[Service]\nExecStartPre=/bin/false\n")
    try:
        resumed = repair.freeze(guest, log)
        repair.watch(guest, log, resumed)
        report = repair.record(guest, log, was, 60, tell_since=resumed)
        log.expect(abs(guest.observer.best().error) <= repair.RIGHT_NS, "the clock is right although the daemon would not start")
        start = next((action for action in report["actions"] if action["kind"] == "start-daemon"), None)
        log.expect(start is not None and not start["ok"], f"the report says that it did not start: {start and start['detail']}")
        log.expect("fail" in report["daemon"] or "not" in report["daemon"], f"report: daemon {report['daemon']}")
        status = guest.agent.wait_status(lambda value: value["state"] == "degraded", 15)
        log.expect(status["state"] == "degraded", f"state {status['state']}: {status['state_reason']}")
        told = [daemon for daemon in status["daemons"] if daemon["unit"] == guest.profile.unit]
        log.expect(bool(told) and not told[0]["running"], f"status tells that {guest.profile.unit} does not run: {told}")
        repair.same_agent(guest, log, was)
    finally:
        guest.daemon_restore()
    repair.daemon_back(guest, log, was)
    repair.reverify(guest, log)


def _survived(guest, log, was, resumed):
    """The agent was killed in the middle: everything must be in order without anybody's help."""
    repair.watch(guest, log, resumed, 60)
    end = time.monotonic() + 30
    while guest.agent.pid() in (0, was.pid) and time.monotonic() < end:
        time.sleep(0.5)
    log.expect(guest.agent.pid() not in (0, was.pid), "a fresh agent runs")
    repair.daemon_back(guest, log, was, timeout_s=30)
    log.say(guest.exec.run("journalctl -u clockmendd --no-pager -o cat -n 40 | grep -i -E 'recover|journal|killed' | head").output.strip())
    guest.wait_settled(60)
    repair.daemon_back(guest, log, was)


def killed_while_stopping(guest, log):
    """The daemon's own ExecStopPost kills the agent: the stop was asked for and its end not yet seen."""
    was = repair.before(guest)
    guest.daemon_drop_in(f"[Service]\nExecStopPost=/bin/sh -c '{KILL.replace('$', '$$')}'\n")
    try:
        resumed = repair.freeze(guest, log)
        end = time.monotonic() + 30
        while guest.agent.pid() == was.pid and time.monotonic() < end:
            time.sleep(0.1)
        log.expect(guest.agent.pid() != was.pid, "the agent was killed")
        guest.exec.check(f"rm -rf /run/systemd/system/{guest.profile.unit}.d; systemctl daemon-reload")
        _survived(guest, log, was, resumed)
    finally:
        guest.exec.run(f"rm -rf /run/systemd/system/{guest.profile.unit}.d; systemctl daemon-reload")


def killed_after_the_stop(guest, log):
    """Killed as soon as its journal says that the daemon is stopped."""
    was = repair.before(guest)
    guest.exec.check("rm -f /run/clockmend/journal.seen; (n=0; while [ $n -lt 6000 ]; do "
                     "if grep -q '\"stopped\"' /run/clockmend/journal 2> /dev/null; then " + KILL +
                     "; cp /run/clockmend/journal /run/journal.seen; break; fi; n=$((n + 1)); done) > /dev/null 2>&1 &")
    resumed = repair.freeze(guest, log)
    _survived(guest, log, was, resumed)
    log.say(guest.exec.run("cat /run/journal.seen").output)
    log.expect(guest.exec.run("test -s /run/journal.seen").code == 0, "it was killed in that very moment")


def killed_when_idle(guest, log):
    was = repair.before(guest)
    guest.exec.check(KILL)
    end = time.monotonic() + 20
    while guest.agent.pid() in (0, was.pid) and time.monotonic() < end:
        time.sleep(0.5)
    log.expect(guest.agent.pid() not in (0, was.pid), "a fresh agent runs")
    repair.daemon_back(guest, log, was, restarted=False)


CASES = [
    Case("stop_first", stop_first),
    Case("stopped_by_the_admin", stopped_by_the_admin),
    Case("admin_sets_the_clock", admin_sets_the_clock),
    Case("daemon_will_not_stop", will_not_stop, deadline_s=300, fault="the time daemon hangs in its stop"),
    Case("daemon_will_not_start", will_not_start, fault="the time daemon fails in its start"),
    Case("killed_while_stopping", killed_while_stopping, fault="agent killed while the time daemon is being stopped"),
    Case("killed_after_the_stop", killed_after_the_stop, fault="agent killed when its journal says that the time daemon is stopped"),
    Case("killed_when_idle", killed_when_idle, fault="agent killed when nothing happens"),
]
