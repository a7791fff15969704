"""Long and repeated cases of the full run."""
import time

from harness import repair
from harness.check import Case

from . import disruptions, others

LEFT_ALONE_S = 25 * 60
KERNEL_WRITES_S = 12 * 60  # longer than its 11 minutes
TIME_ERROR = 5  # adjtimex(2)
PAUSES = 20
AGAIN = 5
PACE_S = 12  # a server is asked 16 times a minute at most, and a correction takes three or four


def twenty_pauses(guest, log):
    was = repair.before(guest)
    for number in range(PAUSES):
        guest.wait_settled()
        last = guest.agent.last_number()
        resumed = repair.freeze(guest, log, 1.0 + number % 4)
        repair.watch(guest, log, resumed)
        log.require(guest.agent.wait_record(last, 40) is not None, f"pause {number + 1} is in the history")
    guest.wait_settled()
    counters = guest.agent.status()["counters"]
    made = counters["corrections"] - was.counters["corrections"]
    log.expect(made == PAUSES, f"{made} corrections for {PAUSES} pauses")
    repair.daemon_back(guest, log, was)
    repair.same_agent(guest, log, was)


def left_alone(guest, log):
    """Nothing happens for 25 minutes, and nothing may be corrected. The kernel writes the RTC every 11 minutes meanwhile, as long
    as the time daemon calls the clock synchronised (adjtimex(2): STA_UNSYNC cleared): QEMU's event RTC_CHANGE proves that from
    outside, for each write, also of the same time. rtc_written_by_hwclock proves in every run that a write is seen so."""
    guest.wait_settled(hold=10)
    guest.vm.rtc_watch()
    synchronised = 0
    was = repair.before(guest)
    worst, end = 0, time.monotonic() + LEFT_ALONE_S
    while time.monotonic() < end:
        time.sleep(20)
        worst = max(worst, abs(guest.observer.best().error))
        synchronised += guest.agent.adjtime(0) != TIME_ERROR
    writes = guest.vm.rtc_writes()
    log.say(f"the kernel called the clock synchronised in {synchronised} of {LEFT_ALONE_S // 20} looks; the RTC was written {writes} times")
    if synchronised * 20 > KERNEL_WRITES_S:
        log.expect(writes > 0, "the kernel wrote the RTC meanwhile, seen by QEMU")
    else:
        log.say("the time daemon did not have the kernel write the RTC long enough: nothing is proved about that here")
    counters = guest.agent.status()["counters"]
    log.say(f"largest offset seen from outside {worst / 1e6:.3f} ms; counters {counters}")
    for name in ("corrections", "steps", "refusals", "failures"):
        log.expect(counters[name] == was.counters[name], f"{name}: {counters[name] - was.counters[name]} in {LEFT_ALONE_S} s")
    repair.daemon_back(guest, log, was, restarted=False)
    repair.same_agent(guest, log, was)


def _again(run):
    def case(guest, log):
        for number in range(AGAIN):
            log.say(f"--- time {number + 1} of {AGAIN}")
            guest.wait_settled()
            run(guest, log)
            time.sleep(PACE_S)
    return case


REPEATED = (disruptions.notice_with_exchange, disruptions.no_notice, disruptions.gap_200_ms)

CASES = [
    Case("twenty_pauses", twenty_pauses, long=True, deadline_s=900),
    *(Case(f"again_{run.__name__}", _again(run), long=True, deadline_s=400) for run in REPEATED),
    *(Case(f"left_alone_{profile}", left_alone, profile, long=True, deadline_s=LEFT_ALONE_S + 300) for profile in ("ntpsec", *others.VARIANTS)),
]
