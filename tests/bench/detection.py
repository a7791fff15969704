#!/usr/bin/python3
"""Measures how soon a PTP clock or vmclock tells of a freeze, what is left after the step, and what watching them costs.

`ptp`: a network card's clock (igb) freezes with the guest; a tool in the guest sets it right after resume, so that it plays the
host's. Its detection is counted from that moment. `vmclock`: a hot upgrade (saved to a file, a fresh QEMU) changes the marker;
counted from QEMU's RESUME event. The RTC is left out of those runs. Idle cost: beside qemu-ga in the same guest, with the RTC
watched and without. Writes a Markdown table.
"""
import argparse
import json
import random
import re
import statistics
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "deploy"), str(HERE.parent / "e2e"), str(HERE)]
from harness import inside  # noqa: E402
from harness.guest import RIGHT_NS, Guest  # noqa: E402
from harness.profiles import IGB, IGB_CLOCK  # noqa: E402
from lab import accel, images, package, proc, timeline  # noqa: E402
from side_by_side import install_qemu_ga, process_cost  # noqa: E402

SETTINGS = "50-bench-detection"
READY_S = 3.0  # a network card's clock is not read in the moment it appears
PROCESSES = ("clockmendd", "qemu-ga")
TRACE = "/run/bench.strace"


def configure(guest, poll, rtc):
    """Restarts the agent: its period is read at the start."""
    guest.agent.drop_in(SETTINGS, f'[detection]\npoll_interval = "{poll} ms"\n[rtc]\nenabled = {str(rtc).lower()}\n[ptp]\nallow = ["{IGB_CLOCK}"]\n')
    guest.exec.check("systemctl restart clockmendd")
    guest.wait_settled(120)
    if guest.name == "ptp":
        guest.agent.wait_status(lambda status: (inside.probe(status, "ptp") or {}).get("last"), 45)


def quiet(guest):
    """The last correction over, and a baseline taken after it."""
    guest.agent.wait_status(lambda status: status["state"] == "synchronized", 30)
    if abs(guest.observer.best().error) > 2_000_000:
        guest.set_right()
    time.sleep(1.5 + random.random() / 2)  # anywhere between two ticks


def freeze_ptp(guest, gap_s):
    """(resume, guest's MONOTONIC at which the clock told of it, how far it was from REALTIME before)"""
    clock = inside.ptp(guest, IGB_CLOCK)
    before = guest.observer.best().error
    resumed = guest.vm.freeze(gap_s)
    missed = before - guest.observer.best(3).error
    return resumed, inside.ptp_step(guest, clock, missed)[1], clock["offset_ns"]


def upgrade(guest, gap_s):
    return guest.vm.migrate_through_file(gap_s), None, 0


def one_run(guest, gap_s):
    """Milliseconds and microseconds of one freeze; None where another witness was quicker than the one that is measured."""
    quiet(guest)
    number = guest.agent.last_number()
    resumed, told, before = (freeze_ptp if guest.name == "ptp" else upgrade)(guest, gap_s)
    _, first = guest.observer.wait_right(RIGHT_NS, resumed, 30)
    # Between the witness and the clock, before NTP trims: what the tool is wrong by is not in it.
    own = inside.ptp(guest, IGB_CLOCK)["offset_ns"] - before if guest.name == "ptp" else None
    report = guest.agent.wait_record(number, 40)
    tripwire = report["discontinuity"]["tripwire"] if report else "nothing"
    if not tripwire.startswith(guest.name):
        return None, tripwire
    rows = {label: ms for label, ms, _, _ in timeline.timeline(report, resumed)}
    since_resume = rows["detected"]
    detected = since_resume if told is None else (report["discontinuity"]["detected"]["monotonic_ns"] - told) / 1e6
    stepped = rows.get("stepped")
    return {"detected": detected, "since_resume": since_resume, "stepped": stepped and stepped - since_resume + detected,
            "residual_us": first.error / 1e3, "own_us": own and own / 1e3}, tripwire


