"""The agent in a guest as its operator sees it: status, history, configuration, notices from the host."""
import json
import socket
import subprocess
import threading
import time
from dataclasses import dataclass

from . import proc

DAEMON_UNITS = ("ntpsec.service", "chrony.service", "systemd-timesyncd.service", "openntpd.service", "ntpd-rs.service", "ntp.service")
CONF_D = "/etc/clockmend/conf.d"
BURST_S = 11
ASK = (r"""perl -MSocket -e 'alarm 10; socket($s, PF_UNIX, SOCK_STREAM, 0) && connect($s, pack_sockaddr_un("/run/clockmend/control.sock"))"""
       r""" or exit 1; syswrite($s, "{\"execute\":\"clock-status\",\"id\":1}\n"); print scalar <$s>'""")


@dataclass(frozen=True)
class Notified:
    """What clockmend-host said: exit code, its JSON (None if there was none), its messages."""
    code: int
    answer: dict
    text: str

    @property
    def report(self):
        return ((self.answer or {}).get("return") or {}).get("report")


class Notice(threading.Thread):
    """clockmend-host at work beside the observer; end() waits for it."""

    def __init__(self, host, socket_path, event, wait=True, extra=(), timeout_s=60):
        super().__init__(daemon=True)
        self._argv = proc.bound([host, "notify", "--socket", socket_path, "--event", event, "--json",
                                 "--wait" if wait else "--no-wait", *extra])
        self._timeout_s = timeout_s
        self._result = None
        self.ended_ns = 0
        self.start()

    def run(self):
        try:
            done = subprocess.run(self._argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=self._timeout_s, check=False)
        except subprocess.TimeoutExpired:
            self._result = Notified(-1, None, f"clockmend-host did not end within {self._timeout_s} s")
            return
        self.ended_ns = time.clock_gettime_ns(time.CLOCK_REALTIME)
        try:
            answer = json.loads(done.stdout)
        except ValueError:
            answer = None
        error = (answer or {}).get("error", {}).get("desc", "")
        self._result = Notified(done.returncode, answer, (done.stderr + error + ("" if answer else done.stdout)).strip())

    def end(self):
        self.join(self._timeout_s + 10)
        return self._result or Notified(-1, None, "clockmend-host hangs")


