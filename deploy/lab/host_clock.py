"""The time around a guest: this machine's, or for a while one that runs ahead of it. This machine's clock is never touched."""
import os
import struct
import time
from pathlib import Path

from . import images


class HostClock:
    """This machine's CLOCK_REALTIME."""

    def now_ns(self):
        return time.clock_gettime_ns(time.CLOCK_REALTIME)

    def variables(self):
        """What programs that shall live in this time need in their environment."""
        return {}

    def environment(self):
        """The same as a whole environment; None: as it is."""
        added = self.variables()
        return dict(os.environ, **added) if added else None


class AheadClock(HostClock):
    """Ahead of this machine's by as much as move() said. Programs started with its variables see that in their CLOCK_REALTIME at
    once; their other clocks, timers and waits stay as they are (ahead_clock.cpp)."""

    def __init__(self, folder):
        self._path = Path(folder) / "ahead"
        self._path.write_bytes(bytes(8))
        self._ahead_ns = 0
        self._library = images.preload("deploy/lab/ahead_clock.cpp")

    def now_ns(self):
        return super().now_ns() + self._ahead_ns

    def move(self, seconds):
        self._ahead_ns += int(seconds * 1e9)
        with open(self._path, "r+b", buffering=0) as file:  # in place: they have it mapped
            file.write(struct.pack("=q", self._ahead_ns))

    def variables(self):
        return {"LD_PRELOAD": str(self._library), "CLOCKMEND_LAB_AHEAD": str(self._path)}
