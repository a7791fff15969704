"""Clients that know only the QEMU guest agent, unchanged: virsh domtime and virsh qemu-agent-command, through libvirtd, while the
agent serves org.qemu.guest_agent.0."""
import calendar
import contextlib
import json
import re
import shutil
import subprocess
import time
from pathlib import Path
from xml.etree import ElementTree

from harness import repair
from harness.check import Case

EXAMPLES = Path(__file__).resolve().parents[3] / "deploy/host"
PORT = "org.qemu.guest_agent.0"
GAP_S = 2.0
ELSEWHERE = ("guest-exec", "guest-file-open", "guest-fsfreeze-status", "guest-network-get-interfaces", "guest-shutdown")


def _alias(guest):
    """libvirt's name for the port in the running guest; None: there is none."""
    domain = ElementTree.fromstring(guest.libvirtd.virsh("dumpxml", guest.vm.name))
    found = [each.find("alias").get("name") for each in domain.iterfind("devices/channel") if each.find("target").get("name") == PORT]
    return found[0] if found else None


def _plug(guest):
    xml = guest.libvirtd.folder / "guest-agent-channel.xml"
    shutil.copy(EXAMPLES / "guest-agent-channel.xml", xml)
    guest.libvirtd.virsh("attach-device", guest.vm.name, str(xml), "--live")


def _agent_on(guest, port, more=""):
    """The agent anew, on that port."""
    if port:
        guest.agent.drop_in("90-clients", f'[channel]\nport_name = "{port}"\n{more}')
    else:
        guest.agent.drop_out("90-clients")
    guest.exec.check("systemctl restart clockmendd")


def _command(guest, execute, **arguments):
    """The answer of the agent by way of libvirtd; a refusal is a RuntimeError with libvirt's words."""
    request = {"execute": execute, **({"arguments": arguments} if arguments else {})}
    return json.loads(guest.libvirtd.virsh("qemu-agent-command", guest.vm.name, json.dumps(request)))["return"]


def _refusal(guest, execute, **arguments):
    try:
        return f"not refused: {_command(guest, execute, **arguments)}"
    except RuntimeError as error:
        return str(error).rsplit("error:", 1)[-1].strip()


def _wait_answers(guest, log, timeout_s=30):
    end, why = time.monotonic() + timeout_s, ""
    while time.monotonic() < end:
        try:
            _command(guest, "guest-ping")
            return
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            why = str(error)
            time.sleep(0.3)
    log.require(False, f"libvirt reaches the agent within {timeout_s} s: {why}")


@contextlib.contextmanager
def _compatible(guest, log, more=""):
    """The agent in qemu-ga's place."""
    _plug(guest)
    try:
        _agent_on(guest, PORT, more)
        _wait_answers(guest, log)
        guest.wait_settled()
        yield
    finally:
        _agent_on(guest, None)
        guest.libvirtd.virsh("detach-device-alias", guest.vm.name, _alias(guest), "--live")


def _domtime(guest, *words):
    """What virsh says, and how long it took."""
    began = time.monotonic()
    said = guest.libvirtd.virsh("domtime", guest.vm.name, *words).strip()
    return said, time.monotonic() - began


def _after(guest, log, what, call):
    """A pause, then the client at once: when it returns the clock is right, and the rest follows."""
    was = repair.before(guest)
    error = guest.observer.best().error
    resumed = guest.vm.freeze(GAP_S)
    began = time.monotonic()
    call()
    took = time.monotonic() - began
    sample = guest.observer.sample()
    log.expect(abs(sample.error) <= repair.RIGHT_NS, f"{what} returned after {took:.3f} s, clock {repair.ms(sample.error)} then")
    report = repair.record(guest, log, was, tell_since=resumed)
    log.say(f"{what}: tripwire {report['discontinuity']['tripwire']}, before the pause {repair.ms(error)}")
    log.expect(report["total_step_ns"] > (GAP_S - 0.3) * 1e9, f"the gap was corrected: {report['total_step_ns'] / 1e9:.3f} s")
    repair.healed(guest, log, was, report)
    guest.wait_settled()


