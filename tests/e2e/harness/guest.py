"""One booted guest with its agent, its servers and the outside observer, as a case uses it."""
import tempfile
import time

from lab import images, package
from lab.agent import Agent
from lab.host_clock import AheadClock, HostClock
from lab.libvirt import LibvirtVm
from lab.libvirtd import Libvirtd, Unavailable
from lab.network import HOST, Network
from lab.servers import BadServer, HonestServer
from lab.vm import Vm

from .check import GiveUp, Skip
from .profiles import ADDRESSES, PROFILES

RIGHT_NS = 10_000_000
SETTLED_NS = 5_000_000


def _rtc_waits(status):
    """Why the RTC cannot be a witness yet; empty if it can, or will not."""
    rtc = next((probe for probe in status["probes"] if probe["name"] == "rtc"), None)
    waits = rtc and rtc["state"] != "off" and not rtc["last"] and status["rtc_mode"] != "none"
    return f"rtc probe {rtc['state']}: {rtc['why']}" if waits else ""


class Guest:
    def __init__(self, profile, accel):
        self.profile = PROFILES[profile]
        self.name = profile
        self.packages = package.build()
        image = images.build(self.profile.variant, [self.packages.guest_deb])
        if self.profile.kernel:
            image = images.newer_kernel(image, self.profile.kernel)
        qemu = images.newer_qemu() if self.profile.newer_qemu else None
        self._folder = tempfile.TemporaryDirectory(prefix="clockmend-e2e-")
        self.clock = AheadClock(self._folder.name) if self.profile.ahead else HostClock()
        self.network = Network("user") if self.profile.libvirt else Network("tap", ADDRESSES)
        self.servers = {}
        self.libvirtd = None
        self.serve(HOST)
        if self.profile.libvirt:
            self.libvirtd = self._own_libvirtd()
            self.vm = LibvirtVm(image, self.libvirtd, accel, clock=self.clock)
        else:
            self.vm = Vm(image, accel=accel, network=self.network, qemu=qemu, devices=self.profile.devices, cmdline=self.profile.cmdline,
                         rtc=self.profile.rtc, deadline_s=4 * 3600)
        self.agent = Agent(self.vm, self.packages.host)
        self.vm.start().wait_booted()

    def _own_libvirtd(self):
        try:
            return Libvirtd(self.network)
        except Unavailable as why:
            self._leave()
            raise Skip(str(why)) from None

    @property
    def observer(self):
        return self.vm.observer

    @property
    def exec(self):
        return self.vm.exec

    # NTP servers on this side.
    def serve(self, address, fault=None, offset_s=0.0):
        """Puts an honest server (fault None) or a bad one on the address, instead of what is there."""
        self.silence(address)
        where = (self.network, self._folder.name, address)
        if fault is None and not self.profile.ahead:
            self.servers[address] = HonestServer(*where, deadline_s=4 * 3600)
        else:  # chronyd takes the kernel's time of arrival, which is this machine's
            self.servers[address] = BadServer(*where, fault or "honest", offset_s, deadline_s=4 * 3600, env=self.clock.environment())

    def silence(self, address):
        """No server there any more: the guest gets "port unreachable"."""
        server = self.servers.pop(address, None)
        if server:
            server.stop()

    def only_host_serves(self):
        for address in list(self.servers):
            if address != HOST:
                self.silence(address)
        self.serve(HOST)

    # The guest's own world.
    def use_servers(self, addresses):
        """Points the time daemon at them; the agent is told to look again."""
        self.exec.check(f"/usr/local/lib/lab/ntp-config '{' '.join(addresses)}' && systemctl restart {self.profile.unit}")
        self.agent.reload()

    def block_ntp(self):
        self.exec.check("nft add table inet lab && nft 'add chain inet lab out { type filter hook output priority 0; }' && "
                        "nft add rule inet lab out udp dport 123 drop")

    def unblock_ntp(self):
        self.exec.run("nft delete table inet lab")

    def daemon_drop_in(self, text):
        """A drop-in for the time daemon's unit, gone at the next boot."""
        folder = f"/run/systemd/system/{self.profile.unit}.d"
        self.exec.check(f"mkdir -p {folder}")
        self.exec.push(f"{folder}/50-lab.conf", text)
        self.exec.check("systemctl daemon-reload")

    def daemon_restore(self):
        """Without the drop-in, running."""
        self.exec.check(f"rm -rf /run/systemd/system/{self.profile.unit}.d; systemctl daemon-reload; "
                        f"systemctl reset-failed {self.profile.unit}; systemctl start {self.profile.unit}", 60)

    def step_clock(self, amount_ns):
        """Somebody else's relative step, exact to the microsecond (ADJ_SETOFFSET | ADJ_NANO)."""
        self.agent.adjtime(0x2100, *divmod(int(amount_ns), 1_000_000_000))

    def set_right(self):
        """Takes away what a case left on the clock on purpose; the agent finds it right."""
        for _ in range(2):
            sample = self.observer.best()
            if abs(sample.error) > SETTLED_NS // 2:
                self.step_clock(-sample.error)

    # Waiting.
    def settled(self, status):
        """Why the guest is not ready for a case; empty if it is."""
        if not status:
            return "no status.json"
        if status["state"] != "synchronized":
            return f"agent state {status['state']}: {status['state_reason']}"
        waiting = _rtc_waits(status) and _rtc_waits(self.agent.now() or status)
        if waiting:
            return waiting
        sample = self.observer.best()
        if abs(sample.error) > SETTLED_NS:
            return f"clock off by {sample.error / 1e6:.3f} ms"
        if self.profile.unit not in self.agent.daemons():
            return f"{self.profile.unit} does not run"
        return "" if self.agent.at_rest(self.profile.unit) else f"{self.profile.unit} has just started"

    def wait_settled(self, timeout_s=120, hold=2):
        """Until everything is as it shall be before a case, `hold` looks in a row. What is left of the boot's offset would
        take the time daemon minutes; it is taken away."""
        end, held, why = time.monotonic() + timeout_s, 0, ""
        patience = time.monotonic() + 6
        while time.monotonic() < end:
            why = self.settled(self.agent.status())
            held = 0 if why else held + 1
            if held >= hold:
                return
            if why.startswith("clock off") and time.monotonic() > patience:
                self.set_right()
                patience = time.monotonic() + 12
            time.sleep(0.4)
        raise GiveUp(f"the guest did not settle within {timeout_s} s: {why}\n{self.agent.journal()}")

    def alive(self):
        return self.vm.child is not None and self.vm.child.running()

    def close(self):
        self.vm.close()
        self._leave()

    def _leave(self):
        if self.libvirtd:
            self.libvirtd.close()
        for address in list(self.servers):
            self.silence(address)
        self.network.close()
        self._folder.cleanup()
