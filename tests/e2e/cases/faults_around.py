"""What happens around the agent while it corrects: systemd, the bus, the disks, the package, further notices. Killing the agent
is faults_kill.py; a time daemon that will not stop or start is daemons.py."""
import json
import time

from harness import repair
from harness.check import Case

IN_BACKGROUND = ("(n=0; while [ $n -lt {times} ]; do {command}; n=$((n + 1)); sleep {pause}; done) > /run/background.log 2>&1 < /dev/null & "
                 "echo $! > /run/background.pid")


def _meanwhile(guest, command, times, pause):
    """Repeats the command in the guest, beside what comes next."""
    guest.exec.check(IN_BACKGROUND.format(command=command, times=times, pause=pause))


def _meanwhile_over(guest, timeout_s=150):
    guest.exec.check("while kill -0 $(cat /run/background.pid) 2> /dev/null; do sleep 0.1; done", timeout_s)


def _slow_stop(guest, seconds):
    """Keeps the correction waiting in the middle."""
    guest.daemon_drop_in(f"[Service]\nExecStop=/bin/sleep {seconds}\n")


def _steps_since(guest, was):
    return [each for each in guest.agent.history() if each["number"] > was.number and each["total_step_ns"]]


def _once(guest, log, was, gap_s=repair.GAP_S):
    """However many records there are: together they stepped the gap, once."""
    total = sum(each["total_step_ns"] for each in _steps_since(guest, was))
    log.expect(abs(total - gap_s * 1e9) < 0.5e9, f"the agent's steps: {total / 1e9:.3f} s for a gap of {gap_s} s")


def _beside(command, times, pause, tidy="true"):
    """A correction, while somebody repeats the command beside it; tidy puts right what the command may have left."""
    def case(guest, log):
        was = repair.before(guest)
        _meanwhile(guest, command, times, pause)
        try:
            resumed = repair.freeze(guest, log)
            repair.watch(guest, log, resumed)
            report = repair.record(guest, log, was, 60, tell_since=resumed)
            log.say(f"daemon: {report['daemon']}")
        finally:
            _meanwhile_over(guest)
            guest.exec.run(tidy)
        repair.daemon_back(guest, log, was, timeout_s=60)
        _once(guest, log, was)
        repair.same_agent(guest, log, was)
        repair.reverify(guest, log)
        guest.wait_settled()
        repair.daemon_back(guest, log, was)
    return case


def no_bus(guest, log):
    """Without a bus, systemd is reached as systemctl reaches it."""
    was = repair.before(guest)
    guest.exec.check("systemctl stop dbus.socket dbus.service; ! systemctl is-active -q dbus.service")
    try:
        resumed = repair.freeze(guest, log)
        repair.watch(guest, log, resumed)
        report = repair.record(guest, log, was, 60, tell_since=resumed)
        repair.healed(guest, log, was, report)
    finally:
        guest.exec.check("systemctl start dbus.socket")


FULL = ("dd if=/dev/zero of=/run/fill bs=1M 2> /dev/null; dd if=/dev/zero of=/run/fill2 bs=4k 2> /dev/null; "
        "! dd if=/dev/zero of=/run/probe bs=4k count=1 2> /dev/null")
# Not by ExecStopPost=: with /run full, systemd cannot make the sandbox that it would run in.
KILL_WHEN_STOPPED = ("(n=0; while pidof ntpd > /dev/null && [ $n -lt 1200 ]; do n=$((n + 1)); sleep 0.05; done; kill -KILL {pid}) "
                     "> /dev/null 2>&1 < /dev/null &")


def _fresh_agent(guest, log, was):
    """systemd has no room for what it makes in /run for the agent's sandbox, either: it starts when there is."""
    end = time.monotonic() + 60
    while guest.agent.pid() in (0, was.pid) and time.monotonic() < end:
        time.sleep(0.3)
    log.expect(guest.agent.pid() not in (0, was.pid), "a fresh agent runs")


