"""What every guest has, whoever runs it: its test ports, its console, its RTC as QEMU shows it, and the time around it."""
import calendar
import time
from pathlib import Path

from .guest_ports import GuestExec, Observer
from .host_clock import HostClock

MEMORY_MIB = 512


class Machine:
    """Who inherits gives `child` (running(), kill()) and query()."""

    def __init__(self, folder, clock=None):
        # Unix socket paths are limited to 108 bytes, so not below a deep build folder.
        self.folder = Path(folder)
        self.clock = clock or HostClock()
        self.child = self._observer = self._exec = None

    def query(self, execute, **arguments):
        """What QEMU's monitor answers to a command."""
        raise NotImplementedError

    def _socket(self, name):
        return self.folder / f"{name}.sock"

    @property
    def observer(self):
        self._observer = self._observer or Observer(self._socket("observer"), self.clock)
        return self._observer

    @property
    def exec(self):
        self._exec = self._exec or GuestExec(self._socket("exec"))
        return self._exec

    def close_ports(self):
        """Before the process at their other end is another."""
        for port in (self._observer, self._exec):
            if port is not None:
                port.close()
        self._observer = self._exec = None

    def wait_booted(self, timeout_s=240):
        """Until multi-user.target; a degraded boot is the caller's business."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            if not self.child.running():
                raise RuntimeError(f"the guest ended while booting: {self.console()[-2000:]}")
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

    def rtc_read(self):
        """The RTC device's date as QEMU sees it, whole seconds since 1970 in UTC."""
        date = self.query("qom-get", path="/machine", property="rtc-time")
        return calendar.timegm((date["tm_year"] + 1900, date["tm_mon"] + 1, date["tm_mday"], date["tm_hour"], date["tm_min"],
                                date["tm_sec"]))
