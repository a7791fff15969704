"""The virtio-serial port: missing, taken, abused."""
import os
import random
import time

from harness import repair
from harness.check import Case

PORT = "/dev/virtio-ports/org.clockmend.agent.0"


def no_port(guest, log):
    """The port is unplugged and comes back while the agent runs."""
    was = repair.before(guest)
    guest.vm.agent_port_unplug()
    status = guest.agent.wait_now(lambda value: value["channel"] != "connected", 15)
    log.expect(not status["channel"].startswith("connected"), f"status: channel {status['channel']}")
    resumed = repair.freeze(guest, log)
    repair.watch(guest, log, resumed)
    report = repair.record(guest, log, was, tell_since=resumed)
    repair.healed(guest, log, was, report)
    guest.vm.agent_port_plug()
    time.sleep(3)
    guest.wait_settled()
    was = repair.before(guest)
    resumed = repair.freeze(guest, log)
    repair.notify(guest, log, resumed)
    repair.healed(guest, log, was, repair.record(guest, log, was))


def started_without_port(guest, log):
    guest.vm.agent_port_unplug()
    try:
        guest.exec.check("systemctl restart clockmendd")
        guest.wait_settled()
        status = guest.agent.now()
        log.expect(not status["channel"].startswith("connected"), f"status: channel {status['channel']}")
        log.expect(guest.agent.cli("status").code == 0, "clockmend status works over the control socket")
    finally:
        guest.vm.agent_port_plug()
    time.sleep(3)
    was = repair.before(guest)
    answer = guest.agent.notify("resumed").end()
    log.expect(answer.code == 0, f"the port that came later works: {answer.code} {answer.text}")
    repair.same_agent(guest, log, was)


def port_held_by_another(guest, log):
    """Another process has the port open: the agent says so, goes on, and takes it when it is free."""
    guest.exec.check(f"systemctl stop clockmendd; (exec sleep 1000 < {PORT}) > /dev/null 2>&1 & echo $! > /run/holder; "
                     "sleep 0.5; systemctl start clockmendd")
    try:
        status = guest.agent.wait_now(lambda value: "busy" in value["channel"].lower() or "another" in value["channel"].lower(), 15)
        log.expect("busy" in status["channel"].lower() or "another" in status["channel"].lower(), f"status: channel {status['channel']}")
        guest.wait_settled()
        was = repair.before(guest)
        resumed = repair.freeze(guest, log)
        repair.watch(guest, log, resumed)
        repair.healed(guest, log, was, repair.record(guest, log, was, tell_since=resumed))
    finally:
        guest.exec.check("kill $(cat /run/holder)")
    end, answer = time.monotonic() + 75, None
    while time.monotonic() < end:
        answer = guest.agent.notify("resumed", timeout_s=30).end()
        if answer.code == 0:
            break
        time.sleep(1)
    log.expect(answer.code == 0, f"once free, the port is taken: {answer.code} {answer.text}")
    repair.same_agent(guest, log, was)


def _abuse(guest, log):
    """Everything a broken or hostile client can write."""
    seed = random.randrange(1 << 32)
    log.say(f"seed {seed}")
    noise = random.Random(seed)
    line = guest.agent.line()
    try:
        for _ in range(20):
            line.send(noise.randbytes(noise.randrange(1, 400)) + b"\n")
        line.send(b'{"execute":"clock-notify","arguments":{"event":"resumed","sent-realtime-ns":"now"}}\n')
        line.send(b'{"execute":"rm -rf /"}\n' + b"[" * 2000 + b"\n" + b'{"execute":' * 300 + b"\n")
        line.send(b'{"execute":"guest-ping","arguments":{"a":' + b"9" * 3000 + b"}}\n")
        line.send(b"x" * 200_000 + b"\n")
        line.drain(1)
        for _ in range(40):
            line.send(b'{"execute":"guest-ping"}\n' * 50)
        line.drain(2)
        line.send(b'{"execute":"guest-p')  # half a line, and gone
    finally:
        line.close()


def bad_lines(guest, log):
    was = repair.before(guest)
    clock = guest.observer.best().error
    _abuse(guest, log)
    # The file is written now and then; who asks on the channel is told the present.
    line = guest.agent.line()
    line.send(b"\n")  # ends the half line
    status = line.ask("clock-status")["return"]
    line.close()
    log.expect(status["counters"]["bad_lines"] > was.counters["bad_lines"], f"bad lines are counted: {status['counters']['bad_lines']}")
    repair.same_agent(guest, log, was)
    resident = int(guest.exec.check(f"awk '/VmRSS/ {{ print $2 }}' /proc/{was.pid}/status"))
    log.expect(resident < 20 * 1024, f"resident set {resident} KiB")
    log.expect(abs(guest.observer.best().error - clock) < repair.RIGHT_NS, "the clock did not move")
    log.expect(guest.agent.last_number() == was.number, "no correction was started")
    resumed = repair.freeze(guest, log)
    repair.notify(guest, log, resumed)
    repair.healed(guest, log, was, repair.record(guest, log, was, tell_since=resumed))


def guest_agent_verbs(guest, log):
    """The commands that clients of the QEMU guest agent know."""
    line = guest.agent.line()
    try:
        log.expect(line.ask("guest-ping").get("return") == {}, "guest-ping")
        log.expect(line.ask("guest-sync", id=4711).get("return") == 4711, "guest-sync")
        names = {each["name"] for each in line.ask("guest-info")["return"]["supported_commands"]}
        log.expect({"clock-notify", "guest-set-time", "clock-status"} <= names, f"guest-info lists {len(names)} commands")
        said = line.ask("guest-get-time")["return"]
        log.expect(abs(said - time.time_ns()) < 1e9, "guest-get-time")
        answer = line.ask("guest-exec")
        log.expect(answer.get("error", {}).get("class") == "CommandNotFound", f"guest-exec: {answer}")
        status = line.ask("clock-status")["return"]
        log.expect(status["schema"].startswith("clockmend-status/"), f"clock-status: {status['schema']}")
    finally:
        line.close()


def nothing_happened(guest, log):
    """A notice without a freeze: measured, found right, nothing touched. Repeated: dropped."""
    was = repair.before(guest)
    clock = guest.observer.best().error
    line = guest.agent.line()
    try:
        ident = f"same-{os.urandom(4).hex()}"
        first = line.ask("clock-notify", event="resumed", id=ident, wait=True)["return"]
        second = line.ask("clock-notify", event="resumed", id=ident, wait=True)["return"]
    finally:
        line.close()
    report = first["report"] or {}
    log.expect(report.get("outcome") == "no-action", f"outcome {report.get('outcome')}: {report.get('reason')}")
    log.expect(second["disposition"] == "repeated", f"the same notice again is {second['disposition']}")
    log.expect(abs(guest.observer.best().error - clock) < repair.RIGHT_NS, "the clock did not move")
    repair.daemon_back(guest, log, was, restarted=False)
    status = guest.agent.status()
    log.expect(status["counters"]["steps"] == was.counters["steps"], "no step was made")


CASES = [
    Case("no_port", no_port),
    Case("started_without_port", started_without_port),
    Case("port_held_by_another", port_held_by_another, deadline_s=300),
    Case("bad_lines", bad_lines),
    Case("guest_agent_verbs", guest_agent_verbs),
    Case("nothing_happened", nothing_happened),
]
