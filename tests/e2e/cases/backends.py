"""The step made by a program, the RTC written by hwclock: the same report, the same end, and a clear word where it cannot be."""
import time

from harness import repair
from harness.check import Case
from harness.profiles import ADDRESSES, HOST

RUNBOOK_S = 2035372  # 23.5 days: what `ntpd -gq` is for


def _configure(guest, text):
    guest.agent.drop_in("50-case", text)
    guest.agent.reload()


def _as_before(guest):
    guest.agent.drop_out("50-case")
    guest.agent.reload()


def _action(report, kind):
    return next((action for action in report["actions"] if action["kind"] == kind), {"ok": False, "detail": "", "offset_ns": 0, "begun_ns": 0})


def _by(guest, log, was, report, program, restarted=True, total_s=repair.GAP_S):
    """Everything that must hold after a step by that program."""
    step, stop = _action(report, "step"), _action(report, "stop-daemon")
    log.say(f"step: {step['detail']}; took {(step['ended_ns'] - step['begun_ns']) / 1e9:.2f} s; RTC: {report['rtc']}")
    log.expect(step["ok"] and step["detail"].startswith(program), f"{program} made the step")
    log.expect(f"stepped by {program} and verified by NTP" == report["reason"], f"reason: {report['reason']}")
    log.expect(abs(step["offset_ns"] - total_s * 1e9) < 0.5e9, f"what it did is on record: {step['offset_ns'] / 1e9:+.6f} s")
    log.expect(stop["ok"] and stop["ended_ns"] <= step["begun_ns"], f"the time daemon was down before: {stop['detail']}")
    log.expect(guest.agent.status()["counters"]["foreign_steps"] == was.counters["foreign_steps"], "its step was not taken for somebody else's")
    repair.healed(guest, log, was, report, restarted=restarted)
    left = guest.exec.run("systemctl --all --no-legend list-units 'clockmend-run-*' 'clockmend-tool-*'").output.strip()
    log.expect(not left, f"no unit of it is left: {left}")


def _pause(guest, log):
    resumed = repair.freeze(guest, log)
    repair.notify(guest, log, resumed)
    return resumed


def _step_by(backend, program=None, more="", servers=(HOST,)):
    def case(guest, log):
        for address in servers:
            guest.serve(address)
        if len(servers) > 1:
            guest.use_servers(servers)
            guest.wait_settled()
        _configure(guest, f'[step]\nbackend = "{backend}"\n{more}')
        try:
            was = repair.before(guest)
            resumed = _pause(guest, log)
            report = repair.record(guest, log, was, tell_since=resumed)
            _by(guest, log, was, report, program or backend)
            if "hwclock" in more:
                log.expect(report["rtc"] == "written by hwclock --utc", f"RTC: {report['rtc']}")
        finally:
            _as_before(guest)
            if len(servers) > 1:
                guest.only_host_serves()
                guest.use_servers([HOST])
    return case


def months_by_ntpd(guest, log):
    """The row of the runbook for which nothing but `ntpd -gq` would do."""
    _configure(guest, '[step]\nbackend = "ntpd"\ndeadline = "60 s"\n')
    try:
        was = repair.before(guest)
        began = time.clock_gettime_ns(time.CLOCK_REALTIME)
        guest.step_clock(-RUNBOOK_S * 1_000_000_000)
        report = repair.record(guest, log, was, 90, tell_since=began)
        step = _action(report, "step")
        log.say(f"step: {step['detail']}; took {(step['ended_ns'] - step['begun_ns']) / 1e9:.2f} s")
        log.expect(step["detail"].startswith("ntpd") and abs(step["offset_ns"] - RUNBOOK_S * 1e9) < 1e9, f"{step['offset_ns'] / 1e9:+.3f} s by ntpd")
        repair.healed(guest, log, was, report)
    finally:
        _as_before(guest)


