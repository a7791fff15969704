#!/usr/bin/python3
"""Measures clockmend beside what people do today, in the same guest, the same run, by the same outside observer.

Contenders take turns; the order rotates from round to round, and each contender's first run is listed apart. Times are
milliseconds since QEMU's RESUME event; "right" means within 10 ms of the host, seen from outside. Writes a Markdown table.
"""
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
from harness.guest import RIGHT_NS, Guest  # noqa: E402
from lab import accel, images, package, proc, timeline  # noqa: E402
from lab.network import HOST  # noqa: E402

STRICT_NS = 5_000_000
COLUMNS = ("detected", "right", "stepped", "verified", "ended", "rtc", "residual_us")
RUNBOOK = f"systemctl stop ntpsec; ntpdate -b {HOST}; hwclock -w; systemctl start ntpsec"
NTPD_GQ = "systemctl stop ntpsec; ntpd -gq; hwclock -w; systemctl start ntpsec"


def script(command):
    """A runbook as a script, started right after resume; nobody else touches the clock."""
    def contender(guest, gap_s):
        guest.exec.check("systemctl stop clockmendd")
        resumed = guest.vm.freeze(gap_s)
        box = {}

        def work():
            guest.exec.run(command, 120)
            box["ended"] = (time.clock_gettime_ns(time.CLOCK_REALTIME) - resumed) / 1e6
        worker = threading.Thread(target=work)
        worker.start()
        took, _ = guest.observer.wait_right(RIGHT_NS, resumed, 120)
        worker.join()
        residual = guest.observer.best().error
        guest.exec.check("systemctl start clockmendd")
        return {"right": took and took / 1e6, "ended": box["ended"], "residual_us": residual / 1e3}
    return contender


def _from_report(report, resumed):
    rows = {label: ms for label, ms, _, _ in timeline.timeline(report, resumed)}
    ended = (report["ended_realtime_ns"] - resumed) / 1e6
    edge = next((e["uncertainty_ns"] / 1e6 for e in report["discontinuity"]["evidence"] if e["witness"] == "rtc"), None)
    return {"edge_within": edge, "detected": rows.get("detected"), "stepped": rows.get("stepped"), "verified": rows.get("NTP-verified"),
            "rtc": rows.get("RTC done"), "ended": rows.get("daemon running again", ended)}


def agent(notice):
    """clockmend: `notice` is exchange (clockmend-host), plain (no exchange) or none."""
    def contender(guest, gap_s):
        guest.wait_settled(120)
        number = guest.agent.last_number()
        resumed = guest.vm.freeze(gap_s)
        extra = () if notice == "exchange" else ("--no-exchange",)
        told = time.clock_gettime_ns(time.CLOCK_REALTIME)
        told = guest.agent.notify("resumed", extra=extra) if notice != "none" else None
        sent = time.clock_gettime_ns(time.CLOCK_REALTIME)
        took, first = guest.observer.wait_right(RIGHT_NS, resumed, 60)
        # Usually the sample that proves 10 ms proves 5 ms as well; else it is watched on.
        strict = took if first and abs(first.error) + first.uncertainty <= STRICT_NS else guest.observer.wait_right(STRICT_NS, resumed, 10)[0]
        if told:
            told.end()
        report = guest.agent.wait_record(number, 60)
        residual = guest.observer.best().error
        values = _from_report(report, resumed)
        values.update(right=took and took / 1e6, residual_us=residual / 1e3,
                      after_notice=strict and (strict + resumed - sent) / 1e6)
        return values
    return contender


# Pauses in a row use up the agent's own limit of questions to a server (16, one more every 3.75 s): what follows waits for NTP's turn.
REST_S = 30


def ntp_blocked(contender):
    def blocked(guest, gap_s):
        guest.wait_settled(120)
        time.sleep(REST_S)
        guest.block_ntp()
        try:
            return contender(guest, gap_s)
        finally:
            guest.unblock_ntp()
            guest.agent.cli("resync")
            guest.set_right()
    return blocked


