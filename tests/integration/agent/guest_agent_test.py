#!/usr/bin/env python3
"""The commands of the QEMU guest agent, asked of clockmendd over a unix socket: the cases of QEMU's own test (tests/unit/test-qga.c)
by name, written anew. What needs the host's port and a guest is in tests/e2e/cases/clients.py. README.md lists both.
usage: guest_agent_test.py CLOCKMENDD [CASE...]"""
import contextlib
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# It may look, and finds nothing; it may touch nothing.
QUIET = '[policy]\nmode = "observe"\n[ntp]\nenabled = false\n[rtc]\nenabled = false\n[daemon]\nmanage = false\n[channel]\n'
BOUND = ("setpriv", "--pdeathsig", "KILL", "--bounding-set=-sys_time", "--inh-caps=-sys_time", "--")
ELSEWHERE = ("guest-get-vcpus", "guest-get-fsinfo", "guest-get-load", "guest-get-memory-block-info", "guest-get-memory-blocks",
             "guest-network-get-interfaces", "guest-file-open", "guest-file-write", "guest-file-read", "guest-fsfreeze-status", "guest-exec",
             "guest-exec-status", "guest-get-host-name", "guest-get-timezone", "guest-get-users", "guest-get-osinfo", "guest-ssh-get-authorized-keys",
             "guest-invalid-cmd", "")


class Client:
    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(30)
        self._socket.connect(str(path))
        self._pending = b""

    def send(self, data):
        self._socket.sendall(data)

    def line(self):
        """The next line as it came, without its newline."""
        while b"\n" not in self._pending:
            data = self._socket.recv(65536)
            assert data, "the agent closed the connection"
            self._pending += data
        line, self._pending = self._pending.split(b"\n", 1)
        return line

    def ask(self, request):
        """The answer to a request, given as a value or as text."""
        self.send((request if isinstance(request, str) else json.dumps(request)).encode() + b"\n")
        return json.loads(self.line())

    def command(self, name, **arguments):
        return self.ask({"execute": name, "arguments": arguments} if arguments else {"execute": name})

    def silent_for(self, seconds):
        self._socket.settimeout(seconds)
        try:
            return not self._pending and not self._socket.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return True
        finally:
            self._socket.settimeout(30)


def prepare(root, lists=""):
    for folder in ("etc/clockmend/conf.d", "run/clockmend", "var/lib/clockmend", "proc/sys/kernel/random"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "etc/clockmend/clockmend.toml").write_text(QUIET + lists, encoding="utf-8")


