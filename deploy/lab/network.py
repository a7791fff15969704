"""A network namespace of our own: servers on port 123 there never meet the host's."""
import atexit
import itertools
import json
import os

from . import proc

_numbers = itertools.count(1)
_open = []

GUEST = "10.0.2.15"
HOST = "10.0.2.2"


class Network:
    """kind "user": QEMU's user network inside the namespace, the guest sees the namespace's 127.0.0.1 as 10.0.2.2.
    kind "tap": a tap with several addresses on the same subnet, for several NTP servers."""

    def __init__(self, kind="user", addresses=(HOST,)):
        self.kind = kind
        self.addresses = list(addresses)
        self._tap = "tap0"
        self.name = f"clockmend-{os.getpid()}-{next(_numbers)}"
        proc.run(["ip", "netns", "add", self.name])
        _open.append(self)
        self.ip("link", "set", "lo", "up")
        if kind == "tap":
            self.ip("tuntap", "add", "dev", self._tap, "mode", "tap")
            self._take_addresses()

    def _take_addresses(self):
        for address in self.addresses:
            self.ip("address", "add", f"{address}/24", "dev", self._tap)
        self.ip("link", "set", self._tap, "up")

    def second_tap(self):
        """A tap serves one QEMU: one more for the QEMU that takes the guest over, which sees no difference. Returns what to call
        when the guest runs there. With the user network there is nothing to do."""
        if self.kind != "tap":
            return lambda: None
        old, self._tap = self._tap, "tap1" if self._tap == "tap0" else "tap0"
        links = {link["ifname"]: link["address"] for link in json.loads(self.ip("-json", "link", "show"))}
        if self._tap not in links:
            self.ip("tuntap", "add", "dev", self._tap, "mode", "tap")
            self.ip("link", "set", self._tap, "address", links[old])

        def switch():
            self.ip("link", "set", old, "down")
            self.ip("address", "flush", "dev", old)
            self._take_addresses()
        return switch

    def ip(self, *words):
        return proc.run(["ip", "-n", self.name, *words])

    def server_address(self, address=HOST):
        """Where a server for the guest's `address` must bind."""
        return address if self.kind == "tap" else "127.0.0.1"

    def qemu_arguments(self):
        if self.kind == "tap":
            backend = f"tap,id=net0,ifname={self._tap},script=no,downscript=no"
        else:
            backend = "user,id=net0,restrict=off"
        return ["-netdev", backend, "-device", "virtio-net-pci,netdev=net0,romfile="]

    def close(self):
        if self in _open:
            _open.remove(self)
            proc.run(["ip", "netns", "del", self.name], check=False)


@atexit.register
def _close_all():
    for network in list(_open):
        network.close()
