"""The RTC written by somebody else, and moved to another QEMU: no wrong step comes of it."""
import time

from harness import inside, repair
from harness.check import Case


def _still_right(guest, log, was, wait_s=6.0, restarted=False):
    """Whatever was looked into, the clock was not stepped. restarted None: the time daemon may have been."""
    time.sleep(wait_s)
    steps = [record["total_step_ns"] for record in guest.agent.history() if record["number"] > was.number]
    log.expect(not any(steps), f"no step was made ({len(steps)} records)")
    log.expect(abs(guest.observer.best().error) < 5e6, f"the clock is still right: {repair.ms(guest.observer.best().error)}")
    repair.daemon_back(guest, log, was, restarted)


def rtc_written_by_hwclock(guest, log):
    """Its second's edge moves by up to a second; the baseline must be learned anew, and serve again."""
    before = inside.look(guest, rtc=True)["rtc"]["offset_ns"]
    was = repair.before(guest)
    guest.vm.rtc_watch()
    guest.exec.check("hwclock -w", 60)
    log.expect(guest.vm.rtc_writes() > 0, "QEMU tells of the write")
    after = inside.look(guest, rtc=True)["rtc"]["offset_ns"]
    log.say(f"RTC against the guest's clock: {repair.ms(before)} before hwclock -w, {repair.ms(after)} after")
    _still_right(guest, log, was)
    resumed = repair.freeze(guest, log)
    repair.watch(guest, log, resumed)
    repair.healed(guest, log, was, repair.record(guest, log, was, tell_since=resumed))


def rtc_set_wrong(guest, log):
    """Somebody sets the RTC 3 s ahead, which looks like a pause until NTP is asked: the clock is right and stays."""
    was = repair.before(guest)
    guest.exec.check("hwclock --set --date \"$(date -d '+3 seconds' '+%F %T')\"", 60)
    try:
        _still_right(guest, log, was, 10, restarted=None)
    finally:
        guest.exec.check("hwclock -w", 60)
    time.sleep(4)
    log.expect(abs(guest.observer.best().error) < 5e6, f"and after it was set right: {repair.ms(guest.observer.best().error)}")


def rtc_over_upgrade(guest, log):
    """The second's edge in a fresh QEMU, and no step beyond what the move cost."""
    guest.exec.check("hwclock -w", 60)
    time.sleep(2)
    was = repair.before(guest)
    sample = guest.observer.best()
    before = inside.look(guest, rtc=True)["rtc"]["offset_ns"] + sample.error
    resumed = guest.vm.migrate_through_file(0.0)
    lost = sample.error - guest.observer.best().error
    time.sleep(8)
    after = inside.look(guest, rtc=True)["rtc"]["offset_ns"] + guest.observer.best().error
    log.say(f"the RTC's edge against the host moved by {repair.ms(after - before)}, the move cost {lost / 1e6:.1f} ms")
    steps = sum(record["total_step_ns"] for record in guest.agent.history() if record["number"] > was.number)
    log.expect(abs(steps) < lost + 100e6, f"no step beyond that: {repair.ms(steps)}")
    if lost > 150e6:
        repair.watch(guest, log, resumed)
    guest.set_right()


CASES = [
    Case("rtc_written_by_hwclock", rtc_written_by_hwclock),
    Case("rtc_set_wrong", rtc_set_wrong),
    Case("rtc_over_upgrade", rtc_over_upgrade),
]
