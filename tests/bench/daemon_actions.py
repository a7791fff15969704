#!/usr/bin/python3
"""Measures what a correction should do with a time daemon: restart, nudge or leave it. Each action takes its turn in the same
guest: a pause, a notice, the agent's correction; then, from inside, how long until the daemon has a new measurement of its own,
and from outside, how far the clock is off at once, at its worst within the minute, and after it. Writes a Markdown table.
"""
import argparse
import statistics
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "deploy"), str(HERE.parent / "e2e")]
from harness.guest import Guest  # noqa: E402
from lab import accel, images, package, proc  # noqa: E402

WATCH_S = 60
# Time of the guest's clock, and when its daemon last used a measurement, twice a second.
LOOK = {
    "chrony": "chronyc -n -c tracking 2> /dev/null | awk -F, '{ print ($14 == \"Normal\" ? $4 : 0) }'",
    "timesyncd": "stat -c %.9Y /run/systemd/timesync/synchronized 2> /dev/null || echo 0",
}


def watch_inside(guest, variant, seconds=WATCH_S):
    """Pairs (guest's time, time of the daemon's last measurement)."""
    loop = f"for i in $(seq {seconds * 2}); do echo $(date +%s.%N) $({LOOK[variant]}); sleep 0.5; done"
    lines = guest.exec.run(loop, seconds * 4).output.splitlines()
    return [tuple(float(word) for word in line.split()) for line in lines if len(line.split()) == 2]


def turn(guest, variant, action, gap_s):
    guest.agent.drop_in("50-bench", f'[daemon]\naction = "{action}"\n')
    guest.agent.reload()
    guest.wait_settled(180)
    number = guest.agent.last_number()
    resumed = guest.vm.freeze(gap_s)
    guest.agent.notify("resumed", extra=()).end()
    report = guest.agent.wait_record(number, 60)
    at_once = guest.observer.best().error
    ended = report["ended_realtime_ns"] / 1e9
    looks = watch_inside(guest, variant)
    again = next((now - ended for now, used in looks if used > ended), None)
    after = guest.observer.best().error
    kind = {a["kind"]: (a["ended_ns"] - a["begun_ns"]) / 1e6 for a in report["actions"]}
    return {"ended_ms": (report["ended_realtime_ns"] - resumed) / 1e6, "again_s": again, "at_once_us": at_once / 1e3,
            "after_us": after / 1e3, "stop_ms": kind.get("stop-daemon"), "start_ms": kind.get("start-daemon"), "daemon": report["daemon"]}


def median(values):
    known = [value for value in values if value is not None]
    return f"{statistics.median(known):.1f}" if known else "never"


def row(action, turns):
    again = [t["again_s"] for t in turns]
    slowest = "never" if None in again else f"{max(again):.1f}"
    cells = [action, len(turns), median([t["stop_ms"] for t in turns]), median([t["start_ms"] for t in turns]),
             median([t["ended_ms"] for t in turns]), median(again), slowest, median([abs(t["at_once_us"]) for t in turns]),
             median([abs(t["after_us"]) for t in turns])]
    return "| " + " | ".join(map(str, cells)) + " |"


def main():
    proc.without_sys_time()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variant", choices=sorted(LOOK), default="chrony")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--gap", type=float, default=30.0)
    parser.add_argument("--actions", nargs="+", default=["restart", "nudge", "leave"])
    options = parser.parse_args()
    chosen = accel.choose("auto", images.build("ntpsec", [package.build().guest_deb]))
    guest = Guest(options.variant, chosen)
    found = {action: [] for action in options.actions}
    try:
        for number in range(options.rounds):
            for action in options.actions[number % len(options.actions):] + options.actions[:number % len(options.actions)]:
                began = time.monotonic()
                one = turn(guest, options.variant, action, options.gap)
                found[action].append(one)
                print(f"round {number} {action}: {one} ({time.monotonic() - began:.0f} s)", file=sys.stderr, flush=True)
    finally:
        guest.close()
    print(f"{options.variant}, {chosen}, pause of {options.gap:g} s\n")
    print("| action | n | stop ms | start or tell ms | correction over ms | measuring again s | slowest s | off at once us | off after 60 s us |")
    print("|---|---|---|---|---|---|---|---|---|")
    for action, turns in found.items():
        print(row(action, turns))


if __name__ == "__main__":
    main()
