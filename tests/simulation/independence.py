#!/usr/bin/env python3
"""The world includes nothing of the agent's judgement: what simulates must not share the mistakes of what is simulated.

usage: independence.py SOURCE_ROOT    (follows every include of the world's files)
"""

import re
import sys
from pathlib import Path

_WORLD = ("world", "time_daemon_model", "clock_rules", "devices", "host_channel")
_FORBIDDEN = ("agent/engine/", "agent/app/", "agent/channel/", "agent/wire/", "probes/", "correctors/")
_INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)


def reached(root, start):
    """{file: the file that includes it} of everything `start` includes, however far."""
    seen = {start: ""}
    queue = [start]
    while queue:
        name = queue.pop()
        for header in _INCLUDE.findall((root / name).read_text(encoding="utf-8")):
            if header not in seen and (root / header).is_file():
                seen[header] = name
                queue.append(header)
    return seen


def main():
    root = Path(sys.argv[1])
    problems = []
    checked = 0
    for stem in _WORLD:
        for start in sorted((root / "tests/simulation").glob(f"{stem}.?pp")):
            checked += 1
            name = str(start.relative_to(root))
            for header, by in reached(root, name).items():
                if header.startswith(_FORBIDDEN):
                    problems.append(f"{name}: reaches {header}, by way of {by}")
    print("\n".join(problems) or f"{checked} files of the world are independent of the agent")
    return 1 if problems or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