def runs(guest, poll, count, gap_s, say):
    configure(guest, poll, rtc=False)
    values, dropped = [], 0
    while len(values) < count and dropped < count:
        value, why = one_run(guest, gap_s)
        say(f"{guest.name} {poll} ms: {value or 'not counted'} ({why})")
        dropped += value is None
        values += [value] if value else []
    return {"values": values, "dropped": dropped}


def idle(guest, poll, seconds, say, rtc=True):
    """Per process (wakeups/s, CPU ms/s)."""
    configure(guest, poll, rtc)
    time.sleep(5)
    before, began = {name: process_cost(guest, name) for name in PROCESSES}, time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - began
    rows = {}
    for name in PROCESSES:
        after = process_cost(guest, name)
        rows[name] = ((after[0] - before[name][0]) / took, (after[1] - before[name][1]) / 1e6 / took)
    say(f"{guest.name} {poll} ms idle: {rows}")
    return rows


def system_calls(guest, seconds):
    """What the agent calls from one wake-up to the next: [(name, ...), ...]."""
    pid = guest.agent.pid()
    guest.exec.run(f"timeout -s INT {seconds} strace -f -o {TRACE} -p {pid}", seconds + 30)
    wakeups, now = [], None
    for line in guest.exec.check(f"cat {TRACE}").splitlines():
        call = re.match(r"\d+ +(?:<\.\.\. )?(\w+)(.*)", line)
        if not call:
            continue
        name, rest = call.groups()
        if name.startswith("epoll_") and "wait" in name:
            wakeups += [now] if now else []
            now = []
        elif now is not None and "resumed" not in rest:
            now.append("PTP ioctl" if name == "ioctl" and ("PTP" in rest or "0x3d" in rest) else name)
    return wakeups


def told_calls(wakeups):
    reading = [each for each in wakeups if "PTP ioctl" in each]
    if not reading:
        return "no PTP reading was traced"
    usual = statistics.mode(tuple(each) for each in reading)
    return (f"{len(reading)} of {len(wakeups)} wake-ups read the PTP clock; system calls of such a wake-up beside the wait: median "
            f"{statistics.median(len(each) for each in reading):.0f}, most {max(len(each) for each in reading)}; usual: {', '.join(usual)}. "
            "Of them the reading itself: " + str(sum(call in ("PTP ioctl", "clock_gettime") for call in usual)) +
            " (the clocks after the ioctl are read in the vDSO where the clocksource has one).")


def _stat(values, key, percent):
    chosen = sorted(abs(value[key]) for value in values if value[key] is not None)
    if not chosen:
        return "-"
    return f"{statistics.median(chosen) if percent == 50 else chosen[min(len(chosen) - 1, percent * len(chosen) // 100)]:.0f}"


def detection_table(raw):
    lines = ["| witness | poll_interval | runs | detected, ms: median | p95 | largest | counted from | from resume, median | "
             "step done, median | p95 | error after it, us: median | largest | against the witness, us: median | largest |", "|---" * 14 + "|"]
    for (kind, poll), result in raw.items():
        values = result["values"]
        detected = " | ".join(_stat(values, "detected", percent) for percent in (50, 95, 100))
        lines.append(f"| {kind} | {poll} ms | {len(values)} | {detected} | {'the clock was set' if kind == 'ptp' else 'RESUME'} | "
                     f"{_stat(values, 'since_resume', 50)} | {_stat(values, 'stepped', 50)} | {_stat(values, 'stepped', 95)} | "
                     f"{_stat(values, 'residual_us', 50)} | {_stat(values, 'residual_us', 100)} | {_stat(values, 'own_us', 50)} | "
                     f"{_stat(values, 'own_us', 100)} |")
    dropped = sum(result["dropped"] for result in raw.values())
    if dropped:
        lines += ["", f"{dropped} runs in which NTP or another witness was quicker are not counted."]
    return "\n".join(lines) + "\n"


