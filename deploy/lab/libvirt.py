"""A libvirtd of our own, in namespaces of its own, and one guest that it runs."""
import calendar
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from . import proc
from .guest_ports import GuestExec, Observer
from .network import GUEST, HOST
from .vm import MEMORY_MIB

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

    def hook(self, source):
        """Installs a hook for QEMU guests; libvirtd looks for hooks when it starts."""
        shutil.copy(source, self.folder / "etc/hooks/qemu.d/50-clockmend")

    def close(self):
        self.child.stop()
        if not os.environ.get("CLOCKMEND_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)


class _Process:
    """The guest as something that runs and can be ended, as vm.Vm's child."""

    def __init__(self, vm):
        self._vm = vm

    def running(self):
        return self._vm.state() in ("running", "paused")

    def kill(self):
        """Where libvirtd does not do it, the end of its namespace does."""
        try:
            self._vm.libvirtd.virsh("destroy", self._vm.name, timeout_s=30)
        except (RuntimeError, subprocess.TimeoutExpired):
            pass


class LibvirtVm:
    """One guest, with the face of vm.Vm as far as it goes."""

    def __init__(self, image, libvirtd, accel="tcg", name="guest", memory_mib=MEMORY_MIB):
        self.image, self.libvirtd, self.accel, self.name, self._memory = image, libvirtd, accel, name, memory_mib
        self.folder = Path(tempfile.mkdtemp(prefix="cm-vm-"))
        self.overlay = self.folder / "disk.qcow2"
        self._observer = self._exec = None
        self.child = _Process(self)
        proc.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", image.disk, "-F", "raw", str(self.overlay)])

    def _channel(self, name, path=None):
        source = f"<source mode='bind' path='{path}'/>" if path else ""
        return f"<channel type='unix'>{source}<target type='virtio' name='{name}'/></channel>"

    def xml(self):
        tcg = self.accel == "tcg"
        cmdline = (f"console=ttyS0 root=/dev/vda rw net.ifnames=0 random.trust_cpu=on mitigations=off panic=-1 systemd.show_status=no "
                   f"quiet lab.ip={GUEST}/24 lab.gw={HOST} lab.ntp={HOST}")
        return f"""<domain type='{"qemu" if tcg else "kvm"}'>
<name>{escape(self.name)}</name><memory unit='MiB'>{self._memory}</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='q35'>hvm</type><kernel>{self.image.kernel}</kernel><initrd>{self.image.initrd}</initrd>
<cmdline>{escape(cmdline)}</cmdline></os>
<features><acpi/><apic/></features><cpu mode='{"maximum" if tcg else "host-passthrough"}'/><clock offset='utc'/>
<on_poweroff>destroy</on_poweroff><on_reboot>destroy</on_reboot><on_crash>destroy</on_crash>
<devices><emulator>{shutil.which("qemu-system-x86_64")}</emulator>
<disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='unsafe'/><source file='{self.overlay}'/>
<target dev='vda' bus='virtio'/></disk>
<controller type='usb' model='none'/><controller type='virtio-serial' index='0'/>
<interface type='user'><model type='virtio'/><rom enabled='no'/></interface>
<serial type='file'><source path='{self.folder}/console.log'/><target type='isa-serial' port='0'/></serial>
{self._channel("org.clockmend.test.observer", self.folder / "observer.sock")}
{self._channel("org.clockmend.test.exec", self.folder / "exec.sock")}
{self._channel("org.clockmend.agent.0")}
<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng><memballoon model='none'/>
</devices></domain>"""

    def start(self):
        path = self.folder / "domain.xml"
        path.write_text(self.xml(), encoding="utf-8")
        self.libvirtd.virsh("define", str(path))
        self.libvirtd.virsh("start", self.name, timeout_s=90)
        return self

    def state(self):
        try:
            return self.libvirtd.virsh("domstate", self.name, timeout_s=20).strip()
        except (RuntimeError, subprocess.TimeoutExpired):
            return "unknown"

    def wait_booted(self, timeout_s=240):
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            try:
                if self.exec.run("systemctl is-active multi-user.target", 5).code == 0:
                    return self
            except (TimeoutError, ConnectionError):
                pass
            time.sleep(0.3)
        raise RuntimeError(f"the guest did not boot within {timeout_s} s: {self.console()[-2000:]}")

    def console(self):
        path = self.folder / "console.log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def observer(self):
        self._observer = self._observer or Observer(self.folder / "observer.sock")
        return self._observer

    @property
    def exec(self):
        self._exec = self._exec or GuestExec(self.folder / "exec.sock")
        return self._exec

    @property
    def agent_socket(self):
        """The host's end of the agent's port, as libvirt chose it."""
        folder = self.libvirtd.folder / "conf/libvirt/qemu/channel/target"
        found = sorted(folder.glob("*/org.clockmend.agent.0"), key=lambda path: path.stat().st_mtime)
        if not found:
            raise RuntimeError("the guest has no agent port")
        return str(found[-1])

    def port_alias(self):
        """libvirt's name for the agent's port in the running guest."""
        domain = ElementTree.fromstring(self.libvirtd.virsh("dumpxml", self.name))
        for channel in domain.iterfind("devices/channel"):
            if channel.find("target").get("name") == "org.clockmend.agent.0":
                return channel.find("alias").get("name")
        raise RuntimeError("the guest has no agent port")

    def freeze(self, seconds):
        """virsh suspend, wait, virsh resume; returns the host's REALTIME in ns just before the guest was let go."""
        self.libvirtd.virsh("suspend", self.name)
        time.sleep(seconds)
        resumed = time.clock_gettime_ns(time.CLOCK_REALTIME)
        self.libvirtd.virsh("resume", self.name)
        return resumed

    def save_restore(self, gap_s=0.0):
        """virsh save, wait, virsh restore: a fresh QEMU. Returns REALTIME in ns when virsh had ended."""
        state = self.folder / "state"
        self._close_ports()
        self.libvirtd.virsh("save", self.name, str(state), timeout_s=120)
        time.sleep(gap_s)
        self.libvirtd.virsh("restore", str(state), timeout_s=120)
        resumed = time.clock_gettime_ns(time.CLOCK_REALTIME)
        state.unlink()
        return resumed

    def qmp(self, execute, **arguments):
        """A command of QEMU's own monitor, by way of libvirt."""
        said = self.libvirtd.virsh("qemu-monitor-command", self.name, json.dumps({"execute": execute, "arguments": arguments}))
        return json.loads(said)["return"]

    def rtc_read(self):
        """The RTC device's date as QEMU sees it, whole seconds since 1970 in UTC."""
        date = self.qmp("qom-get", path="/machine", property="rtc-time")
        return calendar.timegm((date["tm_year"] + 1900, date["tm_mon"] + 1, date["tm_mday"], date["tm_hour"], date["tm_min"],
                                date["tm_sec"]))

    def _close_ports(self):
        for port in (self._observer, self._exec):
            if port is not None:
                port.close()
        self._observer = self._exec = None

    def close(self):
        self._close_ports()
        self.child.kill()
        if not os.environ.get("CLOCKMEND_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)