def _asked(guest, log):
    log.expect(_command(guest, "guest-ping") == {}, "guest-ping")
    # guest-sync-delimited is what libvirtd itself begins with; asked for by virsh, its 0xFF would be in the middle of virsh's text.
    log.expect(_command(guest, "guest-sync", id=4711) == 4711, "guest-sync")
    info = _command(guest, "guest-info")
    names = {each["name"] for each in info["supported_commands"] if each["enabled"]}
    log.expect({"guest-ping", "guest-set-time", "clock-notify"} <= names and not set(ELSEWHERE) & names, f"guest-info lists {sorted(names)}")
    error = guest.observer.best().error
    before = time.time_ns()
    said = _command(guest, "guest-get-time")
    log.expect(before <= said - error + 5e6 and said - error - 5e6 <= time.time_ns(), "guest-get-time is the guest's clock")
    for name in ELSEWHERE:
        why = _refusal(guest, name)
        log.expect("not refused" not in why and why, f"{name} is refused: {why}")
    for wrong in ({"time": "now"}, {"time": -1}, {"tiem": 1}):
        why = _refusal(guest, "guest-set-time", **wrong)
        log.expect("not refused" not in why and why, f"guest-set-time {wrong} is refused: {why}")


def virsh(guest, log):
    """Every command, then virsh domtime as it reads."""
    with _compatible(guest, log):
        _asked(guest, log)
        clock = guest.observer.best().error
        steps = guest.agent.status()["counters"]["steps"]
        said, _ = _domtime(guest)
        seconds = int(re.search(r"(\d{9,})", said).group(1))
        log.expect(abs(seconds - time.time()) < 3, f"domtime: {said}")
        said, _ = _domtime(guest, "--pretty")
        shown = time.strptime(re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", said).group(0), "%Y-%m-%d %H:%M:%S")
        log.expect(min(abs(calendar.timegm(shown) - time.time()), abs(time.mktime(shown) - time.time())) < 3, f"domtime --pretty: {said}")
        for words in (("--now",), ("--sync",)):
            _, took = _domtime(guest, *words)
            log.expect(abs(guest.observer.best().error - clock) < 3e6, f"domtime {words[0]} leaves a right clock alone ({took:.3f} s)")
        log.expect(guest.agent.status()["counters"]["steps"] == steps, "no step was made")


def domtime(guest, log):
    """After a pause: domtime --now, domtime --sync, guest-set-time with the time."""
    with _compatible(guest, log):
        _after(guest, log, "domtime --now", lambda: _domtime(guest, "--now"))
        _after(guest, log, "domtime --sync", lambda: _domtime(guest, "--sync"))
        _after(guest, log, "guest-set-time", lambda: _command(guest, "guest-set-time", time=time.time_ns()))


def whole_seconds(guest, log):
    """Neither NTP nor RTC: domtime --now alone is a bound of one second, and is taken for no more."""
    with _compatible(guest, log, "[rtc]\nenabled = false\n"):
        guest.block_ntp()
        try:
            was = repair.before(guest)
            guest.vm.freeze(GAP_S + 1)
            _, took = _domtime(guest, "--now")
            error = guest.observer.best().error
            log.expect(abs(error) < 1e9, f"domtime --now returned after {took:.2f} s, clock {repair.ms(error)} then")
            report = repair.record(guest, log, was)
            log.expect(not report["verified"], "nobody verified it")
            log.expect(report["estimate"]["uncertainty_ns"] >= abs(error), f"the record says +-{report['estimate']['uncertainty_ns'] / 1e6:.0f} ms")
        finally:
            guest.unblock_ntp()
            guest.set_right()
    guest.wait_settled()
    repair.reverify(guest, log)


def port_taken(guest, log):
    """qemu-ga is there first: the agent says so, leaves it alone, and takes the port when it is free."""
    _plug(guest)
    try:
        guest.exec.check(f"systemctl stop clockmendd; bash -c 'exec -a qemu-ga sleep 1000 < /dev/virtio-ports/{PORT}' > /dev/null 2>&1 & "
                         "echo $! > /run/holder; sleep 0.5")
        _agent_on(guest, PORT)
        status = guest.agent.wait_now(lambda value: "held by another" in value["channel"], 15)
        log.expect("QEMU guest agent" in status["channel"], f"status: channel {status['channel']}")
        log.expect("QEMU guest agent" in guest.agent.journal(), "the journal says so too")
        guest.exec.check("kill $(cat /run/holder)")
        _wait_answers(guest, log, 75)
    finally:
        guest.exec.run("kill $(cat /run/holder)")
        _agent_on(guest, None)
        guest.libvirtd.virsh("detach-device-alias", guest.vm.name, _alias(guest), "--live")
    guest.wait_settled()


CASES = [
    Case("clients_virsh", virsh, "libvirt"),
    Case("clients_domtime", domtime, "libvirt", deadline_s=360),
    Case("clients_port_taken", port_taken, "libvirt", long=True),
    Case("clients_whole_seconds", whole_seconds, "libvirt", long=True, deadline_s=360),
]
