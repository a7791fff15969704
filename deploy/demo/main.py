"""The order of the demo: build, boot, scenes (a) to (g), verdict. Started by ../demo.sh."""
import argparse
import json
import signal
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]
import scenes  # noqa: E402
from lab import accel, images, package, proc  # noqa: E402
from lab.agent import Agent  # noqa: E402
from lab.network import HOST, Network  # noqa: E402
from lab.servers import BadServer, HonestServer  # noqa: E402
from lab.vm import Vm  # noqa: E402
from screen import Screen  # noqa: E402

SECOND, LIAR = "10.0.2.3", "10.0.2.4"


def show(screen, stage, seconds):
    screen.title("(a) ntpsec runs and the clock is right")
    scenes.running(stage)
    screen.title(f"(b) frozen for {seconds} s, the host notifies over virtio-serial")
    scenes.freeze(stage, seconds, True)
    screen.title(f"(c) frozen for {seconds} s, NO notice: the agent finds out by itself")
    scenes.freeze(stage, seconds, False)
    screen.title("(d) somebody sets the clock years wrong")
    scenes.wrong_date(stage, 'date -s "2 May 2021 01:01:01"')
    screen.title("(e) it works every time: once more with a notice")
    scenes.freeze(stage, seconds, True)
    screen.title("(e) it works every time: once more without")
    scenes.freeze(stage, seconds, False)
    screen.title('(f) the plain runbook order: sequence = "stop-first"')
    scenes.stop_first(stage, seconds)
    screen.title("(g) three NTP servers, one of them lying")
    scenes.three_servers(stage, seconds, [HOST, SECOND, LIAR], LIAR)


def final_status(screen, agent):
    screen.title("what the agent says of itself: /run/clockmend/status.json")
    status = agent.wait_status(lambda value: value["state"] == "synchronized", 30)
    screen.block(json.dumps(status, indent=2))
    screen.expect((status or {}).get("state") == "synchronized", "state is synchronized")
    check = agent.cli("status --check")
    screen.expect(check.code == 0, f"clockmend status --check ends with 0 ({check.output.strip()})")


def main():
    parser = argparse.ArgumentParser(prog="demo.sh")
    parser.add_argument("--accel", default="auto", choices=("auto", "kvm", "tcg"))
    parser.add_argument("--freeze", type=float, default=47.55)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    screen = Screen()
    screen.title("building clockmend's packages (cached by the content of the sources)")
    packages = package.build()
    screen.say(f"{packages.guest_deb.name}")
    screen.title("making the guest image (cached)")
    image = images.build("ntpsec", [packages.guest_deb])
    chosen = accel.choose(options.accel, image)
    screen.title(f"booting Debian under QEMU, accelerator {chosen}")
    network = Network("tap", [HOST, SECOND, LIAR])
    with tempfile.TemporaryDirectory(prefix="clockmend-demo-") as folder:
        servers = [HonestServer(network, folder, HOST), HonestServer(network, folder, SECOND),
                   BadServer(network, folder, LIAR, "liar", scenes.LIAR_S)]
        with Vm(image, accel=chosen, network=network) as vm:
            vm.start().wait_booted()
            screen.say("booted")
            agent = Agent(vm, packages.host)
            show(screen, scenes.Stage(screen, vm, agent, servers), options.freeze)
            final_status(screen, agent)
            if screen.failed:
                screen.title("the agent's journal")
                screen.block(agent.journal(200))
        for server in servers:
            server.stop()
    network.close()
    return screen.verdict()


if __name__ == "__main__":
    proc.without_sys_time()
    proc.end_on_sigterm()
    sys.exit(main())