class Line:
    """A client of the agent's port that says exactly what it is told."""

    def __init__(self, path, timeout_s=10):
        self._timeout_s = timeout_s
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout_s)
        self._socket.connect(path)
        self._buffer = b""

    def send(self, data):
        self._socket.settimeout(self._timeout_s)
        self._socket.sendall(data)

    def ask(self, execute, timeout_s=30, **arguments):
        """The answer to one request, whatever lies before it."""
        ident = f"t{time.monotonic_ns()}"
        request = {"execute": execute, "id": ident}
        if arguments:
            request["arguments"] = {key.replace("_", "-"): value for key, value in arguments.items()}
        self.send(json.dumps(request).encode() + b"\n")
        end = time.monotonic() + timeout_s
        while True:
            line = self._line(end)
            try:
                answer = json.loads(line.lstrip(b"\xff"))
            except ValueError:
                continue
            if isinstance(answer, dict) and answer.get("id") == ident:
                return answer

    def drain(self, seconds):
        """Reads and drops what comes for that long; returns how many bytes came."""
        count, end = len(self._buffer), time.monotonic() + seconds
        self._buffer = b""
        while (left := end - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                count += len(self._socket.recv(65536))
            except TimeoutError:
                break
        return count

    def _line(self, end):
        while b"\n" not in self._buffer:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError("the agent did not answer on its port")
            self._socket.settimeout(left)
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionError("QEMU closed the agent's port")
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line

    def close(self):
        self._socket.close()


class Agent:
    def __init__(self, vm, host):
        self._vm = vm
        self._host = host

    # What it tells.
    def status(self):
        """status.json as a value; None while there is none."""
        try:
            return json.loads(self._vm.exec.pull("/run/clockmend/status.json"))
        except (FileNotFoundError, ValueError):
            return None

    def now(self):
        """The same, asked on the control socket: the file is up to 30 s old where only a probe or the port changed. None if
        nobody answers."""
        try:
            return json.loads(self._vm.exec.run(ASK).output)["return"]
        except (KeyError, ValueError):
            return None

    def history(self):
        """All records, oldest first."""
        try:
            text = self._vm.exec.pull("/var/lib/clockmend/history.jsonl").decode("utf-8", "replace")
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in text.splitlines() if line.strip()]

    def last_number(self):
        return max((record["number"] for record in self.history()), default=0)

    def wait_record(self, after_number, timeout_s=30):
        """The first record with a larger number; None if none comes."""
        end = time.monotonic() + timeout_s
        while True:
            newer = [record for record in self.history() if record["number"] > after_number]
            if newer or time.monotonic() > end:
                return newer[0] if newer else None
            time.sleep(0.2)

    def wait_status(self, holds, timeout_s=30):
        """Polls status.json until holds(status); returns the last one either way."""
        return self._wait(self.status, holds, timeout_s)

    def wait_now(self, holds, timeout_s=30):
        """The same with what the agent answers."""
        return self._wait(self.now, holds, timeout_s)

    @staticmethod
    def _wait(ask, holds, timeout_s):
        end = time.monotonic() + timeout_s
        while True:
            status = ask()
            if (status and holds(status)) or time.monotonic() > end:
                return status
            time.sleep(0.3)

    def journal(self, lines=60):
        return self._vm.exec.run(f"journalctl -u clockmendd --no-pager -o short-monotonic -n {lines}").output

    def pid(self):
        return int(self._vm.exec.run("systemctl show -p MainPID --value clockmendd").output.strip() or 0)

    def cli(self, arguments, deadline_s=40):
        return self._vm.exec.run(f"clockmend {arguments}", deadline_s)

    # What it is told.
    def notify(self, event="hot-upgrade", wait=True, extra=(), timeout_s=60):
        """Starts clockmend-host on this machine; end() of the result has its answer."""
        return Notice(self._host, self._vm.agent_socket, event, wait, extra, timeout_s)

    def line(self):
        return Line(self._vm.agent_socket)

    def drop_in(self, name, text):
        self._vm.exec.check(f"mkdir -p {CONF_D}")
        self._vm.exec.push(f"{CONF_D}/{name}.toml", text)

    def drop_out(self, name):
        self._vm.exec.check(f"rm -f {CONF_D}/{name}.toml")

    def reload(self):
        self._vm.exec.check("systemctl reload clockmendd")

    # What it takes care of.
    def adjtime(self, modes, seconds=0, ns=0):
        """clock_adjtime(CLOCK_REALTIME) in the guest; returns the kernel's state of the clock (adjtimex(2))."""
        return int(self._vm.exec.check(
            "perl -e '$t = pack(\"lx4q4lx4q3q2\", $ARGV[0], 0, 0, 0, 0, 0, 0, 0, 0, $ARGV[1], $ARGV[2]) . \"\\0\" x 200; "
            f"$r = syscall(305, 0, $t); $r >= 0 or die $!; print $r' -- {modes} {seconds} {ns}"))

    def at_rest(self, unit):
        """The time daemon has synchronised (TIME_ERROR is 5), or its first burst is over: during it, it may step the clock
        by itself, and then there is nothing to do for the agent."""
        if self.adjtime(0) != 5:
            return True
        began = int(self._vm.exec.check(f"systemctl show -p ActiveEnterTimestampMonotonic --value {unit}").strip() or 0)
        return float(self._vm.exec.check("cat /proc/uptime").split()[0]) - began / 1e6 > BURST_S

    def daemons(self):
        """Active time daemons: unit -> InvocationID."""
        output = self._vm.exec.run("systemctl show -p Id,ActiveState,InvocationID " + " ".join(DAEMON_UNITS)).output
        active = {}
        for block in output.strip().split("\n\n"):
            values = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
            if values.get("ActiveState") in ("active", "reloading"):
                active[values["Id"]] = values.get("InvocationID", "")
        return active
