"""Guests of libvirt: `clockmend-host watch`, `--domain`, `--all`, and the examples of deploy/host."""
import shutil
import time
from pathlib import Path

from harness import repair
from harness.check import Case
from harness.host_tool import HostTool, Watch

EXAMPLES = Path(__file__).resolve().parents[3] / "deploy/host"
GAP_S = 2.0


def _pause(guest, log):
    """virsh takes its time, and watch is quick: how much was lost is only known from the steps. Returns the time of resume."""
    began = time.monotonic()
    resumed = guest.vm.freeze(GAP_S)
    log.say(f"paused for at least {GAP_S} s, virsh took {time.monotonic() - began:.2f} s, clock now {repair.ms(guest.observer.sample().error)}")
    return resumed


def _told_by(report, prefix):
    return [ident for ident in report.get("notices", []) if ident.startswith(prefix)]


def _answered(guest, was, prefix, timeout_s=10):
    """Whether a record since then answers a notice of that kind."""
    end = time.monotonic() + timeout_s
    while True:
        records = [each for each in guest.agent.history() if each["number"] > was.number]
        if any(_told_by(each, prefix) for each in records) or time.monotonic() > end:
            return records
        time.sleep(0.3)


def watch_pause(guest, log):
    """virsh suspend and resume, with watch."""
    with Watch(guest, log) as watch:
        time.sleep(2)  # the metrics of the connection are written
        idle = watch.wakeups(10)
        log.expect(idle == 0, f"nothing wakes it while nothing happens: {idle} times in 10 s")
        was = repair.before(guest)
        resumed = _pause(guest, log)
        repair.watch(guest, log, resumed)
        report = repair.record(guest, log, was, tell_since=resumed)
        repair.healed(guest, log, was, report)
        log.expect(report["total_step_ns"] > (GAP_S - 0.3) * 1e9, f"the gap was corrected: {report['total_step_ns'] / 1e9:.3f} s")
        watch.wait_said("guest: told resumed")
        records = _answered(guest, was, "watch-")
        log.expect(any(_told_by(each, "watch-") for each in records), "a record answers the notice")
        reports = watch.wait_metric('reports_total{outcome="corrected"}', 1)
        log.expect(reports == 1, f"metrics: {reports:.0f} corrected")
        log.expect(watch.metric('notices_total{result="done"}') == 1, "metrics: one notice")
        took = watch.metric("last_seconds_to_right")
        log.expect(0 < took < 5, f"metrics: right after {took:.3f} s")
        said = HostTool(guest).run("exchange", "--socket", guest.vm.agent_socket, "--deadline", "5s", control="")
        log.expect(said.code == 0, f"the port is free again: {said.code} {said.text}")


def hook_notify(guest, log):
    """What a script does: virsh resume && clockmend-host notify --domain; without watch."""
    was = repair.before(guest)
    resumed = _pause(guest, log)
    said = HostTool(guest).run("notify", "--domain", guest.vm.name)
    log.expect(said.code == 0, f"notify --domain ended with {said.code} after {said.took_s:.2f} s {'' if said.code == 0 else said.text}")
    repair.watch(guest, log, resumed)
    repair.healed(guest, log, was, repair.record(guest, log, was, tell_since=resumed))


def save_restore(guest, log):
    """virsh save and restore: a fresh QEMU, on a port with another path."""
    with Watch(guest, log) as watch:
        was = repair.before(guest)
        resumed = guest.vm.save_restore(GAP_S)
        repair.watch(guest, log, resumed)
        repair.healed(guest, log, was, repair.record(guest, log, was, tell_since=resumed))
        watch.wait_said("guest: told restored")
        records = _answered(guest, was, "watch-")
        log.expect(any(_told_by(each, "watch-") for each in records), "a record answers the notice")


def hook_restore(guest, log):
    """The same without watch, by libvirt's hook of deploy/host."""
    memory = guest.libvirtd.folder / "hook"
    tool = HostTool(guest)
    wrapper = guest.libvirtd.folder / "hook.sh"
    # libvirt gives hooks no environment of ours.
    wrapper.write_text(f"#!/bin/sh\nexport CLOCKMEND_HOST={tool.program} CLOCKMEND_HOOK_MEMORY={memory}\n"
                       f"export CLOCKMEND_NOTIFY_OPTIONS='--connect {tool.uri} --id hook-restore'\n"
                       f"exec {EXAMPLES}/libvirt-hook.sh \"$@\"\n", encoding="ascii")
    wrapper.chmod(0o755)
    guest.libvirtd.hook(wrapper)
    guest.libvirtd.stop()
    guest.libvirtd.start()
    was = repair.before(guest)
    resumed = guest.vm.save_restore(GAP_S)
    repair.watch(guest, log, resumed)
    repair.healed(guest, log, was, repair.record(guest, log, was, tell_since=resumed))
    records = _answered(guest, was, "hook-restore")
    log.expect(any(_told_by(each, "hook-restore") for each in records), "a record answers the hook's notice")


