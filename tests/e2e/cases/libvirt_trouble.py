"""Guests of libvirt where something else goes wrong at the same time: libvirtd, the port, the agent, the whole guest."""
import json
import shutil
import time

from harness import repair, told
from harness.check import Case
from harness.host_tool import HostTool, Watch

GAP_S = 2.0
# A notice waits for so long before the agent starts; a clock that was stepped by it would stay behind by at least that.
WAITS_S = 4.0
LONG_GAP_S = 10.0


def _pause(vm):
    return vm.freeze(GAP_S)


# libvirtd.
def daemon_restarted(guest, log):
    """It goes and comes back under watch; while it is away, or hangs, everything ends by its deadline."""
    tool = HostTool(guest)
    with Watch(guest, log) as watch:
        guest.libvirtd.stop()
        watch.wait_said("no connection to libvirt")
        for control in (tool.control, ""):
            away = tool.run("notify", "--domain", guest.vm.name, control=control)
            log.expect(away.code == 9 and away.took_s < 5, f"libvirtd is away: {away.code} after {away.took_s:.1f} s: {away.text}")
        guest.libvirtd.start()
        watch.wait_said("connected to libvirt", 20, 2)
        watch.wait_said("guest: told resumed")
        log.expect(watch.wait_metric("libvirt_connections_total", 2) == 2, "metrics: connected twice")
        guest.wait_settled()
        was = repair.before(guest)
        resumed = _pause(guest.vm)
        repair.watch(guest, log, resumed)
        repair.healed(guest, log, was, repair.record(guest, log, was, tell_since=resumed))
        watch.wait_said("guest: told resumed", 20, 2)
    guest.libvirtd.hang()
    try:
        hung = tool.run("notify", "--domain", guest.vm.name, "--deadline", "2s")
        log.expect(hung.code == 9 and hung.took_s < 5, f"libvirtd hangs: {hung.code} after {hung.took_s:.1f} s: {hung.text}")
    finally:
        guest.libvirtd.wake()


def daemon_restarted_in_pause_alone(guest, log):
    """It is another process when the guest is let go."""
    def disturb(vm):
        vm.stop()
        guest.libvirtd.restart()
        time.sleep(GAP_S)
        return vm.cont()
    told.alone(guest, log, disturb, GAP_S)


def daemon_restarted_in_pause_watch(guest, log):
    """watch is there before, and finds it again in time."""
    with Watch(guest, log) as watch:
        was = repair.before(guest)
        guest.vm.stop()
        guest.libvirtd.restart()
        watch.wait_said("connected to libvirt", 20, 2)
        resumed = guest.vm.cont()
        repair.watch(guest, log, resumed)
        repair.healed(guest, log, was, repair.record(guest, log, was, tell_since=resumed))
        watch.wait_said("guest: told resumed")
        told.answered(guest, log, was, "watch-")


# The port.
def attach_port(guest, log, pauses=False):
    """The port is taken away, and comes by virsh attach-device, while the guest and watch run."""
    tool = HostTool(guest)
    xml = guest.libvirtd.folder / "channel.xml"
    shutil.copy(told.EXAMPLES / "channel.xml", xml)
    with Watch(guest, log) as watch:
        watch.wait_metric("guests", 1)
        guest.vm.agent_port_unplug()
        end = time.monotonic() + 15
        while watch.metric("guests") != 0 and time.monotonic() < end:
            time.sleep(0.2)
        log.expect(watch.metric("guests") == 0, "watch knows that the port is gone")
        for control in (tool.control, ""):
            said = tool.run("notify", "--domain", guest.vm.name, control=control)
            log.expect(said.code == 3 and "no channel" in said.text, f"without a port: {said.code} {said.text}")
        if pauses:
            told.alone(guest, log, _pause, GAP_S)
        guest.vm.agent_port_plug(xml)
        log.expect(watch.wait_metric("guests", 1) == 1, "watch knows that it is back")
        said = tool.run("exchange", "--domain", guest.vm.name)
        log.expect(said.code == 0, f"the port works: {said.code} {said.text if said.code else ''}")
    if pauses:
        guest.wait_settled()
        told.watched(guest, log, _pause, GAP_S, "resumed")


def attach_port_pauses(guest, log):
    """Paused without the port the guest helps itself; paused with it again, watch tells."""
    attach_port(guest, log, pauses=True)


# The agent.
def _stop_agent(guest):
    guest.exec.check("systemctl stop clockmendd")


def _start_agent(guest):
    guest.exec.check("systemctl start clockmendd")


def agent_down_stale(guest, log):
    """A hook tells while nobody listens. The agent finds it when it starts later, without NTP: it must not believe that old time, which
    would leave the clock behind by as much as it waited."""
    _stop_agent(guest)
    guest.block_ntp()
    guest.vm.freeze(LONG_GAP_S)
    lost = -guest.observer.best().error / 1e9
    log.expect(lost > LONG_GAP_S - 1, f"nobody corrects: {lost:.3f} s behind")
    said = HostTool(guest).run("notify", "--domain", guest.vm.name, "--answer-deadline", "2s", "--deadline", "4s")
    log.expect(said.code == 3 and said.took_s < 5, f"notify without an agent: {said.code} after {said.took_s:.1f} s: {said.text}")
    line = guest.agent.line()
    line.send(json.dumps({"execute": "clock-notify", "arguments": {
        "event": "resumed", "id": "stale", "sent-realtime-ns": guest.clock.now_ns(), "max-age-ms": 600_000}}).encode() + b"\n")
    time.sleep(WAITS_S)
    _start_agent(guest)
    try:
        _never_half_way(guest, log, lost)
    finally:
        line.close()
        guest.unblock_ntp()
    repair.reverify(guest, log)
    repair.watch(guest, log, guest.clock.now_ns())
    guest.wait_settled()
    repair.rtc_right(guest, log)


