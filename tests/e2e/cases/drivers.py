"""What becomes of each kind of time daemon: restarted, nudged, left alone, found dead."""
import time

from harness import repair
from harness.check import Case
from lab.network import HOST

DIED_WITHIN_S = 420
CONFIGURATION = {"ntpsec.service": "/etc/ntpsec/ntp.conf", "ntp.service": "/etc/ntp.conf"}
OPTIONS = {"ntpsec.service": "/etc/default/ntpsec", "ntp.service": "/etc/default/ntp"}


def _told(guest, unit):
    status = guest.agent.status() or {"daemons": []}
    return next((daemon for daemon in status["daemons"] if daemon["unit"] == unit), {"action": "", "health": "", "running": False})


def _choose(guest, text):
    guest.agent.drop_in("50-case", f"[daemon]\n{text}\n")
    guest.agent.reload()


def _corrected(guest, log, restarted):
    """A pause, a notice, a correction; returns its report."""
    was = repair.before(guest)
    resumed = repair.freeze(guest, log)
    repair.notify(guest, log, resumed)
    report = repair.record(guest, log, was, tell_since=resumed)
    repair.healed(guest, log, was, report, restarted=restarted)
    log.say(f"daemon: {report['daemon']}")
    return report


def _synchronises(guest, log, timeout_s):
    unit = guest.profile.unit
    guest.agent.wait_status(lambda _: "synchronising again" in _told(guest, unit)["health"], timeout_s)
    told = _told(guest, unit)
    log.expect("synchronising again" in told["health"], f"status: {unit}: {told['action']}, {told['health']}")


def _with(text, restarted, timeout_s, expected):
    def run(guest, log):
        _choose(guest, text)
        try:
            report = _corrected(guest, log, restarted)
            log.expect(expected in report["daemon"], f"report: {report['daemon']}")
            _synchronises(guest, log, timeout_s)
        finally:
            guest.agent.drop_out("50-case")
            guest.agent.reload()
    return run


def without_chronyc(guest, log):
    """It is to be nudged and cannot be: restarted, and the reason told."""
    guest.exec.check("chmod -x /usr/bin/chronyc")
    try:
        _with('action = "nudge"', True, 60, "is it installed")(guest, log)
    finally:
        guest.exec.check("chmod +x /usr/bin/chronyc")


def leaves_no_unit_behind(guest, log):
    """chronyc runs as a unit of its own for a moment; nothing of it stays, not even when it fails."""
    _choose(guest, 'action = "nudge"')
    guest.exec.check("mv /usr/bin/chronyc /usr/bin/chronyc.away && printf '#!/bin/sh\\necho 506 Cannot talk to daemon; exit 1\\n' > "
                     "/usr/bin/chronyc && chmod +x /usr/bin/chronyc")
    try:
        report = _corrected(guest, log, True)
        log.expect("506 Cannot talk to daemon" in report["daemon"], f"report: {report['daemon']}")
        left = guest.exec.run("systemctl --all --no-legend list-units 'clockmend-run-*'").output.strip()
        log.expect(not left, f"no unit is left: {left}")
    finally:
        guest.exec.check("mv -f /usr/bin/chronyc.away /usr/bin/chronyc")
        guest.agent.drop_out("50-case")
        guest.agent.reload()


def died_of_the_gap(guest, log, error_s=-2000):
    """ntpd gives up above 1000 s. The agent only watches meanwhile; once it may act, the daemon that ran before runs again. Debian's
    -g is taken away: with it ntpd stepped once, by any amount."""
    unit = guest.profile.unit
    guest.exec.check(f"sed -i 's/iburst$/iburst minpoll 4 maxpoll 4/' {CONFIGURATION[unit]} && "
                     f"cp {OPTIONS[unit]} /run/options && sed -i 's/-g//' {OPTIONS[unit]} && systemctl restart {unit}")
    guest.agent.reload()
    guest.wait_settled(120)
    guest.agent.drop_in("50-case", '[policy]\nmode = "observe"\n')
    guest.agent.reload()
    guest.agent.wait_status(lambda value: value["mode"] == "observe", 10)
    was = repair.before(guest)
    log.expect(unit in was.daemons, f"{unit} runs: {was.daemons}")
    try:
        guest.step_clock(error_s * 1_000_000_000)
        end = time.monotonic() + DIED_WITHIN_S
        while (state := guest.exec.run(f"systemctl is-failed {unit}").output.strip()) != "failed" and time.monotonic() < end:
            time.sleep(2)
        if state != "failed":
            log.say(guest.exec.run(f"ntpq -pn; journalctl -u {unit} --no-pager -o cat -n 20").output)
        log.require(state == "failed", f"{unit} gave up by itself: {state}")
        log.say(guest.exec.run(f"journalctl -u {unit} --no-pager -o cat -n 5").output)
        number = guest.agent.last_number()
    finally:
        guest.agent.drop_out("50-case")
        guest.agent.reload()
    guest.agent.wait_status(lambda value: value["mode"] == "correct", 10)
    answer = guest.agent.cli("resync", 60)
    log.say(answer.output.strip())
    report = guest.agent.wait_record(number, 40)
    log.require(report is not None, "the history has a record of it")
    stop = next((action["detail"] for action in report["actions"] if action["kind"] == "stop-daemon"), "")
    log.expect("had died" in stop, f"its death is on record: {stop}")
    log.expect(abs(guest.observer.best().error) <= repair.RIGHT_NS, f"the clock is right: {repair.ms(guest.observer.best().error)}")
    repair.daemon_back(guest, log, was, restarted=True, timeout_s=20)
    repair.same_agent(guest, log, was)
    guest.exec.check(f"cp /run/options {OPTIONS[unit]} && systemctl restart {unit}")
    guest.use_servers([HOST])


