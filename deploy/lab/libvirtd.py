"""A libvirtd of our own, in namespaces of its own."""
import os
import shutil
import socket
import sys
import tempfile
import time
from pathlib import Path

from . import proc

INIT = Path(__file__).with_name("libvirtd_init.py")
TOOLS = ("libvirtd", "virsh", "qemu-system-x86_64", "unshare")


class Unavailable(Exception):
    """libvirtd cannot run here; the text says why."""


class Libvirtd:
    """Session mode: sockets, state and configuration below `folder`, no network, no cgroup, no firewall. Its first process ends
    everything it started when it ends, and it ends with us."""

    def __init__(self, network, deadline_s=4 * 3600):
        missing = proc.missing_tools(*TOOLS)
        if missing:
            raise Unavailable(f"{', '.join(missing)} not installed")
        # Short: the sockets of guests' ports lie deep below it, and their paths are limited to 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="cm-lv-"))
        for name in ("etc/hooks/qemu.d", "home", "run", "conf", "cache", "data"):
            (self.folder / name).mkdir(parents=True)
        os.mkfifo(self.folder / "commands")
        (self.folder / "libvirtd.conf").write_text(
            f'unix_sock_dir = "{self.folder}/s"\nlog_outputs = "3:file:{self.folder}/libvirtd.log"\nkeepalive_interval = -1\n', encoding="ascii")
        (self.folder / "s").mkdir()
        self.child = proc.Child(["unshare", "--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc", "--", sys.executable, "-B", INIT, self.folder],
                                self.folder / "log", deadline_s, netns=network.name)
        self._wait_alive()

    @property
    def socket(self):
        """Where the daemon listens: in session mode it may be below XDG_RUNTIME_DIR."""
        for path in (self.folder / "s/libvirt-sock", self.folder / "run/libvirt/libvirt-sock"):
            if path.exists():
                return path
        return self.folder / "run/libvirt/libvirt-sock"

    @property
    def uri(self):
        return f"qemu:///session?socket={self.socket}"

    def _listens(self):
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.socket))
            except OSError:
                return False
        return True

    def _wait_alive(self):
        end = time.monotonic() + 30
        while not self._listens():
            if not self.child.running() or time.monotonic() > end:
                reason = self.log()
                self.close()
                raise Unavailable(f"libvirtd does not start: {reason}")
            time.sleep(0.05)

    def log(self):
        text = self.child.log()
        path = self.folder / "libvirtd.log"
        return (text + (path.read_text(errors="replace") if path.exists() else "")).strip()[-1500:]

    def _tell(self, word):
        done = self.folder / "done"
        before = done.read_text().count("\n") if done.exists() else 0
        with open(self.folder / "commands", "w", encoding="ascii") as commands:
            commands.write(word + "\n")
        end = time.monotonic() + 20
        while (done.read_text().count("\n") if done.exists() else 0) == before:
            if time.monotonic() > end:
                raise RuntimeError(f"libvirtd: {word} did not end: {self.log()}")
            time.sleep(0.02)

    def stop(self):
        """The daemon only; its guests go on."""
        self._tell("stop")

    def start(self):
        self._tell("start")
        self._wait_alive()

    def hang(self):
        self._tell("hang")

    def wake(self):
        self._tell("wake")

    def virsh(self, *words, timeout_s=60):
        return proc.run(["virsh", "--quiet", "--connect", self.uri, *words], timeout_s)

    def restart(self):
        self.stop()
        self.start()

    @property
    def _hook(self):
        return self.folder / "etc/hooks/qemu.d/50-clockmend"

    def hook(self, source):
        """Installs a hook for QEMU guests; libvirtd looks for hooks when it starts."""
        shutil.copy(source, self._hook)

    def unhook(self):
        self._hook.unlink()

    def close(self):
        self.child.stop()
        if not os.environ.get("CLOCKMEND_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)
