"""The agent killed before each system call that a correction makes: strace kills the shipped binary at the N-th call of a kind,
for every N that an undisturbed correction shows. The agent stands still (SIGSTOP) from before the freeze until after it, so
that strace counts from the resume on."""
import re
import time
from collections import Counter
from dataclasses import dataclass

from harness import repair
from harness.check import Case, GiveUp, Skip

KINDS = ("fsync", "fdatasync", "rename", "renameat", "renameat2", "clock_adjtime", "ioctl", "sendmsg")
GAP_S = 0.4
DROP_IN = "/run/systemd/system/clockmendd.service.d"
LOG, SAID, PID = "/run/strace.log", "/run/strace.said", "/run/strace.pid"
CALL = re.compile(r"^(\w+)\((.*)")
HISTORY, STATUS = "history.jsonl", "status.json"
HEALED_S = 40
SAME_NS = 5_000_000  # what trims and the observer's own error may leave between two accounts of the same steps
ONCE_NS = 60_000_000  # no clock may pass the right time by more: a step made twice shows as GAP_S
SOME_S = 50  # of the ordinary run
EVERY_S = 5400
TRIES = 3  # a correction does not make exactly the same calls each time


@dataclass(frozen=True)
class Point:
    kind: str
    number: int

    def __str__(self):
        return f"{self.kind} {self.number}"


@dataclass(frozen=True)
class Fate:
    """What became of one point. `call` is what the agent was about to do."""
    point: Point
    killed: bool
    wrong: tuple
    call: str = ""
    took_s: float = 0.0


def _set_by(sample):
    """REALTIME - MONOTONIC: changed by steps alone, whoever makes them."""
    return sample.realtime - sample.monotonic


def attach(guest, inject=""):
    """The agent stands still, and strace waits for its first call."""
    guest.exec.check(
        f"rm -f {LOG} {SAID}; pid=$(systemctl show -p MainPID --value clockmendd); kill -STOP $pid; "
        f"strace -y -o {LOG} -e trace={','.join(KINDS)} {inject} -p $pid > /dev/null 2> {SAID} < /dev/null & echo $! > {PID}; "
        f"n=0; until grep -q attached {SAID}; do n=$((n + 1)); [ $n -lt 100 ] || {{ cat {SAID}; exit 1; }}; sleep 0.05; done", 90)


def release(guest, pid):
    guest.exec.check(f"kill -CONT {pid}")


def detach(guest):
    """strace ends, the agent goes on. Returns strace's log."""
    return guest.exec.run(f"kill -TERM $(cat {PID}) 2> /dev/null; n=0; while kill -0 $(cat {PID}) 2> /dev/null && [ $n -lt 50 ]; "
                          f"do n=$((n + 1)); sleep 0.05; done; cat {LOG}").output


def freeze(guest):
    guest.vm.stop()
    time.sleep(GAP_S)
    return guest.vm.cont()


def ready(guest, timeout_s=40):
    """As much of wait_settled() as a point needs: the time daemon is set up not to touch the clock in its first minutes."""
    end, why = time.monotonic() + timeout_s, ""
    while time.monotonic() < end:
        status = guest.agent.now()
        why = _not_ready(guest, status)
        if not why:
            return status
        if why.startswith("clock off"):
            guest.set_right()
        time.sleep(0.1)
    raise GiveUp(f"not ready for the next point within {timeout_s} s: {why}\n{guest.agent.journal()}")


def _not_ready(guest, status):
    if not status or status["state"] != "synchronized":
        return f"agent state {status and status['state']}: {status and status['state_reason']}"
    rtc = next(probe for probe in status["probes"] if probe["name"] == "rtc")
    if not rtc["last"]:
        return f"rtc probe {rtc['state']}: {rtc['why']}"
    error = guest.observer.best().error
    return f"clock off by {repair.ms(error)}" if abs(error) > repair.RIGHT_NS else ""


def undisturbed(guest, log):
    """The calls from the resume until history and status tell of the correction, in order."""
    ready(guest)
    was = repair.before(guest)
    attach(guest)
    resumed = freeze(guest)
    release(guest, was.pid)
    repair.watch(guest, log, resumed)
    report = repair.record(guest, log, was, tell_since=resumed)
    time.sleep(1)
    text = detach(guest)
    log.expect(report["outcome"] == "corrected" and abs(report["total_step_ns"] - GAP_S * 1e9) < 0.1e9, "the undisturbed one was corrected")
    repair.daemon_back(guest, log, was, restarted=True)
    repair.same_agent(guest, log, was)
    calls = [match.groups() for match in map(CALL.match, text.splitlines()) if match]
    return until_told(calls)


