"""clockmend-host against the guests of the test's own libvirtd."""
import json
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from lab import proc


@dataclass(frozen=True)
class Said:
    code: int
    lines: list
    text: str
    took_s: float

    @property
    def report(self):
        return ((self.lines[0] if self.lines else {}).get("return") or {}).get("report")


def _values(text):
    values = []
    for line in text.splitlines():
        try:
            values.append(json.loads(line))
        except ValueError:
            pass
    return values


class HostTool:
    def __init__(self, guest):
        self.program = str(guest.packages.host)
        self.uri = guest.libvirtd.uri
        self.control = str(guest.libvirtd.folder / "control.sock")
        self.environment = guest.clock.environment()

    def argv(self, command, *words, control=None):
        return [self.program, command, *words, "--connect", self.uri, "--control", self.control if control is None else control]

    def run(self, command, *words, control=None, timeout_s=60):
        """notify or exchange with --json, to its end."""
        began = time.monotonic()
        done = subprocess.run(proc.bound(self.argv(command, *words, "--json", control=control)), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=timeout_s, check=False, env=self.environment)
        return Said(done.returncode, _values(done.stdout), (done.stderr + done.stdout).strip()[-600:], time.monotonic() - began)

    def start(self, command, *words, control=None):
        return subprocess.Popen(proc.bound(self.argv(command, *words, "--json", control=control)), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=self.environment)


class Watch:
    """`clockmend-host watch`, and what it says."""

    def __init__(self, guest, log):
        self._log = log
        tool = HostTool(guest)
        self.metrics_path = guest.libvirtd.folder / "metrics.prom"
        self._log_path = guest.libvirtd.folder / f"watch-{time.monotonic_ns()}.log"
        self.child = proc.Child([tool.program, "watch", "--connect", tool.uri, "--control", tool.control, "--metrics", self.metrics_path],
                                self._log_path, 600, env=tool.environment)
        self.wait_said("connected to libvirt", 30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.stop()
        self._log.say("watch said:")
        for line in self.said().splitlines()[-40:]:
            self._log.say("  " + line)

    def said(self):
        return Path(self._log_path).read_text(encoding="utf-8", errors="replace")

    def wait_said(self, words, timeout_s=20, count=1):
        end = time.monotonic() + timeout_s
        while self.said().count(words) < count:
            if time.monotonic() > end or not self.child.running():
                self._log.require(False, f"watch says '{words}' {count} times within {timeout_s} s; it said:\n{self.said()[-2000:]}")
            time.sleep(0.05)

    def metric(self, name):
        """None as long as watch has not written it."""
        if not self.metrics_path.exists():
            return None
        found = re.search(rf"^clockmend_host_{re.escape(name)} (\S+)$", self.metrics_path.read_text(encoding="ascii"), re.M)
        return float(found.group(1)) if found else None

    def wait_metric(self, name, least, timeout_s=40):
        """Polls until it is at least so much; returns it either way."""
        end = time.monotonic() + timeout_s
        while (value := self.metric(name) or 0) < least and time.monotonic() < end:
            time.sleep(0.2)
        return value

    def _switches(self, pid):
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        return sum(int(count) for count in re.findall(r"^(?:non)?voluntary_ctxt_switches:\s+(\d+)$", text, re.M))

    def processes(self):
        """It, and its helper."""
        children = Path(f"/proc/{self.child.pid}/task/{self.child.pid}/children").read_text(encoding="ascii").split()
        return [self.child.pid, *map(int, children)]

    def wakeups(self, seconds):
        """How often its processes ran in that time."""
        pids = self.processes()
        before = [self._switches(pid) for pid in pids]
        time.sleep(seconds)
        return sum(self._switches(pid) - was for pid, was in zip(pids, before, strict=True))