def missing(guest, log):
    """Without the program: by clockmend itself, or not at all, as configured; the report says why."""
    guest.exec.check("mv /usr/sbin/ntpdate /usr/sbin/ntpdate.away")
    try:
        _configure(guest, '[step]\nbackend = "ntpdate"\n')
        was = repair.before(guest)
        resumed = _pause(guest, log)
        report = repair.record(guest, log, was, tell_since=resumed)
        log.expect("/usr/sbin/ntpdate cannot be run: is it installed?" in report["reason"], f"reason: {report['reason']}")
        repair.healed(guest, log, was, report)
        _configure(guest, '[step]\nbackend = "ntpdate"\nfallback = "none"\n')
        was = repair.before(guest)
        repair.freeze(guest, log)
        guest.agent.notify("hot-upgrade").end()
        report = repair.record(guest, log, was)
        log.expect(report["outcome"] == "failed" and "is it installed?" in report["reason"], f"{report['outcome']}: {report['reason']}")
        log.expect(report["total_step_ns"] == 0, "nothing was stepped")
        repair.daemon_back(guest, log, was, restarted=True)
    finally:
        guest.exec.check("mv /usr/sbin/ntpdate.away /usr/sbin/ntpdate")
        _as_before(guest)
    repair.reverify(guest, log)
    guest.set_right()


def hangs(guest, log):
    """One that never ends is killed at its deadline; what it left undone clockmend does itself."""
    guest.exec.check("mv /usr/sbin/ntpdate /usr/sbin/ntpdate.away && printf '#!/bin/sh\\necho asking; exec sleep 600\\n' > /usr/sbin/ntpdate && "
                     "chmod +x /usr/sbin/ntpdate")
    _configure(guest, '[step]\nbackend = "ntpdate"\ndeadline = "3 s"\n')
    try:
        was = repair.before(guest)
        resumed = _pause(guest, log)
        report = repair.record(guest, log, was, tell_since=resumed)
        log.expect("; ntpdate: running" in report["reason"] or "; ntpdate ended with" in report["reason"], f"reason: {report['reason']}")
        repair.healed(guest, log, was, report)
        still = guest.exec.run("ps -C sleep -o args= | grep 600").output.strip()
        log.expect(not still, f"it does not run any more: {still}")
    finally:
        guest.exec.check("mv -f /usr/sbin/ntpdate.away /usr/sbin/ntpdate")
        _as_before(guest)


def by_request(guest, log):
    """clockmend resync --backend, for one correction."""
    _configure(guest, '[policy]\nmode = "observe"\n')
    try:
        was = repair.before(guest)
        repair.freeze(guest, log)
        repair.record(guest, log, was)
    finally:
        _as_before(guest)
    guest.agent.wait_status(lambda value: value["mode"] == "correct", 10)
    was = repair.before(guest)
    answer = guest.agent.cli("resync --backend ntpdig", 60)
    log.say(answer.output.strip())
    log.expect(answer.code == 0, f"clockmend resync --backend ntpdig: exit {answer.code}")
    _by(guest, log, was, repair.record(guest, log, was), "ntpdig")
    wrong = guest.agent.cli("resync --backend ntpdatum")
    log.expect(wrong.code != 0 and "ntpdate" in wrong.output, f"an unknown one is refused: exit {wrong.code}")


def killed_beside_it(guest, log):
    """The agent dies while the program runs: the daemon is back, the record tells the program's step, the next life finds the clock right."""
    guest.exec.check("mv /usr/sbin/ntpdate /usr/sbin/ntpdate.away && printf '#!/bin/sh\\n/usr/sbin/ntpdate.away \"$@\"\\nsleep 3\\n' > "
                     "/usr/sbin/ntpdate && chmod +x /usr/sbin/ntpdate")
    _configure(guest, '[step]\nbackend = "ntpdate"\n')
    try:
        was = repair.before(guest)
        resumed = repair.freeze(guest, log)
        guest.agent.notify("hot-upgrade", wait=False).end()
        repair.watch(guest, log, resumed)
        guest.exec.check("kill -KILL $(systemctl show -p MainPID --value clockmendd)")
        report = repair.record(guest, log, was)
        log.expect(report["outcome"] == "failed" and abs(report["total_step_ns"] - repair.GAP_S * 1e9) < 0.5e9,
                   f"the record of the death: {report['reason']}, {report['total_step_ns'] / 1e9:+.3f} s")
        repair.daemon_back(guest, log, was, timeout_s=30)
        guest.wait_settled(60)
        log.expect(abs(guest.observer.best().error) <= repair.RIGHT_NS, f"the clock is right: {repair.ms(guest.observer.best().error)}")
    finally:
        guest.exec.check("mv -f /usr/sbin/ntpdate.away /usr/sbin/ntpdate")
        _as_before(guest)


