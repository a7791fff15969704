"""One scene each: something happens to the guest, the observer watches from outside, and what must hold is checked."""
import threading
import time

from lab import timeline

RIGHT_NS = 10_000_000
LIAR_S = 10.0
YEAR_NS = 365 * 86400 * 10**9
TRIES = 3


def in_words(sample):
    """The guest's clock as the observer sees it."""
    amount = f"{sample.error / 1e9:+.6f} s" if abs(sample.error) >= 1e9 else f"{sample.error / 1e6:+.3f} ms"
    return f"{amount} +- {sample.uncertainty / 1e6:.3f} ms"


class Stage:
    """The guest, its agent and the screen."""

    def __init__(self, screen, vm, agent, servers):
        self.screen, self.vm, self.agent, self.servers = screen, vm, agent, servers

    def wait_settled(self, timeout_s=120, after_boot=False):
        """Until the clock is right and the agent says so and knows its witnesses. Nothing is done for it, except after the boot:
        what that left may be too little for a step, and would then take ntpsec many minutes."""
        end = time.monotonic() + timeout_s
        patience = time.monotonic() + 15
        while time.monotonic() < end:
            sample, status = self.vm.observer.best(), self.agent.status()
            rtc = next((probe for probe in (status or {}).get("probes", []) if probe["name"] == "rtc"), {})
            known = (status or {}).get("state") == "synchronized" and rtc.get("last")
            if abs(sample.error) < RIGHT_NS and known and self.agent.at_rest("ntpsec.service"):
                return sample
            if after_boot and time.monotonic() > patience and RIGHT_NS < abs(sample.error) < 10 * RIGHT_NS:
                self.screen.say(f"the boot left the clock {in_words(sample)} wrong, too little for a step: the DEMO, not the agent, sets it "
                                "right, for ntpsec would slew it for many minutes")
                self.agent.adjtime(0x2100, *divmod(-sample.error, 1_000_000_000))
                patience = time.monotonic() + 15
            time.sleep(0.5)
        self.screen.expect(False, f"the guest settles within {timeout_s} s: offset {in_words(self.vm.observer.best())}, "
                                  f"agent state {(status or {}).get('state')}: {(status or {}).get('state_reason')}")
        return self.vm.observer.best()


def _watch(stage, since_ns, box):
    box["took"], box["first"] = stage.vm.observer.wait_right(RIGHT_NS, since_ns, 30)


def _judge(stage, report, since_ns, before, daemons, of):
    screen, agent = stage.screen, stage.agent
    if not screen.expect(report is not None, "the agent left a record in its history"):
        screen.block(agent.journal())
        return
    screen.block(timeline.text(report, since_ns, of))
    after = stage.vm.observer.best()
    screen.say(f"offset seen from outside: before {in_words(before)}, after {in_words(after)}")
    screen.expect(abs(after.error) <= RIGHT_NS, "the clock is right within 10 ms, seen from outside")
    screen.expect(report["outcome"] == "corrected", f"outcome is corrected ({report['outcome']}: {report['reason']})")
    screen.expect(report["verified"], "verified by NTP")
    screen.expect(report["rtc"].startswith(("written", "already right")), f"RTC: {report['rtc']}")
    now = agent.daemons()
    screen.expect(set(now) == set(daemons), f"the time daemon runs again: {', '.join(now) or 'none'}")
    restarted = any(action["kind"] == "stop-daemon" for action in report["actions"])
    screen.expect(restarted and now != daemons, "it was stopped and started by the agent")


def running(stage):
    screen = stage.screen
    sample = stage.wait_settled(after_boot=True)
    daemons = stage.agent.daemons()
    screen.expect(list(daemons) == ["ntpsec.service"], f"ntpsec runs (active: {', '.join(daemons)})")
    screen.say(f"offset seen from outside: {in_words(sample)}")
    screen.expect(abs(sample.error) <= RIGHT_NS, "the clock is right within 10 ms, seen from outside")


def freeze(stage, seconds, noticed, check=None):
    """The VM stands still; with `noticed`, the host's hook speaks right after resume."""
    screen, vm, agent = stage.screen, stage.vm, stage.agent
    stage.wait_settled()
    daemons, number = agent.daemons(), agent.last_number()
    vm.stop()
    screen.countdown(seconds, "frozen")
    resumed = vm.cont()
    before = vm.observer.sample()
    notice = agent.notify() if noticed else None
    screen.say(f"resumed; the guest's clock is {in_words(before)}" + ("; the host notifies" if noticed else "; nobody says a word"))
    screen.expect(abs(before.error + seconds * 1e9) < 1e9, f"the freeze of {seconds} s is missing on the guest's clock")
    box = {}
    watcher = threading.Thread(target=_watch, args=(stage, resumed, box))
    watcher.start()
    watcher.join()
    if notice:
        said = notice.end()
        screen.expect(said.code == 0, f"clockmend-host ended well (exit {said.code}{': ' + said.text if said.text else ''})")
    report = agent.wait_record(number, 40)
    took = box["took"]
    if screen.expect(took is not None, "the clock became right within 30 s of resume"):
        screen.say(f"right within 10 ms since {took / 1e6:.1f} ms after resume, seen from outside")
    _judge(stage, report, resumed, before, daemons, "resume")
    if check and report:
        check(stage, report)


