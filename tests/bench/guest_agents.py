#!/usr/bin/python3
"""clockmend beside qemu-ga as the answer to guest-set-time: the same guest, the same run, the same virsh commands.

Each round pauses the guest once for each client of each agent; the other agent is stopped then. Times are milliseconds since the
client was started, right after virsh resume; "right" means within 10 ms of the host, seen from outside. The first round is
listed apart. Writes a Markdown table."""
import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "deploy"), str(HERE.parent / "e2e")]
from cases import clients  # noqa: E402
from harness.guest import RIGHT_NS, Guest  # noqa: E402
from harness.host_tool import HostTool  # noqa: E402
from lab import accel, images, package, proc, timeline  # noqa: E402
from side_by_side import QEMU_GA, Steal  # noqa: E402

SETTIME = "guest-set-time, nanoseconds"
CLIENTS = {SETTIME: None, "domtime --now": "--now", "domtime --sync": "--sync"}
PATIENCE_S = 4  # qemu-ga without nanoseconds never becomes right by itself; the time daemon takes minutes


def install_qemu_ga(guest):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(proc.bound(["apt-get", "download", "-q", *QEMU_GA]), cwd=folder, check=True, stdout=subprocess.DEVNULL, timeout=300)
        for deb in sorted(Path(folder).glob("*.deb")):
            guest.exec.push(f"/root/{deb.name}", deb.read_bytes())
    guest.exec.check("cd /root && for d in *.deb; do dpkg -s ${d%%_*} >/dev/null 2>&1 || new=\"$new $d\"; done; dpkg -i $new && rm -f *.deb; "
                     "systemctl stop qemu-guest-agent", 180)


def serve(guest, who, log):
    """One of the two has the port, and the clock is right."""
    guest.exec.check("systemctl stop clockmendd qemu-guest-agent")
    guest.set_right()
    if who == "qemu-ga":
        guest.exec.check("systemctl start qemu-guest-agent")
    else:
        guest.exec.check("systemctl start clockmendd")
        guest.wait_settled()
    clients._wait_answers(guest, log)
    guest.set_right()


def ask(guest, option):
    if option:
        guest.libvirtd.virsh("domtime", guest.vm.name, option)
    else:
        clients._command(guest, "guest-set-time", time=time.time_ns())


def measure(guest, option, who, gap_s):
    number = guest.agent.last_number()
    resumed = guest.vm.freeze(gap_s)
    began, box = time.clock_gettime_ns(time.CLOCK_REALTIME), {}

    def work():
        ask(guest, option)
        box["answered"] = time.clock_gettime_ns(time.CLOCK_REALTIME)
    worker = threading.Thread(target=work)
    worker.start()
    took, _ = guest.observer.wait_right(RIGHT_NS, began, PATIENCE_S)
    worker.join()
    sample = guest.observer.best()
    values = {"answered": (box["answered"] - began) / 1e6, "right": took and took / 1e6, "residual_us": sample.error / 1e3,
              "observer_us": sample.uncertainty / 1e3, "resumed": (began - resumed) / 1e6}
    values["both"] = max(values["answered"], values["right"]) if took else None
    if who == "clockmend":
        report = guest.agent.wait_record(number, 60)
        rows = {label: ms for label, ms, _, _ in timeline.timeline(report, began)}
        values["rtc"] = rows.get("RTC done")
        values["rtc_said"] = report["rtc"]
        values["tripwire"] = report["discontinuity"]["tripwire"]
    return values


def exchange(guest, count):
    """clockmend-host exchange against the outside observer: what they differ by, what both say their errors are."""
    tool, rows = HostTool(guest), []
    for _ in range(count):
        before = guest.observer.best()
        said = tool.run("exchange", "--socket", guest.vm.agent_socket, control="").lines[0]["return"]
        after = guest.observer.best()
        drift = abs(after.error - before.error) / 2
        seen = -(before.error + after.error) / 2
        rows.append((abs(said["offset-ns"] - seen), said["error-ns"], max(before.uncertainty, after.uncertainty) + drift))
    return "clockmend-host exchange, us: " + ", ".join(
        f"{name} {statistics.median(column) / 1e3:.0f} (largest {max(column) / 1e3:.0f})"
        for name, column in zip(("off by", "says +-", "observer +-"), zip(*rows)))