def idle_table(raw):
    lines = ["| guest | poll_interval | process | wakeups/s | CPU ms/s | CPU ms per wakeup |", "|---|---|---|---|---|---|"]
    for (kind, poll), rows in raw.items():
        for name, (wakeups, cpu) in rows.items():
            lines.append(f"| {kind} | {poll} | {name} | {wakeups:.2f} | {cpu:.2f} | {cpu / wakeups if wakeups else 0:.2f} |")
    return "\n".join(lines) + "\n"


def notified(guest):
    """What poll() says of the page: POLLHUP (0x10) at once where the device does not notify."""
    ready, events, took = inside.tool(guest, "vmclock-poll 300").split()
    can = not (ready == "1" and int(events, 16) & 0x10)
    return f"poll() on the page: {events} after {int(took) / 1e6:.1f} ms: " + ("it notifies" if can else "no notification, polled")


def measure(kind, options, chosen, say):
    guest = Guest(kind, chosen)
    found = {"detection": {}, "idle": {}, "notes": []}
    try:
        if kind == "ptp":
            guest.vm.device_plug(IGB["driver"], IGB["ident"], IGB["bus"], mac=IGB["mac"], romfile="")
            time.sleep(READY_S)
            inside.ptp_as_host(guest, IGB_CLOCK)
        install_qemu_ga(guest)
        for poll in options.poll:
            found["idle"][kind, f"{poll} ms"] = idle(guest, poll, options.seconds, say)
        found["idle"][kind, f"{options.poll[0]} ms, RTC off"] = idle(guest, options.poll[0], options.seconds, say, rtc=False)
        if kind == "ptp":
            found["notes"].append("ptp: " + told_calls(system_calls(guest, 10)))
        else:
            found["notes"].append("vmclock: " + notified(guest))
        # A fresh QEMU would not have its port.
        guest.exec.run("systemctl stop qemu-guest-agent")
        guest.vm.device_unplug("qga-port")
        for poll in options.poll:
            found["detection"][kind, poll] = runs(guest, poll, options.runs, options.freeze, say)
        found["notes"].append(f"{kind}: kernel {guest.exec.check('uname -r').strip()}, QEMU {guest.vm.qemu.version or 'installed'}")
    finally:
        guest.close()
    return found


def main():
    proc.without_sys_time()
    proc.end_on_sigterm()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=12)
    parser.add_argument("--freeze", type=float, default=1.0, help="seconds")
    parser.add_argument("--seconds", type=float, default=60, help="of idling")
    parser.add_argument("--poll", type=int, nargs="+", default=[250, 100], help="milliseconds")
    parser.add_argument("--only", choices=("ptp", "vmclock"))
    parser.add_argument("--accel", default="auto", choices=("auto", "kvm", "tcg"))
    parser.add_argument("--output", type=Path, default=Path("detection.md"))
    options = parser.parse_args()

    def say(text):
        print(text, flush=True)
    chosen = accel.choose(options.accel, images.build("ntpsec", [package.build().guest_deb]))
    found = [measure(kind, options, chosen, say) for kind in ("ptp", "vmclock") if options.only in (None, kind)]
    detection = {key: value for each in found for key, value in each["detection"].items()}
    cost = {key: value for each in found for key, value in each["idle"].items()}
    text = "\n".join([f"Accelerator {chosen}, freezes of {options.freeze} s.\n", detection_table(detection), f"Idle for {options.seconds:.0f} s:\n",
                      idle_table(cost), *(f"- {note}" for each in found for note in each["notes"])]) + "\n"
    options.output.write_text(text, encoding="utf-8")
    raw = {"detection": {" ".join(map(str, key)): value for key, value in detection.items()}, "idle": {" ".join(map(str, key)): value for key, value in cost.items()}}
    options.output.with_suffix(".json").write_text(json.dumps(raw, indent=1), encoding="utf-8")
    say(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
