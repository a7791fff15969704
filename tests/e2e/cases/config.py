"""Configuration by reload, the modes, and the command line."""
import json

from harness import repair
from harness.check import Case


def _mode(guest, log, mode):
    guest.agent.drop_in("50-case", f'[policy]\nmode = "{mode}"\n')
    guest.agent.reload()
    status = guest.agent.wait_status(lambda value: value["mode"] == mode, 10)
    log.require(status["mode"] == mode, f"status: mode {status['mode']} after the reload")


def _correct(guest, log):
    guest.agent.drop_out("50-case")
    guest.agent.reload()
    status = guest.agent.wait_status(lambda value: value["mode"] == "correct", 10)
    log.expect(status["mode"] == "correct", f"status: mode {status['mode']} after the reload")


def bad_reload(guest, log):
    was = repair.before(guest)
    guest.agent.drop_in("60-bad", '[policy]\nmode = "observe"\nstep_treshold = "1 s"\n')
    guest.agent.reload()
    try:
        status = guest.agent.wait_status(lambda value: value["config_error"], 10)
        error = status["config_error"]
        log.expect("60-bad.toml" in error and "step_treshold" in error and ":3" in error, f"file, line and key are named: {error}")
        log.expect(status["mode"] == "correct", f"the settings in force stay: mode {status['mode']}")
        told = guest.agent.cli("status")
        log.expect("60-bad.toml" in told.output, "clockmend status tells it too")
        repair.same_agent(guest, log, was)
        resumed = repair.freeze(guest, log)
        repair.notify(guest, log, resumed)
        repair.healed(guest, log, was, repair.record(guest, log, was))
    finally:
        guest.agent.drop_out("60-bad")
        guest.agent.reload()
    status = guest.agent.wait_status(lambda value: not value["config_error"], 10)
    log.expect(not status["config_error"], f"mended: config_error is {status['config_error']!r}")


def bad_at_start(guest, log):
    """There are no old settings to keep: the agent ends with 78 and says why, and nothing else is touched."""
    for text, line, word in (('[policy]\nmode = "observe"\nstep_treshold = "1 s"\n', 3, "step_treshold"), ("[policy\n", 1, "table header")):
        was = repair.before(guest)
        clock = guest.observer.best().error
        guest.agent.drop_in("60-bad", text)
        try:
            started = guest.exec.run("systemctl restart clockmendd")
            log.expect(started.code != 0, "systemctl tells that the start failed")
            unit = guest.exec.check("systemctl show -p ActiveState,ExecMainStatus clockmendd").split()
            log.expect(set(unit) == {"ActiveState=failed", "ExecMainStatus=78"}, f"the unit: {' '.join(unit)}")
            said = guest.agent.journal(20)
            told = [each for each in said.splitlines() if f"60-bad.toml:{line}" in each]
            log.expect(bool(told) and word in told[-1], f"the journal names file, line and key: {told[-1:] or said[-600:]}")
            repair.daemon_back(guest, log, was, restarted=False)
            log.expect(abs(guest.observer.best().error - clock) < repair.RIGHT_NS, "the clock did not move")
            check = guest.agent.cli("status --check")
            log.expect(check.code != 0, f"clockmend status --check fails: {check.code} {check.output.strip()[:200]}")
        finally:
            guest.agent.drop_out("60-bad")
            guest.exec.check("systemctl reset-failed clockmendd; systemctl start clockmendd")
        guest.wait_settled()
        repair.daemon_back(guest, log, was, restarted=False)