def short_pause(gap_ms):
    """Nobody tells; how soon the pause is on record. The report has the guest's clock, which is as wrong as the pause was long."""
    def contender(guest, _gap_s):
        time.sleep(REST_S)
        number = guest.agent.last_number()
        resumed = guest.vm.freeze(gap_ms / 1000)
        report = guest.agent.wait_record(number, 60)
        behind = guest.observer.best().error if report["total_step_ns"] == 0 else 0
        detected = timeline.detected_ns(report) - behind - resumed
        recorded = report["ended_realtime_ns"] - behind - resumed
        guest.set_right()
        return {"detected": detected / 1e6, "recorded": recorded / 1e6, "corrected": float(report["total_step_ns"] != 0)}
    return contender


SCRIPTS = {"runbook script (ntpdate)": script(RUNBOOK), "runbook script (ntpd -gq)": script(NTPD_GQ)}
FULL = {**SCRIPTS, "clockmend, notice with exchange": agent("exchange"), "clockmend, no notice": agent("none")}
RTC_ONLY = {"clockmend, no notice, RTC alone": ntp_blocked(agent("none"))}
SHORT = {f"{gap_ms} ms": short_pause(gap_ms) for gap_ms in (75, 100, 200)}
NO_RTC = {**SCRIPTS, "clockmend, NTP alone (RTC removed)": agent("plain")}


def wait_quiet(guest, timeout_s=60):
    """The clock right and the time daemon running, whoever did it."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if abs(guest.observer.best().error) < 2_000_000 and guest.profile.unit in guest.agent.daemons():
            return
        time.sleep(1)
    guest.set_right()


def rounds(guest, contenders, runs, gap_s, say):
    results = {name: [] for name in contenders}
    names = list(contenders)
    for turn in range(runs + 1):
        for name in names[turn % len(names):] + names[:turn % len(names)]:
            wait_quiet(guest)
            guest.wait_settled(120)
            values = contenders[name](guest, gap_s)
            results[name].append(values)
            say(f"{turn:3} {name:40} " + " ".join(f"{key}={value:.1f}" for key, value in values.items() if value is not None))
    return results


def _median(runs, column):
    values = [run[column] for run in runs[1:] if run.get(column) is not None]
    if column == "residual_us":
        values = [abs(value) for value in values]
    return statistics.median(values) if values else None


def _p95(runs, column):
    values = sorted(run[column] for run in runs[1:] if run.get(column) is not None)
    return values[min(len(values) - 1, int(0.95 * len(values)))] if values else None


def _longest(runs, column):
    return max((run[column] for run in runs[1:] if run.get(column) is not None), default=None)


def _right(runs):
    """The median of those that became right, and how many did not."""
    never = sum(run.get("right") is None for run in runs[1:])
    return _cell(_median(runs, "right")) + (f" ({never} of {len(runs) - 1} not)" if never else "")


def _cell(value, digits=0):
    return "-" if value is None else f"{value:.{digits}f}"


def table(title, results, base):
    lines = [f"### {title}", "", "| who | runs | right, median | p95 | first run | daemon running again | RTC done | longest | daemon running / runbook's end | "
             "right / runbook | detected, median | p95 | |residual| us |", "|---" * 13 + "|"]
    lines[2] = lines[2].replace("|residual|", "residual")
    for name, runs in results.items():
        right, ended = _median(runs, "right"), _median(runs, "ended")
        ratio = [value / _median(base, column) if value and base else None for value, column in ((ended, "ended"), (right, "right"))]
        lines.append(f"| {name} | {len(runs) - 1} | {_right(runs)} | {_cell(_p95(runs, 'right'))} | {_cell(runs[0].get('right'))} | "
                     f"{_cell(ended)} | {_cell(_median(runs, 'rtc'))} | {_cell(_longest(runs, 'rtc'))} | {_cell(ratio[0], 2)} | {_cell(ratio[1], 3)} | "
                     f"{_cell(_median(runs, 'detected'))} | {_cell(_p95(runs, 'detected'))} | {_cell(_median(runs, 'residual_us'))} |")
    told = next((runs for name, runs in results.items() if "exchange" in name), None)
    if told:
        lines += ["", f"With a notice: within 5 ms of the host {_cell(_median(told, 'after_notice'), 1)} ms after the notice was started (median), "
                  f"p95 {_cell(_p95(told, 'after_notice'), 1)} ms."]
    return "\n".join(lines) + "\n"


def short_table(results):
    """A pause of 75 or 100 ms is recorded and left to the time daemon, one of 200 ms is corrected."""
    lines = ["### Short pauses, no notice", "", "| pause | runs | detected, median | longest | recorded, median | longest | corrected |",
             "|---|---|---|---|---|---|---|"]
    for name, runs in results.items():
        longest = {column: max(run[column] for run in runs) for column in ("detected", "recorded")}
        corrected = sum(run["corrected"] for run in runs)
        lines.append(f"| {name} | {len(runs)} | {_cell(_median(runs, 'detected'))} | {_cell(longest['detected'])} | "
                     f"{_cell(_median(runs, 'recorded'))} | {_cell(longest['recorded'])} | {_cell(corrected)} |")
    return "\n".join(lines) + "\n"


IDLE_PROCESSES = {"ntpsec": ("clockmendd", "ntpd"), "chrony": ("clockmendd", "chronyd"),
                  "timesyncd": ("clockmendd", "systemd-timesyn", "qemu-ga")}
# What qemu-ga needs in a minimal image; those that are there already are not installed again.
QEMU_GA = ("qemu-guest-agent", "libglib2.0-0", "libnuma1", "liburing2", "libpcre2-8-0", "libffi8")


def install_qemu_ga(guest):
    """QEMU's own guest agent with its port, beside ours."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(proc.bound(["apt-get", "download", "-q", *QEMU_GA]), cwd=folder, check=True, stdout=subprocess.DEVNULL, timeout=300)
        for deb in sorted(Path(folder).glob("*.deb")):
            guest.exec.push(f"/root/{deb.name}", deb.read_bytes())
    guest.vm.qmp.command("chardev-add", id="qga", backend={"type": "null", "data": {}})
    guest.vm.qmp.command("device_add", driver="virtserialport", id="qga-port", bus="ports.0", chardev="qga", name="org.qemu.guest_agent.0")
    guest.exec.check("cd /root && for d in *.deb; do dpkg -s ${d%%_*} >/dev/null 2>&1 || new=\"$new $d\"; done; dpkg -i $new && "
                     "rm -f *.deb && systemctl start qemu-guest-agent", 180)


