#!/usr/bin/env python3
"""Judges what ctest left undone: usage: skips.py ALLOWED_SKIPS JUNIT_XML...

Prints every skipped case with its reason. Fails when a skip is not allowed, when no test ran at all, or when no case of
a real guest passed (then nothing was proved, whatever the rest says).
ALLOWED_SKIPS: one regular expression a line, matched against the name, or "NAME: REASON"; '#' begins a comment.
"""
import re
import sys
import xml.etree.ElementTree as ElementTree


def reason(case):
    text = "".join(case.findtext(tag) or "" for tag in ("system-out", "system-err"))
    found = re.findall(r"SKIPPED: (.+)|Skipped\n(.+)|: Skipped\n(.+)", text)
    words = next((w.strip() for groups in found for w in groups if w), "")
    return words or "no reason given"


def main():
    cases = [case for path in sys.argv[2:] for case in ElementTree.parse(path).getroot().findall("testcase")]
    with open(sys.argv[1], encoding="utf-8") as file:
        allowed = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    skipped = [(c.get("name"), reason(c)) for c in cases if c.get("status") in ("notrun", "disabled") or c.find("skipped") is not None]
    failed = [c for c in cases if c.get("status") == "fail"]
    guests = [c for c in cases if c.get("name", "").startswith("e2e.") and not c.get("name").startswith("e2e.rig") and c.get("status") == "run"]
    bad = 0
    for name, why in skipped:
        ok = any(re.search(pattern, text) for pattern in allowed for text in (name, f"{name}: {why}"))
        bad += not ok
        print(f"skipped{'' if ok else ' (NOT ALLOWED)'}: {name}: {why}")
    if not cases:
        print("no test ran")
        bad += 1
    if not guests:
        print("no case passed on a real guest: nothing was proved end to end")
        bad += 1
    print(f"{len(cases) - len(failed) - len(skipped)} passed, {len(failed)} failed, {len(skipped)} skipped")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