class Say:
    """As much of a case's log as the borrowed functions use."""

    @staticmethod
    def require(held, text):
        if not held:
            raise RuntimeError(text)


def _median(runs, column):
    values = [abs(run[column]) for run in runs if run.get(column) is not None]
    return statistics.median(values) if values else None


def _cell(value, digits=0):
    return "-" if value is None else f"{value:.{digits}f}"


def table(results):
    lines = ["| who | client | runs | answered, ms | right, ms | not right | answered and right, ms | RTC done after the answer, ms | "
             "residual us | observer +- us |", "|---|---|---|---|---|---|---|---|---|---|"]
    for (who, client), runs in results.items():
        runs = runs[1:] or runs
        after = [run["rtc"] - run["answered"] for run in runs if run.get("rtc") is not None and run["rtc_said"].startswith("written")]
        never = sum(run["right"] is None for run in runs)
        lines.append(f"| {who} | {client} | {len(runs)} | {_cell(_median(runs, 'answered'))} | {_cell(_median(runs, 'right'))} | {never} | "
                     f"{_cell(_median(runs, 'both'))} | {_cell(statistics.median(after) if after else None)} ({len(after)} written) | "
                     f"{_cell(_median(runs, 'residual_us'))} | {_cell(_median(runs, 'observer_us'))} |")
    return "\n".join(lines)


def ratios(results):
    ours, theirs = ([runs[1:] or runs for runs in (results[who, client] for client in CLIENTS)] for who in ("clockmend", "qemu-ga"))
    lines = []
    for client, mine, other in zip(CLIENTS, ours, theirs):
        pair = _median(mine, "both"), _median(other, "answered")
        if all(pair):
            lines.append(f"{client}: the answer with the right clock in {pair[0] / pair[1]:.2f} of qemu-ga's time to answer")
        pair = _median(mine, "residual_us"), _median(other, "residual_us")
        lines.append(f"{client}: residual error {pair[0] / pair[1]:.4f} of qemu-ga's")
    return "\n".join(lines)


def main():
    proc.without_sys_time()
    proc.end_on_sigterm()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="after the first one, of each")
    parser.add_argument("--freeze", type=float, default=5.0, help="seconds")
    parser.add_argument("--accel", default="auto", choices=("auto", "kvm", "tcg"))
    parser.add_argument("--output", type=Path, default=Path("guest_agents.md"))
    options = parser.parse_args()
    chosen = accel.choose(options.accel, images.build("ntpsec", [package.build().guest_deb]))
    guest, steal, results = Guest("libvirt", chosen), Steal(), {}
    try:
        guest.wait_settled()
        measured = exchange(guest, 20)
        print(measured, flush=True)
        clients._plug(guest)
        install_qemu_ga(guest)
        guest.agent.drop_in("90-clients", f'[channel]\nport_name = "{clients.PORT}"\n')
        for turn in range(options.runs + 1):
            for who in (("qemu-ga", "clockmend"), ("clockmend", "qemu-ga"))[turn % 2]:
                serve(guest, who, Say)
                for client, option in CLIENTS.items():
                    if who == "clockmend":
                        guest.wait_settled()
                    values = measure(guest, option, who, options.freeze)
                    results.setdefault((who, client), []).append(values)
                    print(f"{turn:2} {who:10} {client:28} {values}", flush=True)
                    guest.set_right()
    finally:
        guest.close()
    text = (f"Accelerator {chosen}, freezes of {options.freeze} s, {options.runs} runs each after the first; milliseconds since the client was "
            f"started. Steal time {steal.percent():.1f} %.\n\n{table(results)}\n\n{ratios(results)}\n{measured}\n")
    options.output.write_text(text, encoding="utf-8")
    options.output.with_suffix(".json").write_text(json.dumps([[*key, runs] for key, runs in results.items()], indent=1), encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