def hwclock_local(guest, log):
    """An RTC in local time, written by hwclock --localtime and read back as such."""
    guest.exec.check("cp /etc/adjtime /run/adjtime.before; rm -f /etc/localtime; ln -s /usr/share/zoneinfo/Asia/Shanghai /etc/localtime; "
                     "printf '0.0 0 0\\n0\\nLOCAL\\n' > /etc/adjtime; hwclock -w --localtime", 60)
    _configure(guest, '[rtc]\nbackend = "hwclock"\nwrite_threshold = "1 ms"\n')
    try:
        guest.exec.check("systemctl restart clockmendd")
        guest.wait_settled()
        guest.exec.check("hwclock --set --localtime --date \"$(date -d '+20 seconds' '+%F %T')\"", 60)
        time.sleep(4)
        guest.wait_settled()  # whoever sets an RTC looks like a pause
        was = repair.before(guest)
        resumed = _pause(guest, log)
        report = repair.record(guest, log, was, tell_since=resumed)
        log.expect(report["rtc"] == "written by hwclock --localtime", f"RTC: {report['rtc']}")
        repair.healed(guest, log, was, report, rtc=False)
        off = guest.vm.rtc_read() - time.time()
        log.expect(abs(off - 8 * 3600) < 2.5, f"the device has Shanghai's time: {off:+.2f} s from UTC")
        log.expect("LOCAL" in guest.exec.check("cat /etc/adjtime"), "/etc/adjtime says so still")
    finally:
        guest.exec.check("cp /run/adjtime.before /etc/adjtime; rm -f /etc/localtime; hwclock -w --utc", 60)
        _as_before(guest)
        guest.exec.check("systemctl restart clockmendd")


def hwclock_missing(guest, log):
    guest.exec.check("mv /sbin/hwclock /sbin/hwclock.away")
    _configure(guest, '[rtc]\nbackend = "hwclock"\nwrite_threshold = "1 ms"\n')
    try:
        guest.exec.check("/sbin/hwclock.away --set --date \"$(date -d '-20 seconds' '+%F %T')\"", 60)
        time.sleep(4)
        guest.wait_settled()  # whoever sets an RTC looks like a pause
        was = repair.before(guest)
        resumed = _pause(guest, log)
        report = repair.record(guest, log, was, tell_since=resumed)
        log.expect(report["rtc"].startswith("written") and "/sbin/hwclock cannot be run" in report["rtc"], f"RTC: {report['rtc']}")
        repair.healed(guest, log, was, report)
    finally:
        guest.exec.check("mv /sbin/hwclock.away /sbin/hwclock")
        _as_before(guest)


CASES = [
    Case("backend_ntpdate_and_hwclock", _step_by("ntpdate", more='[rtc]\nbackend = "hwclock"\nwrite_threshold = "1 ms"\n', servers=ADDRESSES[:3])),
    Case("backend_ntpdig", _step_by("ntpdig"), long=True),
    Case("backend_ntpd_gq", _step_by("ntpd"), long=True),
    Case("backend_ntpd_gq_months", months_by_ntpd, long=True),
    Case("backend_chronyd_q", _step_by("chronyd"), "chrony", long=True),
    Case("backend_by_request", by_request, long=True),
    Case("backend_missing", missing, long=True),
    Case("backend_hangs", hangs, long=True),
    Case("backend_agent_killed", killed_beside_it, long=True),
    Case("backend_hwclock_local", hwclock_local, long=True),
    Case("backend_hwclock_missing", hwclock_missing, long=True),
]
