#!/usr/bin/env python3
"""Runs the tests of each mutant until one fails, and prints who killed whom.

usage: run.py TEST_BINARY TABLE_JSON [--only NAME]
Exit code 0: the program as it is passes, and every mutant was killed.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

_TESTS = "-Seeds/*:Growth.*:Fleet.*"  # the long ones are never needed to kill one
_SECONDS = 120  # a mutant that hangs is killed by that, too


def run(binary, number):
    """(killed, by whom)"""
    # Virtual time: what the tests do does not depend on the machine, so the first failure is always the same one.
    environment = {**os.environ, "CLOCKMEND_MUTANT": str(number)}
    command = ["setpriv", "--pdeathsig", "KILL", binary, f"--gtest_filter={_TESTS}", "--gtest_fail_fast", "--gtest_brief=1"]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return True, "it hangs"
    failed = re.findall(r"^\[  FAILED  \] (?:Simulation/)?([\w/.]+)", done.stdout, re.M)
    if failed:
        return True, failed[0]
    if done.returncode != 0:
        return True, f"it ends with code {done.returncode}"
    return False, ""


def judge(options, number, row):
    if row["problem"]:
        return False, "table.py: " + row["problem"]
    return run(options.binary, number)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("binary")
    arguments.add_argument("table")
    arguments.add_argument("--only")
    options = arguments.parse_args()
    with open(options.table, encoding="utf-8") as file:
        rows = json.load(file)
    failed, why = run(options.binary, 0)
    if failed:
        print(f"the program as it is fails: {why}")
        return 1
    jobs = [(n, row) for n, row in enumerate(rows, 1) if options.only in (None, row["name"])]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        verdicts = list(pool.map(lambda job: judge(options, *job), jobs))
    survivors = 0
    print(f"{'':>3} {'mutant':<60} {'file':<42} killed by")
    for (number, row), (killed, by) in zip(jobs, verdicts):
        survivors += not killed
        print(f"{number:>3} {row['name']:<60} {', '.join(row['files'][:1]):<42} {by if killed else 'SURVIVES ' + by}")
    print(f"{len(jobs)} mutants, {len(jobs) - survivors} killed, {survivors} survive")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
