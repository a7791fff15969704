"""Who tells guests of libvirt: `clockmend-host watch`, `--domain`, `--all`, a script's socket; one of them, and many at once."""
import json
import time

from harness import repair, told
from harness.check import Case
from harness.host_tool import HostTool, Watch

GAP_S = 2.0


def _pause(guest, log):
    """virsh takes its time, and watch is quick: how much was lost is only known from the steps. Returns the time of resume."""
    began = time.monotonic()
    resumed = guest.vm.freeze(GAP_S)
    log.say(f"paused for at least {GAP_S} s, virsh took {time.monotonic() - began:.2f} s, clock now {repair.ms(guest.observer.sample().error)}")
    return resumed


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
        told.answered(guest, log, was, "watch-")
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
    said = tool.run("notify", "--all")
    log.expect(said.code == 0, f"notify --all: {said.code} {said.text if said.code else ''}")
    repair.watch(guest, log, resumed)
    repair.healed(guest, log, was, repair.record(guest, log, was, tell_since=resumed))


def _with_watch(guest, log, tool):
    with Watch(guest, log):
        return tool.run("exchange", "--all")


def _without_port(guest):
    path = guest.libvirtd.folder / "idle.xml"
    path.write_text("<domain type='qemu'><name>idle</name><memory unit='MiB'>64</memory><os><type>hvm</type></os></domain>", encoding="ascii")
    return path


def _at_once(guest, log, callers):
    """One pause, and several that tell at the same moment: one correction, and nobody hangs."""
    was = repair.before(guest)
    began = time.monotonic()
    resumed = _pause(guest, log)
    longest = time.monotonic() - began
    running = [(what, start()) for what, start in callers]
    repair.watch(guest, log, resumed)
    for what, each in running:
        told.ended(log, what, each)
    report = repair.record(guest, log, was, tell_since=resumed)
    repair.healed(guest, log, was, report)
    guest.wait_settled()
    stepped = told.stepped_s(guest, was)
    log.expect(GAP_S - 0.3 < stepped < longest + 0.3, f"the gap was corrected once: {stepped:.3f} s")


def two_notices(guest, log):
    """watch, a hook that asks it, and a hook that knows only the socket."""
    tool = HostTool(guest)
    with Watch(guest, log):
        _at_once(guest, log, [("notify --domain", lambda: tool.start("notify", "--domain", guest.vm.name, "--id", "one")),
                              ("notify --socket", lambda: tool.start("notify", "--socket", guest.vm.agent_socket, "--id", "two", control=""))])


def _all_and_hook(guest, log, control=None):
    tool = HostTool(guest)
    _at_once(guest, log, [("notify --all", lambda: tool.start("notify", "--all", control=control)),
                          ("notify --domain", lambda: tool.start("notify", "--domain", guest.vm.name, control=control))])


def all_and_hook_watch(guest, log):
    """--all and a hook at the same moment; both ask watch, which wants to tell as well."""
    with Watch(guest, log):
        _all_and_hook(guest, log)


def all_and_hook(guest, log):
    """--all and a hook at the same moment, without watch."""
    _all_and_hook(guest, log, control="")


def _flood(count):
    """So many notices, each another one."""
    began = time.monotonic_ns()
    return b"".join(json.dumps({"execute": "clock-notify", "arguments": {"event": "resumed", "id": f"storm-{began}-{number}"}}).encode() + b"\n"
                    for number in range(count))


def storm(guest, log):
    """Thousands of notices, waiting already when it resumes and coming while it corrects, beside watch and ten hooks."""
    tool = HostTool(guest)
    with Watch(guest, log):
        was = repair.before(guest)
        began = time.monotonic()
        guest.vm.stop()
        line = guest.agent.line()
        line.send(_flood(300))
        time.sleep(GAP_S)
        resumed = guest.vm.cont()
        longest = time.monotonic() - began
        hooks = [tool.start("notify", "--domain", guest.vm.name, "--no-wait", "--deadline", "20s") for _ in range(10)]
        answers = 0
        for _ in range(30):
            line.send(_flood(100))
            answers += line.drain(0.1)
        line.close()
        log.say(f"3300 notices, {answers} bytes of answers")
        repair.watch(guest, log, resumed)
        for each in hooks:
            told.ended(log, "a hook's notify", each, (0, 1))  # 1: one notice too many
        report = repair.record(guest, log, was, tell_since=resumed)
        guest.wait_settled()
        # The storm may take the processor away for so long that the RTC's read-back proves nothing.
        repair.healed(guest, log, was, report, rtc=False)
        repair.rtc_right(guest, log)
        stepped = told.stepped_s(guest, was)
        log.expect(GAP_S - 0.3 < stepped < longest + 0.3, f"the gap was corrected once: {stepped:.3f} s")
        resident = int(guest.exec.check(f"awk '/VmRSS/ {{ print $2 }}' /proc/{was.pid}/status"))
        log.expect(resident < 20 * 1024, f"resident set {resident} KiB")
        log.say(f"{guest.agent.last_number() - was.number} records")
    told.notified(guest, log, lambda vm: vm.freeze(GAP_S), GAP_S, "resumed")


CASES = [
    *(Case(f"libvirt_{run.__name__}", run, "libvirt") for run in (watch_pause, hook_notify, every_guest, two_notices)),
    *(Case(f"libvirt_{run.__name__}", run, "libvirt", long=True) for run in (all_and_hook_watch, all_and_hook, storm)),
]