def _look_for_wrong(observer, command_ended, box):
    """Looks at the guest's clock from outside without a pause, from before the command until it is years wrong; gives up a while
    after the command has ended."""
    end = None
    while end is None or time.monotonic() < end:
        sample = observer.sample()
        if abs(sample.error) > YEAR_NS:
            box["wrong"] = sample
            return
        if end is None and command_ended.is_set():
            end = time.monotonic() + 2


def _set_wrong(stage, command):
    """Runs the command; returns (host's time before it, what was seen from outside of the wrong clock, or None)."""
    ended, box = threading.Event(), {}
    looking = threading.Thread(target=_look_for_wrong, args=(stage.vm.observer, ended, box))
    stage.screen.say(f"in the guest: {command}")
    looking.start()
    began = time.clock_gettime_ns(time.CLOCK_REALTIME)
    try:
        made = stage.vm.exec.check(command).strip()
    finally:
        ended.set()
        looking.join()
    stage.screen.say(f"the command says: {made}")
    return began, box.get("wrong")


def wrong_date(stage, command):
    """Somebody sets the clock years wrong: beyond what ntpd survives."""
    screen, agent = stage.screen, stage.agent
    for _ in range(TRIES):
        stage.wait_settled()
        daemons, number = agent.daemons(), agent.last_number()
        began, wrong = _set_wrong(stage, command)
        if wrong:
            break
        screen.say("the agent was quicker than every look from outside; once more")
        agent.wait_record(number, 40)
    if not screen.expect(wrong is not None, "the wrong clock was seen from outside"):
        return
    screen.say(f"seen from outside: the guest's clock is {in_words(wrong)}, {wrong.error / 86400e9:+.1f} days")
    box = {}
    _watch(stage, began, box)
    if screen.expect(box["took"] is not None, "the clock became right within 30 s"):
        screen.say(f"right within 10 ms since {box['took'] / 1e6:.1f} ms after the command was sent, seen from outside")
    report = agent.wait_record(number, 40)
    _judge(stage, report, began, wrong, daemons, "the command was sent")
    if report:
        told = report["discontinuity"]["foreign_step_ns"] or 0
        screen.expect(abs(told - wrong.error) < 1e9, f"the agent's record tells the same: set by {told / 1e9:+.3f} s")


def stop_first(stage, seconds):
    """The plain runbook order: no step while a time daemon runs."""
    stage.agent.drop_in("50-demo", '[policy]\nsequence = "stop-first"\n')
    stage.agent.reload()
    status = stage.agent.wait_status(lambda value: value["sequence"] == "stop-first", 10)
    stage.screen.expect((status or {}).get("sequence") == "stop-first", "the reload put sequence = \"stop-first\" in force")

    def order(_, report):
        ends = {action["kind"]: action["ended_ns"] for action in report["actions"]}
        begins = {action["kind"]: action["begun_ns"] for action in reversed(report["actions"])}
        stage.screen.expect("step" in begins and ends.get("stop-daemon", 1 << 62) <= begins["step"],
                            "the clock was stepped only after the daemon had stopped")
    freeze(stage, seconds, True, order)
    stage.agent.drop_out("50-demo")
    stage.agent.reload()
    stage.agent.wait_status(lambda value: value["sequence"] == "restore-first", 10)


def three_servers(stage, seconds, addresses, liar):
    """Two honest servers against one liar."""
    screen, vm = stage.screen, stage.vm
    vm.exec.check(f"/usr/local/lib/lab/ntp-config '{' '.join(addresses)}' && systemctl restart ntpsec")
    stage.agent.reload()
    screen.say(f"NTP servers now: {', '.join(addresses)}; {liar} is wrong by {LIAR_S:+.0f} s")

    def outvoted(_, report):
        status = stage.agent.status()
        states = {server["address"]: server["state"] for server in status["servers"]}
        screen.expect(set(addresses) <= set(states), f"all servers were found: {states}")
        # Two honest answers may end the measurement before the liar's word arrives; a second look hears everybody.
        status = stage.agent.wait_status(lambda value: any("falseticker" in each["state"] for each in value["servers"]), 40)
        states = {server["address"]: server["state"] for server in status["servers"]}
        screen.expect("falseticker" in states.get(liar, ""), f"the liar is called one: {states.get(liar)}")
        total = report["total_step_ns"] / 1e9
        screen.expect(abs(total - seconds) < 1, f"stepped by the true gap, not by the lie: {total:+.3f} s")
    freeze(stage, seconds, False, outvoted)