def _fresh_agent(guest, log, was):
    """systemd has no room for what it makes in /run for the agent's sandbox, either: it starts when there is."""
    end = time.monotonic() + 60
    while guest.agent.pid() in (0, was.pid) and time.monotonic() < end:
        time.sleep(0.3)
    log.expect(guest.agent.pid() not in (0, was.pid), "a fresh agent runs")


def _run_full(kill):
    """A daemon that cannot write its pid file does not start. As soon as there is room, it runs again without anybody's help."""
    def case(guest, log):
        was = repair.before(guest)
        guest.daemon_drop_in("[Service]\nTimeoutStartSec=8\n")
        guest.exec.check(FULL)
        try:
            if kill:
                guest.exec.check(KILL_WHEN_STOPPED.format(pid=was.pid))
            resumed = repair.freeze(guest, log)
            repair.watch(guest, log, resumed, 60)
            if kill:
                end = time.monotonic() + 30
                while guest.agent.pid() == was.pid and time.monotonic() < end:
                    time.sleep(0.3)
                log.expect(guest.agent.pid() != was.pid, "the agent was killed")
            else:
                report = repair.record(guest, log, was, 60, tell_since=resumed)
                log.expect(report["outcome"] == "corrected", f"{report['outcome']}: {report['reason']}; daemon: {report['daemon']}")
            guest.exec.check("rm -f /run/fill /run/fill2 /run/probe")
            repair.daemon_back(guest, log, was, timeout_s=90)
            if kill:
                _fresh_agent(guest, log, was)
            else:
                repair.same_agent(guest, log, was)
            _once(guest, log, was)
        finally:
            guest.exec.check("rm -f /run/fill /run/fill2 /run/probe")
            guest.daemon_restore()
        repair.reverify(guest, log)
        guest.wait_settled()
        repair.daemon_back(guest, log, was)
    return case


def var_read_only(guest, log):
    """As a file system does after an error. What has no record on disk is still told by status and systemd's journal."""
    was = repair.before(guest)
    guest.exec.check("sync; echo u > /proc/sysrq-trigger; sleep 1; ! touch /var/lib/clockmend/probe 2> /dev/null")
    try:
        resumed = repair.freeze(guest, log)
        repair.watch(guest, log, resumed)
        status = guest.agent.wait_now(lambda value: (value["last_correction"] or {}).get("number", 0) > was.number, 40)
        last = status["last_correction"] or {}
        log.expect(last.get("number", 0) > was.number and last.get("outcome") == "corrected", f"status: {last.get('number')} {last.get('outcome')}")
        log.expect("history" in guest.agent.journal(20), "the agent's log tells that the history could not be written")
        repair.daemon_back(guest, log, was, restarted=True)
        repair.same_agent(guest, log, was)
    finally:
        guest.exec.check("mount -o remount,rw / && touch /var/lib/clockmend/probe && rm /var/lib/clockmend/probe")
    guest.wait_settled()
    resumed = repair.freeze(guest, log)
    repair.watch(guest, log, resumed)
    repair.healed(guest, log, was, repair.record(guest, log, was))
    guest.wait_settled()
    log.expect(len(_steps_since(guest, was)) == 2, "the record that the disk did not take came with the next one")
    _once(guest, log, was, 2 * repair.GAP_S)


def masked_meanwhile(guest, log):
    """The administrator masks the daemon while it is down: it stays down, and everybody is told."""
    unit = guest.profile.unit
    was = repair.before(guest)
    guest.daemon_drop_in(f"[Service]\nExecStopPost=/bin/sh -c 'ln -sf /dev/null /run/systemd/system/{unit}; systemctl daemon-reload'\n")
    try:
        resumed = repair.freeze(guest, log)
        repair.watch(guest, log, resumed)
        report = repair.record(guest, log, was, 60, tell_since=resumed)
        log.expect("masked" in report["daemon"], f"report: daemon {report['daemon']}")
        log.expect(not guest.agent.daemons(), f"no time daemon was started: {guest.agent.daemons()}")
        status = guest.agent.wait_now(lambda value: value["state"] not in ("correcting", "verifying"), 15)
        log.say(f"state {status['state']}: {status['state_reason']}")
        log.expect(not any(daemon["running"] for daemon in status["daemons"]), "status: none runs")
        guest.exec.check("systemctl restart clockmendd")
        log.expect(not guest.agent.daemons(), "nor does a fresh agent start it")
    finally:
        guest.exec.check(f"rm -f /run/systemd/system/{unit}")
        guest.daemon_restore()
    guest.wait_settled()
    repair.daemon_back(guest, log, was)


