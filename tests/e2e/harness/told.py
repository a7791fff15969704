"""A guest of libvirt loses time; somebody tells it, or nobody does. In both cases its clock must come right, seen from outside."""
import contextlib
import time
from pathlib import Path

from . import repair
from .host_tool import HostTool, Watch

EXAMPLES = Path(__file__).resolve().parents[3] / "deploy/host"


def alone(guest, log, disturb, lost_s, was=None):
    """`disturb(vm)` returns when it ran again; at least `lost_s` are missing then. Nobody tells."""
    was = was or repair.before(guest)
    resumed = _disturb(guest, log, disturb)
    return _judge(guest, log, was, resumed, lost_s)


def watched(guest, log, disturb, lost_s, event, was=None):
    """`clockmend-host watch` tells."""
    with Watch(guest, log) as watch:
        was = was or repair.before(guest)
        resumed = _disturb(guest, log, disturb)
        report = _judge(guest, log, was, resumed, lost_s)
        watch.wait_said(f"guest: told {event}")
        answered(guest, log, was, "watch-")
    return report


def notified(guest, log, disturb, lost_s, event):
    """A script does, by `clockmend-host notify --domain`."""
    was = repair.before(guest)
    resumed = _disturb(guest, log, disturb)
    ident = f"script-{time.monotonic_ns()}"
    telling = HostTool(guest).start("notify", "--domain", guest.vm.name, "--event", event, "--id", ident)
    report = _judge(guest, log, was, resumed, lost_s)
    ended(log, "notify --domain", telling)
    answered(guest, log, was, ident)
    return report


def hooked(guest, log, disturb, lost_s):
    """libvirt's hook of deploy/host does."""
    with _hook(guest):
        was = repair.before(guest)
        resumed = _disturb(guest, log, disturb)
        report = _judge(guest, log, was, resumed, lost_s)
        answered(guest, log, was, "hook-")
    return report


def ended(log, what, process, codes=(0,), timeout_s=60):
    """A process of HostTool.start() came to its end as it should."""
    text = process.communicate(timeout=timeout_s)[0]
    log.expect(process.returncode in codes, f"{what} ended with {process.returncode} {'' if process.returncode == 0 else text[-400:].strip()}")


def stepped_s(guest, was):
    """What the agent added to the clock since then."""
    return sum(each["total_step_ns"] for each in guest.agent.history() if each["number"] > was.number) / 1e9


def answered(guest, log, was, prefix, timeout_s=15):
    """A record since then answers a notice of that kind."""
    end = time.monotonic() + timeout_s
    while True:
        records = [each for each in guest.agent.history() if each["number"] > was.number]
        told = any(ident.startswith(prefix) for each in records for ident in each.get("notices", []))
        if told or time.monotonic() > end:
            break
        time.sleep(0.3)
    log.expect(told, f"a record answers the notice {prefix}")


def _disturb(guest, log, disturb):
    began = time.monotonic()
    resumed = disturb(guest.vm)
    log.say(f"it took {time.monotonic() - began:.2f} s, clock now {repair.ms(guest.observer.sample().error)}")
    return resumed


def _judge(guest, log, was, resumed, lost_s):
    repair.watch(guest, log, resumed)
    report = repair.record(guest, log, was, tell_since=resumed)
    if report["outcome"] == "refused":
        # A witness alone may not move the clock that far; who tells brings another. The clock has come right, so there is one more.
        report = guest.agent.wait_record(report["number"], 20) or report
        log.say(f"record {report['number']}: {report['outcome']}: {report['reason']}")
    repair.healed(guest, log, was, report)
    # virsh takes its time too, so more may have been lost, but hardly less.
    steps = stepped_s(guest, was)
    log.expect(steps > 0.85 * lost_s, f"the gap was corrected: {steps:.3f} s")
    return report


@contextlib.contextmanager
def _hook(guest):
    """libvirtd looks for hooks when it starts, and gives them no environment of ours."""
    tool = HostTool(guest)
    wrapper = guest.libvirtd.folder / "hook.sh"
    wrapper.write_text(f"#!/bin/sh\nexport CLOCKMEND_HOST={tool.program} CLOCKMEND_HOOK_MEMORY={guest.libvirtd.folder}/hook\n"
                       f"export CLOCKMEND_NOTIFY_OPTIONS='--connect {tool.uri} --id hook-{time.monotonic_ns()}'\n"
                       f"exec {EXAMPLES}/libvirt-hook.sh \"$@\"\n", encoding="ascii")
    wrapper.chmod(0o755)
    guest.libvirtd.hook(wrapper)
    guest.libvirtd.restart()
    try:
        yield
    finally:
        guest.libvirtd.unhook()
        guest.libvirtd.restart()