def until_told(calls):
    """Up to the status file that tells of the history's new record."""
    told = max((at for at, (kind, what) in enumerate(calls) if kind == "fsync" and HISTORY in what), default=None)
    if told is None:
        raise GiveUp(f"strace saw no fsync of the history among {len(calls)} calls: {calls[-5:]}")
    published = next((at for at, (kind, what) in enumerate(calls) if at > told and kind.startswith("rename") and STATUS in what), told)
    return calls[:published + 1]


def _watch_steps(guest, seconds, holds):
    """Looks at the clock while waiting for holds(); returns whether it came, and the extremes of REALTIME - MONOTONIC."""
    low = high = _set_by(guest.observer.sample())
    end, look = time.monotonic() + seconds, 0.0
    while time.monotonic() < end:
        value = _set_by(guest.observer.sample())
        low, high = min(low, value), max(high, value)
        if time.monotonic() > look:
            if holds():
                return True, low, high
            look = time.monotonic() + 0.25
        time.sleep(0.01)
    return False, low, high


def _killed(guest):
    return "killed by SIGKILL" in guest.exec.run(f"tail -n 3 {LOG}").output


def _over(guest, was):
    """A fresh agent is content with the clock, and what ran before runs."""
    return (guest.agent.pid() not in (0, was.pid) and (guest.agent.now() or {}).get("state") == "synchronized" and
            set(guest.agent.daemons()) == set(was.daemons) and abs(guest.observer.best(3).error) <= repair.RIGHT_NS)


def _told_steps(records):
    """By how much the history says that the clock was set, by the agent and by others it saw."""
    return sum(each["total_step_ns"] + (each["discontinuity"]["foreign_step_ns"] or 0) for each in records)


def _judge(guest, was, before, low, high, gap_ns):
    """What is not as it must be after the kill."""
    wrong = []
    sample = guest.observer.best()
    if abs(sample.error) > repair.RIGHT_NS:
        wrong.append(f"the clock is off by {repair.ms(sample.error)}")
    if set(guest.agent.daemons()) != set(was.daemons):
        wrong.append(f"running: {', '.join(guest.agent.daemons()) or 'no time daemon'}")
    if guest.agent.pid() in (0, was.pid):
        wrong.append("no fresh agent runs")
    if high - before > gap_ns + ONCE_NS or low - before < -ONCE_NS:
        wrong.append(f"the clock was set by {repair.ms(low - before)} to {repair.ms(high - before)} for a gap of {repair.ms(gap_ns)}")
    records = [each for each in guest.agent.history() if each["number"] > was.number]
    told, stepped = _told_steps(records), _set_by(sample) - before
    if abs(told - stepped) > SAME_NS:
        wrong.append(f"the history tells of steps by {repair.ms(told)}, made were {repair.ms(stepped)}")
    status = guest.agent.now() or {}
    last = (status.get("last_correction") or {}).get("number")
    if records and last != records[-1]["number"]:
        wrong.append(f"status: last correction {last}, history {records[-1]['number']}")
    if status.get("state") != "synchronized" or not status["clock"]["valid"]:
        wrong.append(f"status: {status.get('state')}: {status.get('state_reason')}")
    return tuple(wrong)


def strike(guest, point):
    """One try. A fate that was not killed says that the correction made fewer calls of the kind this time."""
    began = time.monotonic()
    ready(guest)
    was = repair.before(guest)
    start = guest.observer.best()
    attach(guest, f"-e inject={point.kind}:signal=KILL:when={point.number}")
    freeze(guest)
    gap_ns = start.error - guest.observer.best().error
    release(guest, was.pid)

    def struck():
        return _killed(guest) or guest.agent.last_number() > was.number
    _, low, high = _watch_steps(guest, 20, struck)
    killed, low2, high2 = _watch_steps(guest, 4, lambda: _killed(guest))  # the record is there, the status is about to be
    low, high = min(low, low2), max(high, high2)
    text = detach(guest)
    call = next((line for line in reversed(text.splitlines()) if CALL.match(line)), "")
    if not killed:
        return Fate(point, False, ())
    _, low2, high2 = _watch_steps(guest, HEALED_S, lambda: _over(guest, was))
    wrong = _judge(guest, was, _set_by(start), min(low, low2), max(high, high2), gap_ns)
    return Fate(point, True, wrong, call.split(" = ")[0], time.monotonic() - began)


