"""Guests that go on in a fresh QEMU: saved, reverted to a snapshot, taken over by a newer QEMU; told and not told."""
import contextlib

from harness import repair, told
from harness.check import Case
from harness.host_tool import HostTool
from lab import images

GAP_S = 2.0
SNAPSHOT = "case"


def _saved(vm):
    return vm.save_restore(GAP_S)


def save_restore(guest, log):
    """The port has another path afterwards."""
    told.watched(guest, log, _saved, GAP_S, "restored")


def save_restore_alone(guest, log):
    told.alone(guest, log, _saved, GAP_S)


def hook_restore(guest, log):
    told.hooked(guest, log, _saved, GAP_S)


def _managed(vm):
    return vm.managed_save(GAP_S)


def managed_save_hook(guest, log):
    told.hooked(guest, log, _managed, GAP_S)


def managed_save_watch(guest, log):
    told.watched(guest, log, _managed, GAP_S, "restored")


def managed_save_alone(guest, log):
    told.alone(guest, log, _managed, GAP_S)


@contextlib.contextmanager
def _snapshot(guest, log):
    """Taking it stands the guest still as well. Going back takes the disk back too, and with it the history: what was before is what
    was before it was taken."""
    was = repair.before(guest)
    taken = guest.vm.snapshot(SNAPSHOT)
    log.say(f"snapshot taken, clock now {repair.ms(guest.observer.sample().error)}")
    took, sample = guest.observer.wait_right(repair.RIGHT_NS, taken, 10)
    # Less is left to the time daemon.
    log.expect(took is not None or abs(sample.error) < 100_000_000, f"right after it was taken ({repair.ms(sample.error)})")
    guest.wait_settled()
    yield was
    guest.vm.virsh("snapshot-delete", SNAPSHOT)
    guest.wait_settled()


def _reverted(vm):
    return vm.revert(SNAPSHOT)


def snapshot_alone(guest, log):
    with _snapshot(guest, log) as was:
        told.alone(guest, log, _reverted, GAP_S, was)


def snapshot_watch(guest, log):
    with _snapshot(guest, log) as was:
        told.watched(guest, log, _reverted, GAP_S, "snapshot", was)


def _next_qemu(log):
    try:
        return images.newer_qemu()
    except images.Unavailable as why:
        log.say(f"no newer QEMU ({why}): the same one again, as another program")
        return images.Qemu()


def _upgraded(guest, log, run):
    """run(disturb) goes to another QEMU and back."""
    version = guest.vm.query("query-version")["package"]
    qemu = _next_qemu(log)
    report = run(lambda vm: vm.hot_upgrade(qemu, GAP_S))
    log.say(f"QEMU was {version}, is {guest.vm.query('query-version')['package']}")
    return report


def hot_upgrade_notify(guest, log):
    """The pair of a hook before and a hook after."""
    before = HostTool(guest).run("notify", "--domain", guest.vm.name, "--event", "pausing")
    log.expect(before.code == 0, f"notify --event pausing ended with {before.code} after {before.took_s:.2f} s {before.text if before.code else ''}")
    _upgraded(guest, log, lambda disturb: told.notified(guest, log, disturb, GAP_S, "hot-upgrade"))


def hot_upgrade_alone(guest, log):
    _upgraded(guest, log, lambda disturb: told.alone(guest, log, disturb, GAP_S))


CASES = [
    *(Case(f"libvirt_{run.__name__}", run, "libvirt") for run in (save_restore, hook_restore)),
    *(Case(f"libvirt_{run.__name__}", run, "libvirt", long=True)
      for run in (save_restore_alone, managed_save_hook, managed_save_watch, managed_save_alone, snapshot_alone, snapshot_watch)),
    # Guests of a newer QEMU cannot go back to the older one.
    *(Case(f"libvirt_{run.__name__}", run, "libvirt", long=True, spoils=True) for run in (hot_upgrade_notify, hot_upgrade_alone)),
]
