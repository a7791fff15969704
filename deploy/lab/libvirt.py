"""One guest that a libvirtd of our own runs."""
import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from . import proc
from .images import Qemu
from .machine import MEMORY_MIB, Machine
from .network import GUEST, HOST

PORT = "org.clockmend.agent.0"


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


class LibvirtVm(Machine):
    """With the face of vm.Vm as far as it goes. What brings it back returns the time at which virsh had ended; the guest may have
    run a little longer."""

    def __init__(self, image, libvirtd, accel="tcg", name="guest", memory_mib=MEMORY_MIB, clock=None):
        super().__init__(tempfile.mkdtemp(prefix="cm-vm-"), clock)
        self.image, self.libvirtd, self.accel, self.name, self._memory = image, libvirtd, accel, name, memory_mib
        self.overlay = self.folder / "disk.qcow2"
        self.child = _Process(self)
        self._emulator = self._program("qemu", Qemu()) if self.clock.variables() else shutil.which(Qemu().binary)
        proc.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", image.disk, "-F", "raw", str(self.overlay)])

    def _program(self, name, qemu):
        """That QEMU as libvirt wants it, one program without arguments or environment of its own, in the guest's time."""
        variables = dict(self.clock.variables(), **({"LD_LIBRARY_PATH": qemu.libraries} if qemu.libraries else {}))
        exports = "".join(f"export {key}={shlex.quote(value)}\n" for key, value in variables.items())
        words = [*self._with_modules(qemu), *qemu.argv]
        path = self.folder / name
        path.write_text(f'#!/bin/sh\n{exports}exec {" ".join(map(shlex.quote, words))} "$@"\n', encoding="ascii")
        path.chmod(0o755)
        return path

    @staticmethod
    def _with_modules(qemu):
        """libvirt asks for the types of all modules, and QEMU ends itself when it meets one of another build: it sees its own only."""
        if not qemu.libraries:
            return []
        own, installed = Path(qemu.libraries, "qemu"), Path("/usr/lib", Path(qemu.libraries).name, "qemu")
        if not own.is_dir() or not installed.is_dir():
            return []
        script = f'mount --bind {shlex.quote(str(own))} {shlex.quote(str(installed))} && exec "$@"'
        return ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]

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
<on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot><on_crash>destroy</on_crash>
<devices><emulator>{self._emulator}</emulator>
<disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='unsafe'/><source file='{self.overlay}'/>
<target dev='vda' bus='virtio'/></disk>
<controller type='usb' model='none'/><controller type='virtio-serial' index='0'/>
<interface type='user'><model type='virtio'/><rom enabled='no'/></interface>
<serial type='file'><source path='{self.folder}/console.log'/><target type='isa-serial' port='0'/></serial>
{self._channel("org.clockmend.test.observer", self._socket("observer"))}
{self._channel("org.clockmend.test.exec", self._socket("exec"))}
{self._channel(PORT)}
<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng><memballoon model='none'/>
</devices></domain>"""

    def virsh(self, command, *words, timeout_s=120):
        """A command of virsh about this guest."""
        return self.libvirtd.virsh(command, self.name, *words, timeout_s=timeout_s)

    def start(self):
        path = self.folder / "domain.xml"
        path.write_text(self.xml(), encoding="utf-8")
        self.libvirtd.virsh("define", str(path))
        self.virsh("start")
        return self

    def state(self):
        try:
            return self.virsh("domstate", timeout_s=20).strip()
        except (RuntimeError, subprocess.TimeoutExpired):
            return "unknown"

    def query(self, execute, **arguments):
        said = self.virsh("qemu-monitor-command", json.dumps({"execute": execute, "arguments": arguments}))
        return json.loads(said)["return"]

    # The agent's port.
    @property
    def agent_socket(self):
        """The host's end of the agent's port, as libvirt chose it."""
        folder = self.libvirtd.folder / "conf/libvirt/qemu/channel/target"
        found = sorted(folder.glob(f"*/{PORT}"), key=lambda path: path.stat().st_mtime)
        if not found:
            raise RuntimeError("the guest has no agent port")
        return str(found[-1])

    def _port_alias(self):
        """libvirt's name for the agent's port in the running guest."""
        domain = ElementTree.fromstring(self.virsh("dumpxml"))
        for channel in domain.iterfind("devices/channel"):
            if channel.find("target").get("name") == PORT:
                return channel.find("alias").get("name")
        raise RuntimeError("the guest has no agent port")

    def agent_port_unplug(self):
        self.virsh("detach-device-alias", self._port_alias(), "--live")

    def agent_port_plug(self, xml):
        self.virsh("attach-device", str(xml), "--live")

    # What happens to it.
    def stop(self):
        self.virsh("suspend")

    def cont(self):
        """Here the time just before."""
        resumed = self.clock.now_ns()
        self.virsh("resume")
        return resumed

    def freeze(self, seconds):
        """virsh suspend, wait, virsh resume."""
        self.stop()
        time.sleep(seconds)
        return self.cont()

    def reset(self):
        """As the button on a machine does."""
        self.virsh("reset")

    def save(self):
        """virsh save; returns the file."""
        state = self.folder / "state"
        self.close_ports()
        self.virsh("save", str(state))
        return state

    def restore(self, state, *options):
        """virsh restore: a fresh QEMU."""
        self.libvirtd.virsh("restore", str(state), *options, timeout_s=120)
        resumed = self.clock.now_ns()
        Path(state).unlink()
        return resumed

    def save_restore(self, gap_s=0.0):
        state = self.save()
        time.sleep(gap_s)
        return self.restore(state)

    def managed_save(self, gap_s=0.0):
        """libvirt keeps the file, and starts from it."""
        self.close_ports()
        self.virsh("managedsave")
        time.sleep(gap_s)
        self.virsh("start")
        return self.clock.now_ns()

    def hot_upgrade(self, qemu, gap_s=0.0):
        """Its memory goes to a file, and another QEMU takes it from there."""
        state = self.save()
        xml = self.folder / "upgraded.xml"
        program = self._program("qemu-next", qemu)
        saved = self.libvirtd.virsh("save-image-dumpxml", str(state))
        xml.write_text(re.sub("<emulator>.*</emulator>", f"<emulator>{program}</emulator>", saved), encoding="utf-8")
        time.sleep(gap_s)
        return self.restore(state, "--xml", str(xml))

    def snapshot(self, name):
        """Memory and disk, inside the disk's qcow2 file. The guest stands still meanwhile."""
        self.virsh("snapshot-create-as", name)
        return self.clock.now_ns()

    def revert(self, name):
        """libvirt ends QEMU and starts one from the snapshot."""
        self.close_ports()
        self.virsh("snapshot-revert", name)
        return self.clock.now_ns()

    def close(self):
        self.close_ports()
        self.child.kill()
        if not os.environ.get("CLOCKMEND_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)
