"""What applications have of the agent: their hooks, the target that stands for a trustworthy clock, and no time daemon while
the machine is frozen."""
import time

from harness import repair
from harness.check import Case

HOOKS = "/etc/clockmend/hooks.d"
TELLING = "#!/bin/sh\necho \"$CLOCKMEND_HOOK $(date +%s.%N) $CLOCKMEND_OFFSET_NS ${CLOCKMEND_VERIFIED-}\" >> /run/told\necho 'hold: \033[1mheard'\n"
UNIT = "site-application.service"
BOUND = """[Unit]
BindsTo=clockmend-valid.target
After=clockmend-valid.target
[Service]
ExecStart=/bin/sleep infinity
[Install]
WantedBy=clockmend-valid.target
"""


def _state(guest, unit):
    return guest.exec.run(f"systemctl is-active {unit}").output.strip()


def _wait_state(guest, unit, state, timeout_s=15):
    end = time.monotonic() + timeout_s
    while (now := _state(guest, unit)) != state and time.monotonic() < end:
        time.sleep(0.2)
    return now


def _invocation(guest, unit):
    return guest.exec.run(f"systemctl show -p InvocationID --value {unit}").output.strip()


def _install(guest, path, text, mode="755"):
    guest.exec.check(f"mkdir -p $(dirname {path})")
    guest.exec.push(path, text)
    guest.exec.check(f"chmod {mode} {path}")


def _told(guest):
    """What the hooks wrote: point, their clock in seconds, offset in ns, verified."""
    lines = guest.exec.run("cat /run/told").output.split("\n")
    return [(words[0], float(words[1]), int(words[2]), words[3:]) for words in map(str.split, lines) if words]


def _hooks(guest):
    _install(guest, f"{HOOKS}/pre-step/10-tell", TELLING)
    _install(guest, f"{HOOKS}/pre-step/20-fails", "#!/bin/sh\nexit 3\n")
    _install(guest, f"{HOOKS}/pre-step/30-anybodys", "#!/bin/sh\ntouch /run/anybodys\n", "777")
    _install(guest, f"{HOOKS}/pre-step/40-hangs", "#!/bin/sh\nsleep 3600 &\nwait\n")
    _install(guest, f"{HOOKS}/post-step/10-tell", TELLING)
    guest.agent.drop_in("50-hooks", "[hooks]\npre_step_wait = \"2 s\"\ndeadline = \"5 s\"\n")
    guest.exec.check("rm -f /run/told /run/anybodys")


def hooks_and_target(guest, log):
    """Hooks see the clock before and after the step, a hanging one holds it up no longer than it may; a service bound to the
    target is down while the clock is wrong."""
    guest.exec.push(f"/run/systemd/system/{UNIT}", BOUND)
    guest.exec.check(f"systemctl daemon-reload && systemctl enable --runtime {UNIT} && systemctl start {UNIT}")
    _hooks(guest)
    guest.agent.reload()
    try:
        for unit in ("clockmend-valid.target", UNIT):
            log.expect(_wait_state(guest, unit, "active") == "active", f"{unit} is active")
        log.expect(guest.exec.run("test -e /run/clockmend/clock-valid").code == 0, "the flag is there")
        clock = guest.agent.status()["clock"]
        log.say(f"valid since {clock['valid_since']}, error bound {clock['error_bound_ns']} ns + {clock['error_growth_ppm']} ppm")
        was, before = repair.before(guest), _invocation(guest, UNIT)
        resumed = repair.freeze(guest, log)
        repair.notify(guest, log, resumed)
        report = repair.record(guest, log, was, tell_since=resumed)
        repair.healed(guest, log, was, report)
        _judge_hooks(guest, log, report)
        log.expect(_wait_state(guest, UNIT, "active") == "active", "the bound service runs again")
        log.expect(_invocation(guest, UNIT) != before, "it was stopped in between")
        guest.exec.check("systemctl stop clockmendd")
        log.expect(_wait_state(guest, "clockmend-valid.target", "inactive") == "inactive", "without the agent nobody vouches for the clock")
        # An assertion that fails leaves the target where it is.
        guest.exec.run("systemctl start clockmend-valid.target", 30)
        log.say(f"started by hand, the target is {_state(guest, 'clockmend-valid.target')}")
    finally:
        guest.exec.run(f"rm -rf {HOOKS} /run/told; systemctl disable --runtime --now {UNIT}; rm -f /run/systemd/system/{UNIT}; "
                       "systemctl daemon-reload; systemctl start clockmendd")
        guest.agent.drop_out("50-hooks")
        guest.agent.reload()
    guest.wait_settled(60)