def died_ahead(guest, log):
    """Ahead, because the classic ntpd takes a clock set back for one that stands still (its get_systime() never goes back)."""
    died_of_the_gap(guest, log, 2000)


def listed(guest, log):
    """A unit that no one but the machine's own list knows is stopped and started like any other; a bad line does no harm."""
    unit = "site-time.service"
    guest.exec.check("mkdir -p /etc/systemd/ntp-units.d")
    guest.exec.push("/etc/systemd/ntp-units.d/10-site.list", f"# ours\nnot a unit\n{unit}\n")
    guest.exec.push(f"/run/systemd/system/{unit}", "[Service]\nExecStart=/bin/sleep infinity\n")
    guest.exec.check(f"systemctl daemon-reload && systemctl start {unit}")
    guest.agent.reload()
    try:
        before = guest.exec.check(f"systemctl show -p InvocationID --value {unit}").strip()
        report = _corrected(guest, log, True)
        log.expect(unit in report["daemon"], f"report: {report['daemon']}")
        after = guest.exec.check(f"systemctl show -p InvocationID --value {unit}").strip()
        active = guest.exec.run(f"systemctl is-active {unit}").output.strip()
        log.expect(active == "active" and before != after, f"{unit} was restarted: {active}")
        doctor = guest.agent.cli("doctor").output
        log.expect("10-site.list:2" in doctor, "doctor names the bad line")
        log.expect("several time daemons run" in doctor and "systemctl disable --now" in doctor, "doctor names both daemons, with advice")
    finally:
        guest.exec.check(f"systemctl stop {unit}; rm -f /etc/systemd/ntp-units.d/10-site.list /run/systemd/system/{unit}; systemctl daemon-reload")
        guest.agent.reload()


def openntpd(guest, log):
    """It has no way to be told, so it is restarted; it takes minutes to vouch for the clock, which is not waited for."""
    report = _corrected(guest, log, True)
    log.expect("openntpd.service running" in report["daemon"], f"report: {report['daemon']}")
    told = _told(guest, guest.profile.unit)
    log.expect(told["running"] and told["action"] == "restart", f"status: {told}")


def ntpd_rs(guest, log):
    """Restarted; when it vouches for the clock again is not waited for."""
    report = _corrected(guest, log, True)
    log.expect("ntpd-rs.service running" in report["daemon"], f"report: {report['daemon']}")
    told = _told(guest, guest.profile.unit)
    log.expect(told["running"] and told["action"] == "restart", f"status: {told}")


CASES = [
    Case("driver_listed_unit", listed, long=True),
    Case("driver_ntpd_died_of_the_gap", died_of_the_gap, deadline_s=700, long=True, fault="ntpsec's ntpd gives up above 1000 s"),
    Case("ntp_classic_died_of_the_gap", died_ahead, "ntp_classic", deadline_s=700, long=True,
         fault="the classic ntpd gives up above 1000 s"),
    Case("driver_chrony_nudge", _with('action = "nudge"', False, 60, "was told"), "chrony"),
    Case("driver_chrony_restart", _with('restart = ["chronyd.service"]', True, 60, "running"), "chrony", long=True),
    Case("driver_chrony_leave", _with('leave = ["chrony.service"]', False, 300, "left alone"), "chrony", deadline_s=400, long=True),
    Case("driver_chronyc_missing", without_chronyc, "chrony", long=True),
    Case("driver_chronyc_fails", leaves_no_unit_behind, "chrony"),
    Case("driver_timesyncd_nudge", _with('action = "nudge"', False, 60, "was told"), "timesyncd", long=True),
    Case("driver_timesyncd_restart", _with('action = "restart"', True, 60, "running"), "timesyncd", long=True),
    Case("driver_openntpd", openntpd, "openntpd", long=True),
    Case("driver_ntpd_rs", ntpd_rs, "ntpd_rs", long=True),
]