def every_guest(guest, log):
    """--all: those that run and have the port, with and without watch."""
    tool = HostTool(guest)
    guest.libvirtd.virsh("define", str(_without_port(guest)))
    try:
        for name, run in (("libvirt", lambda: tool.run("exchange", "--all")), ("watch", lambda: _with_watch(guest, log, tool))):
            said = run()
            summary = said.lines[-1].get("summary") if said.lines else None
            log.expect(said.code == 0 and summary == {"guests": 1, "done": 1, "failed": 0, "code": 0}, f"asked of {name}: {said.code} {summary} "
                       f"{'' if said.code == 0 else said.text}")
            log.expect(said.lines and said.lines[0].get("target") == guest.vm.name, f"asked of {name}: the guest by its name")
        gone = tool.run("notify", "--domain", "nobody", "--domain", "idle")
        log.expect(gone.code == 3, f"guests that are not there: {gone.code} {gone.text}")
    finally:
        guest.libvirtd.virsh("undefine", "idle")
    was = repair.before(guest)
    resumed = _pause(guest, log)
    told = tool.run("notify", "--all")
    log.expect(told.code == 0, f"notify --all: {told.code} {told.text if told.code else ''}")
    repair.watch(guest, log, resumed)
    repair.healed(guest, log, was, repair.record(guest, log, was, tell_since=resumed))


def _with_watch(guest, log, tool):
    with Watch(guest, log):
        return tool.run("exchange", "--all")


def _without_port(guest):
    path = guest.libvirtd.folder / "idle.xml"
    path.write_text("<domain type='qemu'><name>idle</name><memory unit='MiB'>64</memory><os><type>hvm</type></os></domain>", encoding="ascii")
    return path


def daemon_restarted(guest, log):
    """libvirtd goes and comes back under watch; while it is away, or hangs, everything ends by its deadline."""
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
        resumed = _pause(guest, log)
        repair.watch(guest, log, resumed)
        repair.healed(guest, log, was, repair.record(guest, log, was, tell_since=resumed))
        watch.wait_said("guest: told resumed", 20, 2)
    guest.libvirtd.hang()
    try:
        hung = tool.run("notify", "--domain", guest.vm.name, "--deadline", "2s")
        log.expect(hung.code == 9 and hung.took_s < 5, f"libvirtd hangs: {hung.code} after {hung.took_s:.1f} s: {hung.text}")
    finally:
        guest.libvirtd.wake()


def two_notices(guest, log):
    """watch, a hook that asks it, and a hook that knows only the socket, all at once: one correction, and nobody hangs."""
    tool = HostTool(guest)
    with Watch(guest, log):
        was = repair.before(guest)
        began = time.monotonic()
        resumed = _pause(guest, log)
        longest = time.monotonic() - began
        both = [tool.start("notify", "--domain", guest.vm.name, "--id", "one"),
                tool.start("notify", "--socket", guest.vm.agent_socket, "--id", "two", control="")]
        repair.watch(guest, log, resumed)
        for each in both:
            text = each.communicate(timeout=60)[0]
            log.expect(each.returncode == 0, f"notify ended with {each.returncode} {text[-300:] if each.returncode else ''}")
        report = repair.record(guest, log, was, tell_since=resumed)
        repair.healed(guest, log, was, report)
        guest.wait_settled()
        stepped = sum(each["total_step_ns"] for each in guest.agent.history() if each["number"] > was.number)
        log.expect(GAP_S - 0.3 < stepped / 1e9 < longest + 0.3, f"the gap was corrected once: {stepped / 1e9:.3f} s")


def attach_port(guest, log):
    """The port is taken away, and comes by virsh attach-device, while the guest and watch run."""
    tool = HostTool(guest)
    xml = guest.libvirtd.folder / "channel.xml"
    shutil.copy(EXAMPLES / "channel.xml", xml)
    with Watch(guest, log) as watch:
        guest.libvirtd.virsh("detach-device-alias", guest.vm.name, guest.vm.port_alias(), "--live")
        end = time.monotonic() + 15
        while watch.metric("guests") != 0 and time.monotonic() < end:
            time.sleep(0.2)
        log.expect(watch.metric("guests") == 0, "watch knows that the port is gone")
        for control in (tool.control, ""):
            said = tool.run("notify", "--domain", guest.vm.name, control=control)
            log.expect(said.code == 3 and "no channel" in said.text, f"without a port: {said.code} {said.text}")
        guest.libvirtd.virsh("attach-device", guest.vm.name, str(xml), "--live")
        log.expect(watch.wait_metric("guests", 1) == 1, "watch knows that it is back")
        said = tool.run("exchange", "--domain", guest.vm.name)
        log.expect(said.code == 0, f"the port works: {said.code} {said.text if said.code else ''}")


CASES = [Case(f"libvirt_{run.__name__}", run, "libvirt") for run in
         (watch_pause, hook_notify, save_restore, every_guest, daemon_restarted, two_notices, attach_port, hook_restore)]