def _strike_surely(guest, log, point):
    for _ in range(TRIES):
        fate = strike(guest, point)
        if fate.killed:
            break
    verdict = "not reached" if not fate.killed else "; ".join(fate.wrong) or "survived"
    log.say(f"{str(point):18} {verdict:10} {fate.took_s:5.1f} s  {fate.call[:110]}")
    if fate.wrong:
        log.say(guest.agent.journal(40))
        log.say("\n".join(str(each) for each in guest.agent.history()[-2:]))
    return fate


def every(found):
    return [Point(kind, number + 1) for kind in KINDS for number in range(found[kind])]


def some(found):
    """The first of each kind, the last, the middle: as far as the time goes."""
    kinds = [kind for kind in KINDS if found[kind]]
    numbers = [(kind, number) for which in (lambda count: 1, lambda count: count, lambda count: (count + 1) // 2)
               for kind in kinds for number in (which(found[kind]),)]
    return [Point(kind, number) for kind, number in dict.fromkeys(numbers)]


def _table(log, found, fates):
    log.say(f"{'call':14} {'found':>6} {'tried':>6} {'killed':>7} {'survived':>9}")
    for kind in [*(kind for kind in KINDS if found[kind]), "all"]:
        mine = [fate for fate in fates if kind in (fate.point.kind, "all")]
        killed = [fate for fate in mine if fate.killed]
        count = sum(found.values()) if kind == "all" else found[kind]
        log.say(f"{kind:14} {count:6} {len(mine):6} {len(killed):7} {sum(not fate.wrong for fate in killed):9}")
    log.say("points found and killed are equal" if sum(fate.killed for fate in fates) == sum(found.values()) else
            f"points found {sum(found.values())}, killed {sum(fate.killed for fate in fates)}")


class _Prepared:
    """The agent comes back at once; the time daemon's first measurement, which could set the clock beside it, comes late."""

    def __init__(self, guest):
        self._guest = guest

    def __enter__(self):
        self._guest.exec.check(
            f"mkdir -p {DROP_IN} && cp /etc/ntpsec/ntp.conf /run/ntp.conf.kept && "
            f"printf '[Service]\\nRestartSec=100ms\\n' > {DROP_IN}/50-lab.conf && "
            f"sed -i 's/ iburst//' /etc/ntpsec/ntp.conf && systemctl daemon-reload && systemctl restart {self._guest.profile.unit}", 120)

    def __exit__(self, *_):
        self._guest.exec.run(f"kill -TERM $(cat {PID}); kill -CONT $(systemctl show -p MainPID --value clockmendd)")
        self._guest.exec.check(f"rm -rf {DROP_IN} && cp /run/ntp.conf.kept /etc/ntpsec/ntp.conf && systemctl daemon-reload && "
                               f"systemctl restart {self._guest.profile.unit}", 120)


def _strike_all(guest, log, points, budget_s):
    """Until the time is over; at least one of each kind."""
    began, fates = time.monotonic(), []
    for point in points:
        seen = {fate.point.kind for fate in fates}
        if time.monotonic() - began > budget_s and point.kind in seen:
            break
        fates.append(_strike_surely(guest, log, point))
    return fates


def _kill(choose, budget_s):
    def case(guest, log):
        if guest.exec.run("command -v strace").code != 0:
            raise Skip("the guest has no strace")
        with _Prepared(guest):
            calls = undisturbed(guest, log)
            found = Counter(kind for kind, _ in calls)
            log.say(f"an undisturbed correction: {', '.join(f'{kind} {found[kind]}' for kind in KINDS if found[kind])}")
            points = choose(found)
            fates = _strike_all(guest, log, points, budget_s)
            ready(guest)
        _table(log, found, fates)
        if choose is every:
            log.expect(len(fates) == sum(found.values()), f"{len(fates)} points tried, {sum(found.values())} found")
        log.expect(all(fate.killed for fate in fates), f"killed at each of the {len(fates)} points tried, of {sum(found.values())} found")
        for fate in fates:
            if fate.wrong:
                log.expect(False, f"{fate.point}: {'; '.join(fate.wrong)}")
    return case


CASES = [
    Case("killed_at_some_calls", _kill(some, SOME_S), deadline_s=600, fault="agent killed before some of a correction's system calls"),
    Case("killed_at_every_call", _kill(every, EVERY_S), long=True, deadline_s=EVERY_S + 600,
         fault="agent killed before each fsync, rename, clock_adjtime, ioctl and sendmsg of a correction"),
]
