"""A guest with vmclock and vmgenid: a kernel and a QEMU from newer suites. QEMU's page tells no time, only that the VM was
restored or moved; plain stop/cont it does not signal."""
import time

from harness import inside, repair
from harness.check import Case
from harness.profiles import MORE
from lab.network import HOST

MORE_SERVERS = MORE[:3]
FORK_LINE = "reseeded due to virtual machine fork"


def _announced(report):
    return report["discontinuity"]["disruptions"]


def _named(log, report, status):
    """The record says that vmclock told of it, and vmgenid as far as it may read the kernel's log."""
    said = _announced(report)
    log.expect(any("vmclock" in each for each in said), f"the record names vmclock: {said}")
    row = inside.probe(status, "vmgenid")
    log.require(row is not None, "status has a row for vmgenid")
    if row["state"] == "off":
        log.expect(bool(row["why"]), f"vmgenid is off, and status says why: {row['why']}")
    else:
        log.expect(any("fork" in each or "vmgenid" in each for each in said), f"the record names vmgenid ({inside.told(row)}): {said}")


def _moved(guest, log, disturb):
    status = guest.agent.now()
    log.say("vmclock " + inside.told(inside.probe(status, "vmclock")))
    log.say("vmgenid " + inside.told(inside.probe(status, "vmgenid")))
    marker = inside.marker(guest)
    was = repair.before(guest)
    resumed = disturb()
    log.say(f"runs in a fresh QEMU, clock now {repair.ms(guest.observer.sample().error)}")
    repair.watch(guest, log, resumed)
    report = repair.record(guest, log, was, tell_since=resumed)
    _named(log, report, status)
    repair.healed(guest, log, was, report)
    now = inside.marker(guest)
    log.expect(now == marker + 1, f"marker {marker} -> {now}")
    log.expect(FORK_LINE in guest.exec.check("dmesg | tail -30"), "the kernel's log has the line of vmgenid")


def vmclock_hot_upgrade(guest, log):
    _moved(guest, log, lambda: guest.vm.migrate_through_file(repair.GAP_S))


def vmclock_snapshot_restored(guest, log):
    def disturb():
        guest.vm.savevm("case")
        time.sleep(2)
        return guest.vm.restart_from("case")
    _moved(guest, log, disturb)


def vmclock_stop_cont(guest, log):
    """Not signalled: other witnesses find it."""
    marker = inside.marker(guest)
    was = repair.before(guest)
    resumed = repair.freeze(guest, log)
    repair.watch(guest, log, resumed)
    report = repair.record(guest, log, was, tell_since=resumed)
    repair.healed(guest, log, was, report)
    log.expect(inside.marker(guest) == marker, f"the marker stays {marker}")
    log.expect(not any("vmclock" in each for each in _announced(report)), f"vmclock said nothing: {_announced(report)}")


def vmclock_upgrade_without_gap(guest, log):
    """A move that costs next to nothing: looked into because of the marker, and no wrong step."""
    was = repair.before(guest)
    began = guest.observer.best().error
    resumed = guest.vm.migrate_through_file(0.0)
    lost = began - guest.observer.sample().error
    log.say(f"the move cost {lost / 1e6:.1f} ms")
    report = repair.record(guest, log, was, tell_since=resumed)
    repair.watch(guest, log, resumed)
    log.expect(abs(report["total_step_ns"]) < abs(lost) + 50e6, f"no step beyond what was lost: {repair.ms(report['total_step_ns'])}")
    repair.daemon_back(guest, log, was)
    repair.same_agent(guest, log, was)
    guest.set_right()


KERNEL_LOG = "/run/systemd/system/clockmendd.service.d"


def vmgenid_may_read(guest, log):
    """With the right to read the kernel's log, which the unit does not give by itself, its line is heard."""
    guest.exec.check(f"mkdir -p {KERNEL_LOG}")
    guest.exec.push(f"{KERNEL_LOG}/50-lab.conf", "[Service]\nProtectKernelLogs=no\nCapabilityBoundingSet=CAP_SYS_TIME CAP_SYSLOG\n"
                                                 "DeviceAllow=/dev/kmsg r\n")
    guest.exec.check("systemctl daemon-reload; systemctl restart clockmendd")
    try:
        guest.wait_settled()
        row = inside.probe(guest.agent.now(), "vmgenid")
        log.require(row is not None and row["state"] == "running", f"vmgenid {inside.told(row)}")
        was = repair.before(guest)
        resumed = guest.vm.migrate_through_file(repair.GAP_S)
        repair.watch(guest, log, resumed)
        report = repair.record(guest, log, was, tell_since=resumed)
        _named(log, report, guest.agent.status())
        repair.healed(guest, log, was, report)
    finally:
        if guest.alive():
            guest.exec.run(f"rm -r {KERNEL_LOG}; systemctl daemon-reload; systemctl restart clockmendd")


def _upgrade_with_lost_rtc(guest, log):
    """The RTC runs with the guest (QEMU's clock=rt) and its second moves when it is loaded: it says that nothing is missing."""
    was = repair.before(guest)
    offset = inside.look(guest, rtc=True)["rtc"]["offset_ns"]
    resumed = guest.vm.migrate_through_file(repair.GAP_S)
    lost = -guest.observer.sample().error
    moved = inside.look(guest, rtc=True)["rtc"]["offset_ns"] - offset
    log.say(f"{lost / 1e6:.0f} ms are missing; the RTC against the guest's clock, steps since included: {repair.ms(moved)}")
    return was, resumed, lost


def vmclock_rtc_outvoted(guest, log):
    """Three servers agree against it."""
    for address in MORE_SERVERS:
        guest.serve(address)
    guest.use_servers([HOST, *MORE_SERVERS])
    try:
        guest.wait_settled()
        was, resumed, lost = _upgrade_with_lost_rtc(guest, log)
        repair.watch(guest, log, resumed)
        report = repair.record(guest, log, was, tell_since=resumed)
        _named(log, report, guest.agent.status())
        log.expect(abs(report["total_step_ns"] - lost) < 0.5e9, f"stepped by what was missing: {report['total_step_ns'] / 1e9:.3f} s")
        repair.healed(guest, log, was, report)
    finally:
        guest.only_host_serves()
        guest.use_servers([HOST])


def vmclock_rtc_against_one(guest, log):
    """One server alone is contradicted by it: nothing is done, and the record says so."""
    was, _, _ = _upgrade_with_lost_rtc(guest, log)
    report = repair.record(guest, log, was)
    _named(log, report, guest.agent.status())
    log.expect(report["outcome"] == "refused" and "rtc" in report["reason"], f"{report['outcome']}: {report['reason']}")
    log.expect(report["total_step_ns"] == 0, "no step was made")
    repair.daemon_back(guest, log, was)
    repair.same_agent(guest, log, was)


CASES = [
    Case("vmclock_hot_upgrade", vmclock_hot_upgrade, "vmclock"),
    Case("vmclock_snapshot_restored", vmclock_snapshot_restored, "vmclock"),
    Case("vmclock_stop_cont", vmclock_stop_cont, "vmclock"),
    Case("vmclock_upgrade_without_gap", vmclock_upgrade_without_gap, "vmclock"),
    Case("vmgenid_may_read", vmgenid_may_read, "vmclock"),
    Case("vmclock_rtc_outvoted", vmclock_rtc_outvoted, "vmclock_rtc_rt"),
    Case("vmclock_rtc_against_one", vmclock_rtc_against_one, "vmclock_rtc_rt", spoils=True),
]
