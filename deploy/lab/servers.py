"""NTP servers for the guest: honest ones (chronyd -x serves this machine's clock without touching it) and bad ones."""
import glob
import os
import sys
import time
from pathlib import Path

from . import images, proc


class HonestServer:
    """`chronyd -x` on one address of the network's namespace."""

    def __init__(self, network, workdir, address, deadline_s=3600):
        bind = network.server_address(address)
        folder = Path(workdir) / f"chronyd-{address}"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        config = folder / "chrony.conf"
        config.write_text(f"local stratum 3\nbindaddress {bind}\nallow all\ncmdport 0\nbindcmdaddress {folder}/cmd.sock\n"
                          f"pidfile {folder}/pid\n", encoding="ascii")
        tools = images.tools()
        env = dict(os.environ, LD_LIBRARY_PATH=":".join(glob.glob(str(tools / "usr/lib/*-linux-gnu"))))
        self.child = proc.Child([str(tools / "usr/sbin/chronyd"), "-x", "-d", "-u", "root", "-f", str(config)],
                                folder / "log", deadline_s, env=env, netns=network.name)
        end = time.monotonic() + 5
        while not (folder / "pid").exists():
            if not self.child.running() or time.monotonic() > end:
                raise RuntimeError(f"chronyd did not start: {self.child.log()}")
            time.sleep(0.02)

    def stop(self):
        self.child.stop()


class BadServer:
    """A server that misbehaves in the way `fault` names (bad_server.py lists them); "honest" in the time of `env`."""

    def __init__(self, network, workdir, address, fault, offset_s=0.0, deadline_s=3600, env=None):
        script = Path(__file__).with_name("bad_server.py")
        log = Path(workdir) / f"bad-{address}.log"
        self.child = proc.Child([sys.executable, str(script), network.server_address(address), fault, str(offset_s)],
                                log, deadline_s, env=env, netns=network.name)
        end = time.monotonic() + 5
        while "ready" not in self.child.log():
            if not self.child.running() or time.monotonic() > end:
                raise RuntimeError(f"bad server did not start: {self.child.log()}")
            time.sleep(0.02)

    def stop(self):
        self.child.stop()