def notices_in_every_action(guest, log):
    """Further notices, 50 ms apart, from the freeze until everything is done."""
    was = repair.before(guest)
    gap = guest.observer.best().error
    resumed = repair.freeze(guest, log)
    gap_s = (gap - guest.observer.best().error) / 1e9
    line = guest.agent.line()
    sent = 0
    try:
        end = time.monotonic() + 6
        while time.monotonic() < end:
            sent += 1
            line.send(json.dumps({"execute": "clock-notify", "id": sent,
                                  "arguments": {"event": "resumed", "id": f"again-{resumed}-{sent}"}}).encode() + b"\n")
            time.sleep(0.05)
        answer = line.ask("clock-status")
        log.expect("return" in answer, "the agent still answers")
    finally:
        line.close()
    repair.watch(guest, log, resumed)
    repair.record(guest, log, was, tell_since=resumed)
    guest.wait_settled()
    log.say(f"{sent} notices, {guest.agent.last_number() - was.number} records")
    _once(guest, log, was, max(gap_s, repair.GAP_S))
    log.expect(len(_steps_since(guest, was)) == 1, f"stepped in {len(_steps_since(guest, was))} corrections")
    repair.daemon_back(guest, log, was)
    repair.same_agent(guest, log, was)


def reinstalled(guest, log):
    """dpkg restarts the agent in the middle of a correction."""
    was = repair.before(guest)
    guest.exec.push("/root/this.deb", guest.packages.guest_deb.read_bytes())
    _slow_stop(guest, 7)
    try:
        resumed = repair.freeze(guest, log)
        end = time.monotonic() + 20
        while guest.exec.run(f"systemctl is-active {guest.profile.unit}").output.strip() == "active" and time.monotonic() < end:
            time.sleep(0.1)
        done = guest.exec.run("DEBIAN_FRONTEND=noninteractive dpkg -i /root/this.deb < /dev/null", 120)
        log.expect(done.code == 0, f"dpkg -i: exit {done.code}: {done.output.strip()[-300:]}")
        log.expect(guest.agent.pid() not in (0, was.pid), "the agent was restarted")
        repair.watch(guest, log, resumed)
        repair.daemon_back(guest, log, was, timeout_s=30)
    finally:
        guest.daemon_restore()
        guest.exec.run("rm -f /root/this.deb")
    guest.wait_settled()
    _once(guest, log, was)
    repair.daemon_back(guest, log, was)


CASES = [
    Case("reinstalled_meanwhile", reinstalled, long=True, deadline_s=400, fault="the package's postinst restarts the agent in mid-correction"),
    Case("bus_killed_meanwhile", _beside("kill -KILL $(systemctl show -p MainPID --value dbus.service)", 12, 0.3,
                                         "systemctl reset-failed dbus.service dbus.socket; systemctl start dbus.socket"),
         long=True, deadline_s=400, fault="the message bus is killed twelve times"),
    Case("systemd_starts_anew", _beside("systemctl daemon-reexec; systemctl daemon-reload", 3, 0.4), long=True, deadline_s=400,
         fault="systemd executes itself again and reloads, three times"),
    Case("no_bus", no_bus, long=True, deadline_s=400, fault="no message bus"),
    Case("masked_meanwhile", masked_meanwhile, long=True, deadline_s=400, fault="the time daemon is masked while it is stopped"),
    Case("var_read_only", var_read_only, long=True, deadline_s=400, fault="/var read-only"),
    Case("notices_in_every_action", notices_in_every_action, long=True, deadline_s=400, fault="a further notice every 50 ms"),
    Case("run_full", _run_full(False), long=True, deadline_s=500, fault="/run full"),
    Case("run_full_and_killed", _run_full(True), long=True, deadline_s=500, fault="/run full, and the agent killed in the middle"),
]