def _never_half_way(guest, log, lost_s, seconds=8):
    """Either it stays as it is, or another witness brings it to the right second."""
    worst, end = None, time.monotonic() + seconds
    while time.monotonic() < end:
        error = guest.observer.sample().error / 1e9
        if 1.2 < -error < lost_s - 0.5 or error > 1.2:
            worst = error
        time.sleep(0.02)
    log.expect(worst is None, f"the stale time was not believed ({error:+.3f} s{f', once {worst:+.3f} s' if worst else ''})")
    for record in guest.agent.history()[-2:]:
        log.say(f"record {record['number']}: {record['outcome']}: {record['reason']}, notices {record.get('notices')}")


def agent_down_waiting(guest, log):
    """notify is patient: the agent starts while it waits, and is told by a fresh exchange."""
    was = repair.before(guest)
    _stop_agent(guest)
    guest.vm.freeze(GAP_S)
    telling = HostTool(guest).start("notify", "--domain", guest.vm.name, "--answer-deadline", "25s", "--deadline", "45s", "--id", "patient")
    time.sleep(3)
    began = guest.clock.now_ns()
    _start_agent(guest)
    repair.watch(guest, log, began)
    told.ended(log, "notify --domain", telling)
    told.answered(guest, log, was, "patient")
    guest.wait_settled()
    repair.daemon_back(guest, log, was)
    repair.rtc_right(guest, log)


def agent_down_alone(guest, log):
    """It starts after the pause, and nobody tells it of one."""
    was = repair.before(guest)
    _stop_agent(guest)
    guest.vm.freeze(GAP_S)
    began = guest.clock.now_ns()
    _start_agent(guest)
    repair.watch(guest, log, began)
    repair.record(guest, log, was, tell_since=began)
    guest.wait_settled()
    repair.daemon_back(guest, log, was)
    repair.rtc_right(guest, log)


# The guest.
def _boot_id(guest):
    try:
        return guest.exec.run("cat /proc/sys/kernel/random/boot_id", 3).output.strip()
    except (TimeoutError, ConnectionError):
        return ""


def _booted_again(guest, log, was, boot_id, timeout_s=150):
    """It has gone down and come up, and all is well."""
    began, now = time.monotonic(), ""
    while now in ("", boot_id) and time.monotonic() - began < timeout_s:
        time.sleep(0.5)
        now = _boot_id(guest)
    log.require(now not in ("", boot_id), f"it has booted again, after {time.monotonic() - began:.1f} s")
    guest.vm.close_ports()
    guest.vm.wait_booted()
    guest.wait_settled()
    sample = guest.observer.best()
    log.expect(abs(sample.error) <= repair.RIGHT_NS, f"the clock is right: {repair.ms(sample.error)} +- {repair.ms(sample.uncertainty)}")
    repair.daemon_back(guest, log, was)
    repair.rtc_right(guest, log)
    numbers = [record["number"] for record in guest.agent.history()]
    log.expect(numbers == sorted(set(numbers)), f"the history can be read: {len(numbers)} records")
    log.say(guest.agent.journal(25))
    told.alone(guest, log, _pause, GAP_S)


def reboot_notify(guest, log):
    """It is told of a pause, and reboots while it corrects; the one who told waits for the report."""
    was = repair.before(guest)
    boot_id = _boot_id(guest)
    guest.vm.freeze(GAP_S)
    telling = HostTool(guest).start("notify", "--domain", guest.vm.name, "--deadline", "20s")
    guest.exec.run("systemctl reboot --no-block")
    told.ended(log, "notify --domain", telling, (0, 3, 4, 6), 25)  # the report, or in time that none came
    _booted_again(guest, log, was, boot_id)


def reset_alone(guest, log):
    """The reset button in the middle of a correction that nobody asked for: what was not written to the disk is lost."""
    was = repair.before(guest)
    boot_id = _boot_id(guest)
    guest.vm.freeze(GAP_S)
    time.sleep(1.0)
    guest.vm.reset()
    _booted_again(guest, log, was, boot_id)


CASES = [
    *(Case(f"libvirt_{run.__name__}", run, "libvirt") for run in (daemon_restarted, attach_port)),
    *(Case(f"libvirt_{run.__name__}", run, "libvirt", long=True)
      for run in (attach_port_pauses, daemon_restarted_in_pause_alone, daemon_restarted_in_pause_watch, agent_down_stale, agent_down_waiting,
                  agent_down_alone)),
    *(Case(f"libvirt_{run.__name__}", run, "libvirt", long=True, spoils=True, deadline_s=420) for run in (reboot_notify, reset_alone)),
]
