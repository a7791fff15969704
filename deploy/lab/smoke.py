#!/usr/bin/python3
"""Proves the rig without the agent: boot, freeze, see the error from outside, repair it with the runbook's commands."""
import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lab import accel, images, proc  # noqa: E402
from lab.network import HOST, Network  # noqa: E402
from lab.servers import HonestServer  # noqa: E402
from lab.vm import Vm  # noqa: E402

RUNBOOK = {
    "ntpsec": "systemctl stop ntpsec && ntpdate -b 10.0.2.2 && hwclock -w && systemctl start ntpsec",
    "chrony": "systemctl stop chrony && chronyd -q 'server 10.0.2.2 iburst' && hwclock -w && systemctl start chrony",
    "timesyncd": "systemctl restart systemd-timesyncd && sleep 2",
}


def show(label, observer):
    sample = observer.best()
    print(f"{label:34} {sample.error / 1e6:+12.3f} ms +- {sample.uncertainty / 1e6:.3f}", flush=True)
    return sample


def main():
    proc.without_sys_time()
    proc.end_on_sigterm()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variant", default="ntpsec", choices=RUNBOOK)
    parser.add_argument("--accel", default="auto", choices=("auto", "kvm", "tcg"))
    parser.add_argument("--freeze", type=float, default=20.0, help="seconds")
    parser.add_argument("--network", default="user", choices=("user", "tap"))
    options = parser.parse_args()

    image = images.build(options.variant)
    network = Network(options.network)
    started = time.monotonic()
    HonestServer(network, f"/tmp/{network.name}", HOST)
    with Vm(image, accel=accel.choose(options.accel, image), network=network) as vm:
        vm.start().wait_booted()
        print(f"booted under {vm.accel} in {time.monotonic() - started:.1f} s", flush=True)
        time.sleep(10)
        show("running", vm.observer)
        resumed = vm.freeze(options.freeze)
        after = show(f"after a freeze of {options.freeze} s", vm.observer)
        result = vm.exec.run(RUNBOOK[options.variant], 60)
        ended = time.clock_gettime_ns(time.CLOCK_REALTIME)
        print(result.output.strip())
        print(f"runbook: exit {result.code}, ended {(ended - resumed) / 1e9:.2f} s after resume", flush=True)
        repaired = show("after the runbook", vm.observer)
    network.close()
    return 0 if result.code == 0 and after.error < -0.9e9 * options.freeze and abs(repaired.error) < 50e6 else 1


if __name__ == "__main__":
    sys.exit(main())