def _judge_hooks(guest, log, report):
    end = time.monotonic() + 10
    while len(told := _told(guest)) < 2 and time.monotonic() < end:
        time.sleep(0.3)
    log.require([each[0] for each in told] == ["pre-step", "post-step"], f"told once before and once after: {told}")
    gap = told[1][1] - told[0][1]
    log.expect(gap > 1.5, f"their clock jumped between them: {gap:.3f} s")
    log.expect(abs(told[0][2] - report["total_step_ns"]) < 50e6, f"told of the step: {told[0][2] / 1e6:.1f} ms of {report['total_step_ns'] / 1e6:.1f} ms")
    log.expect(told[1][3] == ["1"], f"told that it is verified: {told[1][3]}")
    step = next(action for action in report["actions"] if action["kind"] == "step")
    # Two seconds for the one that hangs.
    log.expect(1.5e9 < step["begun_ns"] < 5e9, f"the step waited {step['begun_ns'] / 1e6:.0f} ms")
    log.expect(guest.exec.run("test -e /run/anybodys").code != 0, "what anybody could have written was not run")
    end = time.monotonic() + 10
    while guest.exec.run("pgrep -x sleep -a | grep 3600").code == 0 and time.monotonic() < end:
        time.sleep(0.5)
    log.expect(guest.exec.run("pgrep -x sleep -a | grep 3600").code != 0, "what the hanging one started was killed with it")
    log.expect("clockmend-hook" not in guest.exec.run("systemctl list-units --failed --plain --no-legend").output, "no failed unit is left")
    journal = guest.agent.journal(200)
    for text in ("10-tell: hold: ?[1mheard", "20-fails ended with 3", "30-anybodys may be written by others", "waits no longer"):
        log.expect(text in journal, f"the journal says: {text}")


def _timers(guest):
    return guest.exec.run("systemctl list-units --plain --no-legend 'clockmend-dead-man-*.timer'").output.split("\n")[0]


def _quiesced(guest, log):
    said = guest.agent.notify("pausing").end()
    log.expect(said.code == 0, f"clockmend-host ended with 0 ({said.code}) {said.text}")
    log.say((said.report or {}).get("reason", ""))
    log.expect(_state(guest, guest.profile.unit) == "inactive", "the time daemon is down")
    log.expect("clockmend-dead-man-" in _timers(guest), f"the timer is armed: {_timers(guest)}")


def quiesced(guest, log):
    """Down for the pause and up after it; and when the agent dies instead, up at once."""
    guest.agent.drop_in("50-quiesce", "[daemon]\nquiesce = true\n")
    guest.agent.reload()
    try:
        was = repair.before(guest)
        _quiesced(guest, log)
        resumed = repair.freeze(guest, log)
        repair.notify(guest, log, resumed)
        report = repair.record(guest, log, was, tell_since=resumed)
        repair.healed(guest, log, was, report, restarted=True)
        log.expect(not _timers(guest), f"the timer is gone: {_timers(guest)}")
        guest.wait_settled(60)
        was = repair.before(guest)
        _quiesced(guest, log)
        guest.exec.check("systemctl kill -s KILL clockmendd")
        repair.daemon_back(guest, log, was, restarted=True, timeout_s=30)
    finally:
        guest.agent.drop_out("50-quiesce")
        guest.exec.run("systemctl reload clockmendd || systemctl start clockmendd")
    guest.wait_settled(60)


def dead_man(guest, log):
    """The agent hangs: only systemd's timer is left to start the daemon."""
    guest.agent.drop_in("50-quiesce", "[daemon]\nquiesce = true\n")
    guest.agent.reload()
    try:
        was = repair.before(guest)
        _quiesced(guest, log)
        guest.exec.check("systemctl kill -s STOP clockmendd")
        began = time.monotonic()
        repair.daemon_back(guest, log, was, restarted=True, timeout_s=110)
        log.expect(60 < time.monotonic() - began < 105, f"after {time.monotonic() - began:.0f} s")
    finally:
        guest.exec.run("systemctl kill -s CONT clockmendd")
        guest.agent.drop_out("50-quiesce")
        guest.agent.reload()
    guest.wait_settled(60)


CASES = [
    Case("application_hooks_and_target", hooks_and_target, long=True),
    Case("quiesced_for_a_pause", quiesced, "chrony", long=True),
    Case("dead_man_timer", dead_man, long=True),
]