def process_cost(guest, name):
    """(voluntary and involuntary switches, CPU ns, RssAnon KiB, VmRSS KiB) of all threads of the processes of that name."""
    output = guest.exec.check(
        f"for p in $(pgrep -x {name}); do for t in /proc/$p/task/*; do cat $t/schedstat; grep ctxt $t/status; done; "
        "grep -E '^(RssAnon|VmRSS)' /proc/$p/status; done")
    cost = [0, 0, 0, 0]
    for line in output.splitlines():
        words = line.split()
        if words[0].startswith(("voluntary", "nonvoluntary")):
            cost[0] += int(words[1]) if words[0].startswith("voluntary") else 0
        elif words[0] == "RssAnon:":
            cost[2] += int(words[1])
        elif words[0] == "VmRSS:":
            cost[3] += int(words[1])
        elif len(words) == 3:
            cost[1] += int(words[0])
    return cost


def idle(profile, chosen, minutes, say):
    guest = Guest(profile, chosen)
    rows = []
    try:
        if "qemu-ga" in IDLE_PROCESSES[profile]:
            install_qemu_ga(guest)
        guest.wait_settled(120)
        time.sleep(30)
        before = {name: process_cost(guest, name) for name in IDLE_PROCESSES[profile]}
        time.sleep(60 * minutes)
        for name in IDLE_PROCESSES[profile]:
            after = process_cost(guest, name)
            rows.append((f"{name} (beside {profile})" if name == "clockmendd" else name, (after[0] - before[name][0]) / minutes,
                         (after[1] - before[name][1]) / 1e6 / minutes, after[2], after[3]))
            say(str(rows[-1]))
    finally:
        guest.close()
    return rows


