#!/usr/bin/python3
"""Runs the real-guest cases.

  e2e.py list [--full]            names, lanes and deadlines, one case a line
  e2e.py run [NAME...] [--full]   without ctest: all cases, or those whose name contains one of the words; ends with a table of
                                  the faults tried and survived
  e2e.py run --faults             every case with a fault, the long ones too
  e2e.py prepare [--base]         fills the cache before the first guest; --base: what needs no packages of ours
  e2e.py start|case NAME|stop     as ctest does it: a keeper process holds the guest from case to case
"""
import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "deploy"), str(HERE)]
from cases import all_cases  # noqa: E402
from harness import keeper, prepare  # noqa: E402
from harness.profiles import PROFILES  # noqa: E402
from lab import proc  # noqa: E402

SKIPPED = 77


def rig_socket(rig):
    return str(Path(tempfile.gettempdir()) / f"clockmend-e2e-{rig}.sock")


def start(options):
    """Leaves a keeper behind which ends with ctest (our parent), after a time of its own, or when told."""
    path = rig_socket(options.rig)
    if os.path.exists(path):
        stop(options)
    log = open(Path(tempfile.gettempdir()) / f"clockmend-e2e-{options.rig}.log", "w", encoding="utf-8")
    child = subprocess.Popen([sys.executable, "-B", __file__, "keep", "--rig", options.rig, "--owner", str(os.getppid()),
                              "--accel", options.accel], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    end = time.monotonic() + 20
    while not os.path.exists(path):
        if child.poll() is not None or time.monotonic() > end:
            print(f"the keeper did not start, see {log.name}")
            return 1
        time.sleep(0.05)
    print(f"keeper {child.pid}, log {log.name}")
    return 0


def _ask(options, request):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(rig_socket(options.rig))
        stream = connection.makefile("rw", encoding="utf-8")
        stream.write(json.dumps(request) + "\n")
        stream.flush()
        for line in stream:
            message = json.loads(line)
            if "verdict" in message:
                return message["verdict"]
            print(message["line"], flush=True)
    return "the keeper ended"


def stop(options):
    try:
        _ask(options, {"stop": True})
    except OSError:
        Path(rig_socket(options.rig)).unlink(missing_ok=True)
    return 0


def case(options):
    verdict = _ask(options, {"run": options.names[0]})
    if verdict not in ("passed", "failed", "skipped"):
        print(f"FAIL {options.names[0]}: {verdict}")
    return {"passed": 0, "skipped": SKIPPED}.get(verdict, 1)


def run(options):
    wanted = [each for each in all_cases() if (options.full or options.faults or not each.long or each.name in options.names) and
              (not options.names or any(name in each.name for name in options.names)) and (each.fault or not options.faults)]
    rig = keeper.Keeper(all_cases(), options.accel)
    verdicts = {}
    try:
        for each in wanted:
            print(f"\n=== {each.name}", flush=True)
            began = time.monotonic()
            verdicts[each.name] = rig.run(each.name, lambda line: print(line, flush=True))
            print(f"=== {verdicts[each.name]} in {time.monotonic() - began:.1f} s", flush=True)
    finally:
        rig.drop()
    print("\n" + "\n".join(f"{verdict:8} {name}" for name, verdict in verdicts.items()))
    fault_table([(each.fault, verdicts[each.name]) for each in wanted if each.fault])
    return int("failed" in verdicts.values())


def fault_table(tried):
    if not tried:
        return
    print()
    for fault, verdict in tried:
        print(f"{'survived' if verdict == 'passed' else 'NOT TRIED' if verdict == 'skipped' else 'NOT SURVIVED':13} {fault}")
    print(f"faults tried {sum(verdict != 'skipped' for _, verdict in tried)}, survived {sum(verdict == 'passed' for _, verdict in tried)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("list", "run", "prepare", "start", "case", "stop", "keep"))
    parser.add_argument("names", nargs="*")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--faults", action="store_true")
    parser.add_argument("--base", action="store_true")
    parser.add_argument("--accel", default=os.environ.get("CLOCKMEND_ACCEL", "auto"), choices=("auto", "kvm", "tcg"))
    parser.add_argument("--rig", default="default", help=argparse.SUPPRESS)
    parser.add_argument("--owner", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.action == "list":
        for each in all_cases():
            if options.full or not each.long:
                print(each.name, PROFILES[each.profile].lane, each.deadline_s)
        return 0
    proc.without_sys_time()
    proc.end_on_sigterm()
    if options.action == "prepare":
        return prepare.run(options.accel, options.base)
    if options.action == "keep":
        keeper.serve(rig_socket(options.rig), all_cases(), options.accel, options.owner)
        return 0
    return {"start": start, "case": case, "stop": stop, "run": run}[options.action](options)


if __name__ == "__main__":
    sys.exit(main())
