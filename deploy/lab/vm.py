"""One guest under QEMU: start, pause, snapshot, migrate to a file, and the ports to it."""
import os
import shutil
import tempfile
import time

from . import proc
from .images import Qemu
from .machine import MEMORY_MIB, Machine
from .network import GUEST, HOST, Network
from .qmp import Qmp, QmpError


def _stamp(event):
    """When QEMU said so, on the host's REALTIME in ns."""
    stamp = event["timestamp"]
    return stamp["seconds"] * 1_000_000_000 + stamp["microseconds"] * 1000


class Vm(Machine):
    """Options: accel "tcg" or "kvm"; network (a Network; its owner closes it); ntp (addresses told to the guest's time
    daemon); agent_port False leaves the agent's virtio-serial port out; cmdline adds kernel words; qemu is another QEMU
    (images.newer_qemu()); devices are further -device values; rtc is the RTC's clock (host, rt, vm); deadline_s is the longest
    QEMU may live."""

    def __init__(self, image, *, accel="tcg", network=None, ntp=(HOST,), agent_port=True, cmdline="", qemu=None, devices=(),
                 rtc="host", deadline_s=1800, keep_folder=None):
        super().__init__(keep_folder or tempfile.mkdtemp(prefix="clockmend-vm-"))
        self.image = image
        self.accel = accel
        self.network = network or Network("user")
        self._own_network = network is None
        self.agent_port = agent_port
        self.qemu = qemu or Qemu()
        self.devices = tuple(devices)
        self.rtc = rtc
        self._side = ""  # prefix of the sockets: two QEMUs of one guest exist during a live migration
        self.deadline_s = deadline_s
        self._own_folder = keep_folder is None
        self.overlay = self.folder / "disk.qcow2"
        gateway = "none" if self.network.kind == "tap" else HOST
        self.cmdline = (f"console=ttyS0 root=/dev/vda rw net.ifnames=0 random.trust_cpu=on mitigations=off panic=-1 "
                        f"systemd.show_status=no quiet lab.ip={GUEST}/24 lab.gw={gateway} lab.ntp={','.join(ntp)} {cmdline}").strip()
        self.qmp = None
        proc.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", image.disk, "-F", "raw", str(self.overlay)])

    def _argv(self, extra):
        tcg = self.accel == "tcg"
        argv = [*self.qemu.argv, "-nodefaults", "-no-user-config", "-display", "none", "-machine", "q35",
                "-accel", "tcg,tb-size=256" if tcg else "kvm", "-cpu", "max" if tcg else "host", "-smp", "1",
                "-m", str(MEMORY_MIB), "-rtc", f"base=utc,clock={self.rtc}", "-no-reboot",
                "-kernel", self.image.kernel, "-initrd", self.image.initrd, "-append", self.cmdline,
                "-drive", f"file={self.overlay},if=virtio,format=qcow2,cache=unsafe",
                "-device", "virtio-rng-pci", "-device", "virtio-serial-pci,id=ports",
                "-serial", f"file:{self.folder}/console.log",
                "-qmp", f"unix:{self._socket('qmp')},server=on,wait=off"]
        ports = [("observer", "org.clockmend.test.observer", 2), ("exec", "org.clockmend.test.exec", 3)]
        if self.agent_port:
            ports.append(("agent", "org.clockmend.agent.0", 1))
        for name, port, number in ports:
            argv += ["-chardev", f"socket,id={name},path={self._socket(name)},server=on,wait=off",
                     "-device", f"virtserialport,bus=ports.0,chardev={name},name={port},nr={number},id={name}-port"]
        for device in self.devices:
            argv += ["-device", device]
        return argv + self.network.qemu_arguments() + list(extra)

    def _socket(self, name):
        return self.folder / f"{self._side}{name}.sock"

    @property
    def agent_socket(self):
        """The host's end of the agent's port (one client at a time)."""
        return str(self._socket("agent"))

    def query(self, execute, **arguments):
        return self.qmp.command(execute, **arguments)

    def start(self, extra=()):
        """Starts a QEMU process and its monitor; returns at once, see wait_booted()."""
        for name in ("qmp", "observer", "exec", "agent"):
            self._socket(name).unlink(missing_ok=True)
        self.child = proc.Child(self._argv(extra), self.folder / "qemu.log", self.deadline_s, env=self.qemu.environment(),
                                netns=self.network.name)
        end = time.monotonic() + 20
        while self.qmp is None:
            try:
                self.qmp = Qmp(self._socket("qmp"))
            except (FileNotFoundError, ConnectionRefusedError):
                if not self.child.running() or time.monotonic() > end:
                    raise RuntimeError(f"QEMU did not start: {self.child.log()}") from None
                time.sleep(0.02)
        return self

    def stop(self):
        """Freezes the guest; returns the host's REALTIME in ns when QEMU said so."""
        self.qmp.command("stop")
        return time.clock_gettime_ns(time.CLOCK_REALTIME)

    def cont(self):
        """Lets the guest run; returns the host's REALTIME in ns of QEMU's RESUME event."""
        self.qmp.events.clear()
        self.qmp.command("cont")
        return _stamp(self.qmp.wait_event("RESUME"))

    def event_stamp(self, name, timeout_s=10):
        """Host's REALTIME in ns of QEMU's next event of that name, or of one not asked for yet."""
        return _stamp(self.qmp.wait_event(name, timeout_s))

    def freeze(self, seconds):
        """stop, wait, cont; returns the host's REALTIME in ns at resume."""
        self.stop()
        time.sleep(seconds)
        return self.cont()

    def savevm(self, name):
        self.qmp.human(f"savevm {name}", 300)

    def loadvm(self, name):
        """In the same process. Under TCG with clocksource tsc the guest then does not lose the time in between."""
        self.qmp.human(f"loadvm {name}", 300)

    def restart_from(self, name):
        """The honest restore: a fresh QEMU process loads the snapshot. Returns REALTIME in ns when it runs."""
        self._end_process()
        self.start(["-loadvm", name, "-S"])
        return self.cont()

    def migrate_through_file(self, gap_s=0.0):
        """A hot upgrade: save to a file, end QEMU, start a fresh one from the file. Returns REALTIME in ns at resume."""
        state = self.folder / "state.bin"
        self.qmp.command("migrate-set-parameters", max_bandwidth=1 << 40)
        self.qmp.command("migrate", uri=f"exec:cat > {state}")
        self._wait_migration()
        self._end_process()
        time.sleep(gap_s)
        self.start(["-incoming", f"exec:cat {state}", "-S"])
        self._wait_incoming()
        state.unlink()
        return self.cont()

    def migrate_live(self, held_s=0.0):
        """To a second QEMU beside the first, which then ends. The guest runs meanwhile, and stands still for the rest of its memory
        and `held_s` more. Returns REALTIME in ns at which the source stopped, and at which the second one ran."""
        switch = self.network.second_tap()
        address = f"unix:{self.folder}/{'a' if self._side else 'b'}-migrate.sock"
        source, first = self.qmp, self.child
        self.close_ports()
        self.qmp = None
        self._side = "" if self._side else "b-"
        self.start(["-incoming", address])
        try:
            source.command("migrate-set-parameters", max_bandwidth=1 << 40)
            source.command("migrate-set-capabilities", capabilities=[{"capability": "pause-before-switchover", "state": held_s > 0}])
            source.events.clear()
            source.command("migrate", uri=address)
            stopped = _stamp(source.wait_event("STOP", 120))
            if held_s > 0:
                self._release(source, held_s)
            resumed = _stamp(self.qmp.wait_event("RESUME", 60))
            switch()
            self._wait_migration(source)
        finally:
            source.close()
            first.stop()
        return stopped, resumed

    @staticmethod
    def _release(source, held_s):
        """Ends the pause before the switch-over after that time."""
        end = time.monotonic() + held_s
        while source.command("query-migrate").get("status") != "pre-switchover" or time.monotonic() < end:
            time.sleep(0.005)
        source.command("migrate-continue", state="pre-switchover")

    def _wait_incoming(self):
        end = time.monotonic() + 60
        while self.qmp.command("query-status")["status"] == "inmigrate":
            if time.monotonic() > end:
                raise QmpError("the incoming migration did not end")
            time.sleep(0.005)

    def _wait_migration(self, qmp=None):
        end = time.monotonic() + 120
        while time.monotonic() < end:
            status = (qmp or self.qmp).command("query-migrate").get("status")
            if status == "completed":
                return
            if status in ("failed", "cancelled"):
                raise QmpError(f"migration {status}")
            time.sleep(0.02)
        raise QmpError("the migration did not end")

    def agent_port_unplug(self, timeout_s=10):
        """Takes the agent's port out of the running guest."""
        self.qmp.command("device_del", id="agent-port")
        self.qmp.wait_event("DEVICE_DELETED", timeout_s)

    def agent_port_plug(self):
        self.qmp.command("device_add", driver="virtserialport", id="agent-port", bus="ports.0", chardev="agent",
                         name="org.clockmend.agent.0", nr=1)

    def device_plug(self, driver, ident, bus, **properties):
        """Hot-plugs a PCI device into a root port named among `devices`."""
        self.qmp.command("device_add", driver=driver, id=ident, bus=bus, **properties)

    def device_unplug(self, ident, timeout_s=20):
        """Until the guest has let it go."""
        self.qmp.events.clear()
        self.qmp.command("device_del", id=ident)
        self.qmp.wait_event("DEVICE_DELETED", timeout_s)

    def rtc_remove(self):
        """Unbinds the RTC driver: the guest then has no /dev/rtc0, as on machines without one. Bound again it would be rtc1."""
        self.exec.check("for d in /sys/bus/p*/drivers/rtc_cmos/*; do [ -e $d/driver ] || continue; "
                        "echo ${d##*/} > ${d%/*}/unbind; done; [ ! -e /dev/rtc0 ]")

    def rtc_watch(self):
        """Forgets the writes of the RTC so far; rtc_writes() counts those since."""
        self.qmp.command("query-status")
        self.qmp.events = [event for event in self.qmp.events if event["event"] != "RTC_CHANGE"]

    def rtc_writes(self):
        """How often the guest wrote the RTC since rtc_watch(): QEMU tells each write as an event, at most one a second."""
        self.qmp.command("query-status")  # events come with an answer
        return sum(event["event"] == "RTC_CHANGE" for event in self.qmp.events)

    def _end_process(self):
        self.close_ports()
        if self.qmp is not None:
            self.qmp.close()
        self.qmp = None
        if self.child is not None:
            self.child.stop()
            self.child = None

    def close(self):
        self._end_process()
        if self._own_network:
            self.network.close()
        if self._own_folder and not os.environ.get("CLOCKMEND_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