@contextlib.contextmanager
def agent(lists=""):
    """A running clockmendd below a root of its own; gives a client and the process."""
    with tempfile.TemporaryDirectory(prefix="cm-qga-") as name:
        root = Path(name)
        prepare(root, lists)
        with open(root / "log", "wb") as log:
            child = subprocess.Popen([*BOUND, PROGRAM, "--root", name], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            path, end = root / "run/clockmend/control.sock", time.monotonic() + 30
            while not path.exists():
                assert child.poll() is None and time.monotonic() < end, f"the agent does not run: {(root / 'log').read_text(errors='replace')}"
                time.sleep(0.02)
            yield Client(path), child
        finally:
            child.terminate()
            child.wait(30)


def expect_error(answer, wanted, words=""):
    assert answer.get("error", {}).get("class") == wanted, answer
    assert answer["error"]["desc"] and words in answer["error"]["desc"], answer


def qga_sync_delimited():
    with agent() as (client, _):
        number = random.getrandbits(32)
        client.send(b'{"execute": "guest-sync", "argum\xff')
        client.send(json.dumps({"execute": "guest-sync-delimited", "arguments": {"id": number}}).encode() + b"\n")
        answer = client.line()
        # Nothing but the delimiter stands before it: the half request in front costs no complaint.
        assert answer[:1] == b"\xff" and json.loads(answer[1:]) == {"return": number}, answer


def qga_sync():
    with agent() as (client, _):
        for number in (0, random.getrandbits(32), 2**63 - 1, -1):
            assert client.command("guest-sync", id=number) == {"return": number}
        expect_error(client.command("guest-sync"), "GenericError")
        expect_error(client.command("guest-sync", id="one"), "GenericError")


def qga_ping():
    with agent() as (client, _):
        assert client.command("guest-ping") == {"return": {}}


def qga_id():
    with agent() as (client, _):
        for ident in (1, "a", None, [1, {"b": 2}]):
            assert client.ask({"execute": "guest-ping", "id": ident}) == {"return": {}, "id": ident}
        assert client.ask({"execute": "guest-nothing", "id": 2})["id"] == 2


def qga_invalid_oob():
    with agent() as (client, _):
        expect_error(client.ask({"exec-oob": "guest-ping"}), "GenericError")


def qga_invalid_cmd():
    with agent() as (client, _):
        expect_error(client.command("guest-invalid-cmd"), "CommandNotFound")


def qga_invalid_args():
    with agent() as (client, _):
        expect_error(client.command("guest-ping", foo=42), "GenericError", "foo")
        expect_error(client.ask({"execute": "guest-ping", "arguments": []}), "GenericError")


def qga_info():
    with agent() as (client, _):
        said = client.command("guest-info")["return"]
        version = subprocess.run([*BOUND, PROGRAM, "--version"], capture_output=True, text=True, timeout=30, check=True).stdout.split()[1]
        assert said["version"] == version, said["version"]
        known = {each["name"]: each for each in said["supported_commands"]}
        assert all(each["enabled"] and each["success-response"] for each in known.values()), known
        # The list is true: what it names is known, and nothing else.
        for name in known:
            # What starts work is asked in a way that is refused before.
            arguments = {"id": "x"} if name.startswith("guest-s") or name == "clock-resync" else {}
            assert client.command(name, **arguments).get("error", {}).get("class") != "CommandNotFound", name
            time.sleep(0.25)
        assert not set(known) & set(ELSEWHERE)


def qga_get_time():
    with agent() as (client, _):
        before = time.time_ns()
        said = client.command("guest-get-time")["return"]
        assert before <= said <= time.time_ns(), said


def qga_blockedrpcs():
    with agent('blocked_verbs = ["guest-ping", "guest-get-time"]\n') as (client, _):
        for name in ("guest-ping", "guest-get-time"):
            expect_error(client.command(name), "CommandNotFound", "has been disabled")
        assert client.command("guest-sync", id=1) == {"return": 1}
        listed = {each["name"]: each["enabled"] for each in client.command("guest-info")["return"]["supported_commands"]}
        assert [name for name, enabled in listed.items() if not enabled] == ["guest-ping", "guest-get-time"], listed


def qga_allowedrpcs():
    with agent('allowed_verbs = ["guest-ping", "guest-get-time"]\n') as (client, _):
        for name in ("guest-ping", "guest-get-time"):
            assert "return" in client.command(name), name
        for name in ("guest-info", "clock-status", "clock-resync"):
            expect_error(client.command(name), "CommandNotFound", "has been disabled")


def qga_config():
    """The lists are read, and a command that does not exist is a mistake with its place."""
    with tempfile.TemporaryDirectory(prefix="cm-qga-") as name:
        for lists, code in (('blocked_verbs = ["guest-ping", "guest-get-time"]\n', 0), ('allowed_verbs = ["guest-ping"]\n', 0),
                            ('allowed_verbs = ["guest-exec"]\n', 78)):
            prepare(Path(name), lists)
            done = subprocess.run([*BOUND, PROGRAM, "--root", name, "--check-config"], capture_output=True, text=True, timeout=30, check=False)
            assert done.returncode == code, (lists, done.returncode, done.stderr)
        assert "channel.allowed_verbs" in done.stderr and "guest-exec" in done.stderr, done.stderr


def qga_set_time():
    """QEMU's test has none of it. Inside the guest nobody may bring a time; on the host's port: tests/e2e."""
    with agent() as (client, _):
        for wrong in ("now", -1, 2**63 - 1, 1.5, None):
            expect_error(client.command("guest-set-time", time=wrong), "GenericError")
        expect_error(client.command("guest-set-time", tiem=1), "GenericError")
        expect_error(client.command("guest-set-time", time=time.time_ns()), "GenericError", "host's port")


def qga_elsewhere():
    """Everything else that QEMU's test asks for is another program's business: told at once, and no command of that name runs."""
    with agent() as (client, _):
        for name in ELSEWHERE:
            expect_error(client.command(name), "CommandNotFound")
            time.sleep(0.25)  # so many complaints are answered in a second


def qga_no_newline():
    """QEMU's parser answers when the object is complete; some clients never send a newline."""
    with agent() as (client, _):
        client.send(b'{"execute": "guest-sync", "arguments": {"id": 7}}')
        assert json.loads(client.line()) == {"return": 7}
        client.send(b"\n\r\n")
        assert client.silent_for(0.3)
        client.send(b'{"execute": "guest-sync", "arguments": {"id": 8}}{"execute": "guest-sync", "arguments": {"id": 9}}')
        assert [json.loads(client.line())["return"] for _ in range(2)] == [8, 9]


def qga_garbage():
    with agent() as (client, child):
        for bad in ("{", "}", "[]", "1", '"guest-ping"', '{"execute": 1}', '{"execute": "guest-ping", "x": 1}', "{'execute': 'guest-ping'}"):
            answer = client.ask(bad)
            expect_error(answer, "GenericError")
            time.sleep(0.25)
        client.send(b"x" * 1_000_000 + b"\xff")
        expect_error(json.loads(client.line()), "GenericError")
        assert client.command("guest-ping") == {"return": {}}
        assert child.poll() is None


CASES = (qga_sync_delimited, qga_sync, qga_ping, qga_id, qga_invalid_oob, qga_invalid_cmd, qga_invalid_args, qga_info, qga_get_time,
         qga_blockedrpcs, qga_allowedrpcs, qga_config, qga_set_time, qga_elsewhere, qga_no_newline, qga_garbage)


def main(wanted):
    failed = 0
    for case in CASES:
        if wanted and case.__name__ not in wanted:
            continue
        try:
            case()
            print(f"ok: {case.__name__}", flush=True)
        except (AssertionError, OSError, KeyError, ValueError, subprocess.SubprocessError) as error:
            failed += 1
            print(f"FAILED: {case.__name__}: {type(error).__name__} {error}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv[1])
    sys.exit(main(sys.argv[2:]))
