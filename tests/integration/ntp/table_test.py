#!/usr/bin/env python3
"""The tables of this folder's README.md are complete: every row has its tests, every test of this folder its row, and every test that
a table names, here or in probes/ntp/README.md, is there."""

import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]

# One row each, found by these words; what is not in the list fails as well as what is missing.
MUST_HAVES = ("origin is our transmit", "64 random bits", "connected socket", "leap, stratum, mode, version", "kiss-o'-death", "root distance",
              "across 2036", "MONOTONIC_RAW", "strict majority", "smears", "answers nobody", "steps are guarded", "makes us say", "state files",
              "packets per server")
ATTACKS = ("off-path flood", "bogus origin", "replayed reply", "KoD storm", "zero timestamp", "era edge", "truncated and oversize", "NTS-looking",
           "version 1 to 5", "link-local", "ICMP error", "none: honest", "delay", "asymmetry", "loss")
TEST = re.compile(r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", re.M)
NAME = re.compile(r"`(\w*)\.(\w+)`")


def tests_below(folder):
    found = set()
    for path in sorted(folder.rglob("*.cpp")):
        found.update(f"{suite}.{case}" for suite, case in TEST.findall(path.read_text(encoding="utf-8")))
    return found


def rows(text, heading):
    """The table below `heading`: {first cell: names of tests}."""
    part = text.split(heading, 1)[1].split("\n## ", 1)[0]
    cells = [line.strip().strip("|").split("|") for line in part.splitlines() if line.startswith("|")][2:]
    return {row[0].strip(): names(row[-1]) for row in cells}


def names(cell):
    found, suite = [], ""
    for written, case in NAME.findall(cell):
        suite = written or suite  # `.Case` continues the suite before it
        found.append(f"{suite}.{case}")
    return found


def row_problems(table, wanted):
    for words in wanted:
        count = sum(words in row for row in table)
        if count != 1:
            yield f"{count} rows for: {words}"
    for row, tests in table.items():
        if not any(words in row for words in wanted):
            yield f"nobody asked for the row: {row}"
        if not tests:
            yield f"no test for: {row}"


def main():
    known = tests_below(ROOT / "tests")
    here = (HERE / "README.md").read_text(encoding="utf-8")
    must_haves = rows(here, "## What an SNTP client must have")
    attacks = rows(here, "## What attackers and networks do")
    probe = rows((ROOT / "probes/ntp/README.md").read_text(encoding="utf-8"), "## Must-haves and where they are proved")
    problems = [*row_problems(must_haves, MUST_HAVES), *row_problems(attacks, ATTACKS)]
    named = set()
    for table in (must_haves, attacks, probe):
        for row, tests in table.items():
            named.update(tests)
            problems.extend(f"there is no test {test}, which stands for: {row}" for test in tests if test not in known)
    problems.extend(f"{test} stands in no row" for test in sorted(tests_below(HERE) - named))
    for problem in problems:
        print(problem)
    print(f"{len(must_haves)} must-haves, {len(attacks)} attacks, {len(named)} tests named, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
