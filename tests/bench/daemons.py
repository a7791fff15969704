#!/usr/bin/python3
"""What operators do today after a pause, and what their time daemons do when they are left alone with Debian's defaults, beside
clockmend: in the same guest, the same run, by the same outside observer. Two upsets: a pause, and a clock that is set back by
days. Milliseconds from resume (or from the moment before the clock was set) until the clock is within 10 ms of the host, and
until the time daemon runs again. Whoever is left alone is watched up to a limit. Writes a Markdown table.
"""
import argparse
import json
import statistics
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "deploy"), str(HERE.parent / "e2e"), str(HERE)]
from harness.guest import RIGHT_NS, Guest  # noqa: E402
from lab import accel, images, package, proc, timeline  # noqa: E402
from lab.network import HOST  # noqa: E402
from side_by_side import NTPD_GQ, RUNBOOK, Steal, wait_quiet  # noqa: E402

CHRONYD_Q = f"systemctl stop chrony; chronyd -q 'server {HOST} iburst'; hwclock -w; systemctl start chrony"
DROP_IN = "50-bench-daemons"


def now_ns():
    return time.clock_gettime_ns(time.CLOCK_REALTIME)


def paused(seconds):
    return lambda guest: guest.vm.freeze(seconds)


def set_back(days):
    def upset(guest):
        begun = now_ns()
        guest.exec.check(f"date -s @$(($(date +%s) - {round(days * 86400)}))")
        return begun
    return upset


def without_agent(command, limit_s):
    """A script at once after the upset, or nothing at all."""
    def contender(guest, upset):
        guest.exec.check("systemctl stop clockmendd")
        begun = upset(guest)
        ended = []
        worker = threading.Thread(target=lambda: (guest.exec.run(command, 180), ended.append((now_ns() - begun) / 1e6)))
        if command:
            worker.start()
        took, _ = guest.observer.wait_right(RIGHT_NS, begun, limit_s)
        if command:
            worker.join()
        guest.exec.check("systemctl start clockmendd")
        return {"right": took and took / 1e6, "ended": ended[0] if ended else None, "limit": limit_s * 1e3}
    return contender


def clockmend(told, sequence="restore-first"):
    def contender(guest, upset):
        guest.agent.drop_in(DROP_IN, f'[policy]\nsequence = "{sequence}"\n')
        guest.agent.reload()
        guest.wait_settled(120)
        number = guest.agent.last_number()
        begun = upset(guest)
        client = guest.agent.notify("resumed", extra=()) if told else None
        took, _ = guest.observer.wait_right(RIGHT_NS, begun, 60)
        if client:
            client.end()
        report = guest.agent.wait_record(number, 60)
        rows = {label: ms for label, ms, _, _ in timeline.timeline(report, begun)}
        at = {(action["kind"], edge): action[f"{edge}_ns"] for action in report["actions"] for edge in ("begun", "ended")}
        stop, start = at.get(("stop-daemon", "ended")), at.get(("start-daemon", "ended"))
        believed = [e["witness"] for e in report["discontinuity"]["evidence"] if e["used"]]
        return {"right": took and took / 1e6, "ended": rows.get("daemon running again", (report["ended_realtime_ns"] - begun) / 1e6),
                "down": (start - stop) / 1e6 if stop and start else None, "believed": believed}
    return contender


def contenders(variant, options):
    alone = {f"{variant} left alone": without_agent("", options.limit)}
    ours = {"clockmend, notice with exchange": clockmend(True), "clockmend, no notice": clockmend(False)}
    if variant == "ntpsec":
        scripts = {"runbook (ntpdate)": without_agent(RUNBOOK, 60), "runbook with ntpd -gq": without_agent(NTPD_GQ, 60)}
        return {**scripts, **ours, "clockmend, notice, stop-first": clockmend(True, "stop-first")}, alone
    return {**({"runbook with chronyd -q": without_agent(CHRONYD_Q, 60)} if variant == "chrony" else {}), **ours}, alone


def measure(variant, chosen, options, say):
    """{(upset, contender): [values]}"""
    guest, found = Guest(variant, chosen), {}
    try:
        rivals, alone = contenders(variant, options)
        for name, upset in (("pause", paused(options.pause)), (f"{options.days:g} days back", set_back(options.days))):
            # Left alone once only, and not from days back: daemons exit there, or take as long as from a pause.
            each = [(who, run) for _ in range(options.runs) for who, run in rivals.items()] + (list(alone.items()) if name == "pause" else [])
            for who, run in each:
                wait_quiet(guest)
                guest.wait_settled(120)
                values = run(guest, upset)
                found.setdefault((name, who), []).append(values)
                say(f"{variant} {name} {who}: {values}")
                if values["right"] is None:
                    guest.set_right()
    finally:
        guest.close()
    return found


def _median(runs, column):
    values = [run[column] for run in runs if run.get(column) is not None]
    return statistics.median(values) if values else None


def _cell(value):
    return "-" if value is None else f"{value:.0f}"


def table(variant, found):
    lines = [f"### Guest with {variant}", "", "| upset | who | runs | right, median | longest | daemon running again | daemon down | believed |",
             "|---" * 8 + "|"]
    for (upset, who), runs in found.items():
        right = [run["right"] for run in runs if run["right"] is not None]
        never = f"not within {runs[0].get('limit', 60000) / 1000:.0f} s" if len(right) < len(runs) else ""
        believed = ", ".join(sorted({witness for run in runs for witness in run.get("believed", ())}))
        lines.append(f"| {upset} | {who} | {len(runs)} | {_cell(_median(runs, 'right')) if right else ''}{never} | "
                     f"{_cell(max(right) if right else None)} | {_cell(_median(runs, 'ended'))} | {_cell(_median(runs, 'down'))} | {believed} |")
    return "\n".join(lines) + "\n"


def main():
    proc.without_sys_time()
    proc.end_on_sigterm()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variant", nargs="+", choices=("ntpsec", "chrony", "timesyncd"), default=["ntpsec", "chrony", "timesyncd"])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--pause", type=float, default=30.0, help="seconds")
    parser.add_argument("--days", type=float, default=23.5)
    parser.add_argument("--limit", type=float, default=900.0, help="seconds for which a daemon left alone is watched")
    parser.add_argument("--accel", default="auto", choices=("auto", "kvm", "tcg"))
    parser.add_argument("--output", type=Path, default=Path("daemons.md"))
    options = parser.parse_args()
    chosen = accel.choose(options.accel, images.build("ntpsec", [package.build().guest_deb]))
    steal, parts, raw = Steal(), [], {}
    for variant in options.variant:
        found = measure(variant, chosen, options, lambda text: print(text, flush=True))
        raw[variant] = {" / ".join(key): runs for key, runs in found.items()}
        parts.append(table(variant, found))
    parts.insert(0, f"Accelerator {chosen}, pauses of {options.pause:g} s. Steal time {steal.percent():.1f} %.\n")
    options.output.write_text("\n".join(parts), encoding="utf-8")
    options.output.with_suffix(".json").write_text(json.dumps(raw, indent=1), encoding="utf-8")
    print("\n".join(parts))


if __name__ == "__main__":
    main()