def idle_table(rows):
    lines = ["### Idle, per minute", "", "| process | wakeups | CPU ms | RssAnon MiB | resident MiB |", "|---|---|---|---|---|"]
    lines += [f"| {name} | {wakeups:.0f} | {cpu:.1f} | {anon / 1024:.1f} | {resident / 1024:.1f} |" for name, wakeups, cpu, anon, resident in rows]
    return "\n".join(lines) + "\n"


def race(chosen, options, say, raw, parts):
    """All contenders in one guest; then its RTC is taken away."""
    guest = Guest("ntpsec", chosen)
    try:
        if options.only == "rtc":
            raw["rtc"] = rounds(guest, RTC_ONLY, options.runs, options.freeze, say)
            return parts.append(table("RTC alone", raw["rtc"], []))
        raw["full"] = rounds(guest, FULL, options.runs, options.freeze, say)
        if options.only != "notice":
            raw["rtc"] = rounds(guest, RTC_ONLY, options.runs, options.freeze, say)
            guest.vm.rtc_remove()
            guest.exec.check("systemctl restart clockmendd")
            raw["ntp"] = rounds(guest, NO_RTC, options.runs, options.freeze, say)
    finally:
        guest.close()
    base = raw["full"]["runbook script (ntpdate)"]
    parts.append(table("All witnesses", {**raw["full"], **raw.get("rtc", {})}, base))
    if "ntp" in raw:
        parts.append(table("No RTC in the guest", raw["ntp"], raw["ntp"]["runbook script (ntpdate)"]))


class Steal:
    """The share of its processors' time that this machine did not get (proc(5), /proc/stat): where it is more than some
    percent, times tell of the neighbours."""

    def __init__(self):
        self._begin = self._read()

    @staticmethod
    def _read():
        with open("/proc/stat", encoding="ascii") as stat:
            fields = [int(word) for word in stat.readline().split()[1:9]]
        return sum(fields), fields[7]

    def percent(self):
        total, stolen = (now - begin for now, begin in zip(self._read(), self._begin))
        return 100 * stolen / max(total, 1)


def main():
    proc.without_sys_time()
    proc.end_on_sigterm()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10, help="after the first one, of each contender")
    parser.add_argument("--freeze", type=float, default=5.0, help="seconds")
    parser.add_argument("--minutes", type=float, default=3.0, help="of idling")
    parser.add_argument("--only", choices=("race", "notice", "rtc", "short", "idle"),
                        help="notice: the race with all witnesses alone; rtc: the RTC as the only witness, alone; short: short pauses")
    parser.add_argument("--accel", default="auto", choices=("auto", "kvm", "tcg"))
    parser.add_argument("--output", type=Path, default=Path("side_by_side.md"))
    options = parser.parse_args()

    def say(text):
        print(text, flush=True)
    chosen = accel.choose(options.accel, images.build("ntpsec", [package.build().guest_deb]))
    parts, raw, steal = [], {}, Steal()
    if options.only in (None, "race", "notice", "rtc"):
        race(chosen, options, say, raw, parts)
    if options.only in (None, "short"):
        guest = Guest("ntpsec", chosen)
        try:
            raw["short"] = rounds(guest, SHORT, options.runs, options.freeze, say)
        finally:
            guest.close()
        parts.append(short_table(raw["short"]))
    if options.only in (None, "idle"):
        rows = [row for profile in IDLE_PROCESSES for row in idle(profile, chosen, options.minutes, say)]
        parts.append(idle_table(rows))
    parts.insert(0, f"Accelerator {chosen}, freezes of {options.freeze} s, {options.runs} runs each after the first; milliseconds since "
                    f"resume. Steal time {steal.percent():.1f} %.\n")
    text = "\n".join(parts)
    options.output.write_text(text, encoding="utf-8")
    options.output.with_suffix(".json").write_text(json.dumps(raw, indent=1), encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