def mode_observe(guest, log):
    """Measured and told, nothing touched; the dry run says what would be done; then corrected on request."""
    _mode(guest, log, "observe")
    try:
        was = repair.before(guest)
        repair.freeze(guest, log)
        report = repair.record(guest, log, was)
        log.expect(report["outcome"] == "observed" and report["total_step_ns"] == 0, f"{report['outcome']}: {report['reason']}")
        sample = guest.observer.best()
        log.expect(abs(sample.error + repair.GAP_S * 1e9) < 0.5e9, f"the clock is as wrong as before: {repair.ms(sample.error)}")
        repair.daemon_back(guest, log, was, restarted=False)
        status = guest.agent.status()
        log.expect(not status["clock"]["valid"], f"clock.valid is {status['clock']['valid']}, state {status['state']}")
    finally:
        _correct(guest, log)
    was = repair.before(guest)
    dry = guest.agent.cli("resync --dry-run")
    log.say(f"resync --dry-run: exit {dry.code}: {dry.output.strip()[:400]}")
    log.expect(abs(guest.observer.best().error + repair.GAP_S * 1e9) < 0.5e9, "the dry run changed nothing")
    repair.daemon_back(guest, log, was, restarted=False)
    real = guest.agent.cli("resync")
    log.expect(real.code == 0, f"clockmend resync: exit {real.code}: {real.output.strip()[:400]}")
    log.expect(abs(guest.observer.best().error) <= repair.RIGHT_NS, f"resync put the clock right: {repair.ms(guest.observer.best().error)}")
    repair.daemon_back(guest, log, was)


def mode_off(guest, log):
    _mode(guest, log, "off")
    try:
        was = repair.before(guest)
        repair.freeze(guest, log, 2.0)
        repair.no_record(guest, log, was)
        log.expect(abs(guest.observer.best().error + 2e9) < 0.5e9, "the clock was left alone")
        repair.daemon_back(guest, log, was, restarted=False)
    finally:
        _correct(guest, log)
    guest.agent.cli("resync")
    log.expect(abs(guest.observer.best().error) <= repair.RIGHT_NS, f"resync put the clock right: {repair.ms(guest.observer.best().error)}")
    repair.daemon_back(guest, log, was)


def mode_slew_only(guest, log):
    """Never a jump."""
    _mode(guest, log, "slew-only")
    try:
        was = repair.before(guest)
        repair.freeze(guest, log, 0.3)
        report = repair.record(guest, log, was)
        log.expect(report["total_step_ns"] == 0, f"no step: {report['outcome']}: {report['reason']}")
        status = guest.agent.status()
        log.expect(status["counters"]["steps"] == was.counters["steps"], "the count of steps stayed")
    finally:
        _correct(guest, log)
    guest.agent.cli("resync")
    repair.daemon_back(guest, log, was)
    guest.set_right()


def command_line(guest, log):
    agent = guest.agent
    status = agent.cli("status --json")
    log.expect(status.code == 0 and json.loads(status.output)["state"] == "synchronized", "status --json")
    log.expect(agent.cli("status --check").code == 0, "status --check ends with 0")
    text = agent.cli("status")
    log.expect(text.code == 0 and guest.profile.unit in text.output, f"status names {guest.profile.unit}")
    doctor = agent.cli("doctor")
    log.say(doctor.output.strip())
    # One NTP server is worth a warning.
    log.expect(doctor.code in (0, 1) and "0 failures" in doctor.output, f"doctor finds no failure (exit {doctor.code})")
    history = agent.cli("history")
    log.expect(history.code == 0 and history.output.strip(), f"history: {history.output.strip()[:120]}")
    wrong = agent.cli("statsu")
    log.expect(wrong.code != 0, "an unknown command is an error")
    guest.exec.check("systemctl stop clockmendd")
    gone = agent.cli("status")
    check = agent.cli("status --check")
    guest.exec.check("systemctl start clockmendd")
    log.expect(check.code != 0, f"without the agent, status --check fails: {check.code} {check.output.strip()[:200]}")
    log.say(f"status without the agent: {gone.code} {gone.output.strip()[:200]}")


CASES = [
    Case("bad_config_reload", bad_reload),
    Case("bad_config_at_start", bad_at_start),
    Case("mode_observe_and_resync", mode_observe),
    Case("mode_off", mode_off),
    Case("mode_slew_only", mode_slew_only),
    Case("command_line", command_line),
]
