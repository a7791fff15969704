#!/usr/bin/env python3
"""Draws NTP packets per 100 ms at the servers after a fleet's resume: an SVG of one panel for each row of the table.

usage: fleet_plot.py CSV SVG    (the CSV is sim_fleet's)
"""

import csv
import sys
from html import escape

_WIDTH, _HEIGHT, _LEFT, _TOP, _SHOWN_MS = 820, 130, 70, 26, 15000


def panel(name, slices, top, highest):
    wide = (_WIDTH - _LEFT - 20) / (_SHOWN_MS / 100)
    parts = [f'<text x="{_LEFT}" y="{top + 14}" class="name">{escape(name)}</text>']
    base = top + _HEIGHT - 18
    room = _HEIGHT - 46
    for at, count in slices:
        if at < _SHOWN_MS and count:
            high = room * count / highest
            parts.append(f'<rect x="{_LEFT + at / 100 * wide:.1f}" y="{base - high:.1f}" width="{max(wide - 0.6, 0.6):.1f}" height="{high:.1f}"/>')
    parts.append(f'<line x1="{_LEFT}" y1="{base}" x2="{_WIDTH - 20}" y2="{base}"/>')
    parts.append(f'<text x="{_LEFT - 6}" y="{base - room + 4}" class="end">{highest}</text><text x="{_LEFT - 6}" y="{base}" class="end">0</text>')
    for second in range(0, _SHOWN_MS // 1000 + 1, 3):
        parts.append(f'<text x="{_LEFT + second * 10 * wide:.1f}" y="{base + 14}" class="middle">{second} s</text>')
    return "\n".join(parts)


def main():
    fleets = {}
    with open(sys.argv[1], encoding="utf-8") as file:
        for row in csv.DictReader(file):
            fleets.setdefault(row["fleet"], []).append((int(row["slice_ms"]), int(row["packets"])))
    highest = max(count for slices in fleets.values() for _, count in slices)
    height = _TOP + _HEIGHT * len(fleets)
    body = "\n".join(panel(name, slices, _TOP + i * _HEIGHT, highest) for i, (name, slices) in enumerate(fleets.items()))
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="11">\n'
                   "<style>rect{fill:#2a6f97}line{stroke:#888}text{fill:#333}.name{font-weight:bold}.end{text-anchor:end}"
                   ".middle{text-anchor:middle}</style>\n"
                   f'<rect width="{_WIDTH}" height="{height}" style="fill:#fff"/>\n'
                   f'<text x="{_LEFT}" y="16">NTP packets per 100 ms at all servers together, after the resume</text>\n{body}\n</svg>\n')
    return 0


if __name__ == "__main__":
    sys.exit(main())
