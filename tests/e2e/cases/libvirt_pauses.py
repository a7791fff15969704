"""Pauses by virsh suspend and resume, of every length, and many of them; told and not told."""
import random
import time

from harness import repair, told
from harness.check import Case
from harness.host_tool import Watch

PAUSES = 20


def _pause(seconds):
    return lambda vm: vm.freeze(seconds)


def pause_200ms_alone(guest, log):
    told.alone(guest, log, _pause(0.2), 0.2)


def pause_200ms_watch(guest, log):
    told.watched(guest, log, _pause(0.2), 0.2, "resumed")


def pause_2s_alone(guest, log):
    told.alone(guest, log, _pause(2), 2)


def pause_30s_alone(guest, log):
    told.alone(guest, log, _pause(30), 30)


def pause_30s_notify(guest, log):
    told.notified(guest, log, _pause(30), 30, "resumed")


def _long_pause(guest):
    """1100 s, more than ntpd's panic limit and than one witness alone may move the clock. The guest's world is moved ahead while it
    stands still: QEMU with its RTC, the NTP server, clockmend-host and the observer."""
    def disturb(vm):
        vm.stop()
        time.sleep(1)
        guest.clock.move(1098)
        time.sleep(1)
        return vm.cont()
    return disturb


def pause_1100s_alone(guest, log):
    told.alone(guest, log, _long_pause(guest), 1100)


def pause_1100s_watch(guest, log):
    told.watched(guest, log, _long_pause(guest), 1100, "resumed")


def pause_1100s_notify(guest, log):
    told.notified(guest, log, _long_pause(guest), 1100, "resumed")


def save_1100s_alone(guest, log):
    """The same with a fresh QEMU, whose RTC has its second elsewhere."""
    def disturb(vm):
        state = vm.save()
        guest.clock.move(1098)
        time.sleep(2)
        return vm.restore(state)
    told.alone(guest, log, disturb, 1100)


def _twenty(guest, log):
    """Some come while the one before is still being corrected."""
    seed = random.randrange(1 << 32)
    log.say(f"seed {seed}")
    noise = random.Random(seed)
    was = repair.before(guest)
    took = []
    for number in range(1, PAUSES + 1):
        gap = noise.uniform(0.2, 2.0)
        resumed = guest.vm.freeze(gap)
        right, sample = guest.observer.wait_right(repair.RIGHT_NS, resumed, 20)
        log.require(right is not None, f"pause {number} of {gap:.2f} s: {'right' if right else 'not right'} within 20 s "
                    f"({repair.ms(sample.error)}){f', after {right / 1e6:.0f} ms' if right else ''}")
        took.append(right / 1e6)
        time.sleep(noise.uniform(0, 2.5))
    took.sort()
    log.say(f"right after {took[0]:.0f}..{took[-1]:.0f} ms, half of them within {took[len(took) // 2]:.0f} ms")
    guest.wait_settled()
    records = [each for each in guest.agent.history() if each["number"] > was.number]
    outcomes = sorted({each["outcome"] for each in records})
    log.say(f"{len(records)} records, {', '.join(outcomes)}; steps {told.stepped_s(guest, was):.3f} s")
    log.expect(set(outcomes) <= {"corrected", "no-action"}, "none was refused and none failed")
    repair.daemon_back(guest, log, was)
    repair.status_tells(guest, log, records[-1])
    repair.rtc_right(guest, log)
    repair.same_agent(guest, log, was)


def twenty_pauses_alone(guest, log):
    _twenty(guest, log)


def twenty_pauses_watch(guest, log):
    with Watch(guest, log) as watch:
        _twenty(guest, log)
        told_count = watch.said().count("guest: told resumed")
        log.expect(told_count >= PAUSES // 2, f"watch told {told_count} times")
        log.expect(watch.said().count("guest: resumed") >= PAUSES, "and saw every pause")


CASES = [
    *(Case(f"libvirt_{run.__name__}", run, "libvirt") for run in (pause_200ms_alone, pause_2s_alone)),
    *(Case(f"libvirt_{run.__name__}", run, "libvirt", long=True) for run in (pause_200ms_watch, pause_30s_alone, pause_30s_notify)),
    *(Case(f"libvirt_{run.__name__}", run, "libvirt", long=True, deadline_s=420) for run in (twenty_pauses_alone, twenty_pauses_watch)),
    *(Case(f"libvirt_{run.__name__}", run, "libvirt_ahead", long=True)
      for run in (pause_1100s_alone, pause_1100s_watch, pause_1100s_notify, save_1100s_alone)),
]
