#!/usr/bin/env python3
"""Writes copies of product files that hold every mutant of table.py at once, so that all are compiled together.

usage: schemata.py OUT_DIR SOURCE_ROOT FILE...     (FILE: relative to SOURCE_ROOT)

A text of the table must occur exactly once in the listed files. A mutant whose text does not is left out and marked in
table.json: run.py, and with it the ctest, fails until the table matches the sources again; the build does not.
"""

import json
import sys
from pathlib import Path

import table

_HEADER = '#include "tests/simulation/mutants/active.hpp"\n'


def places(texts, wanted):
    """Every (file, position) of `wanted`."""
    found = []
    for name, text in texts.items():
        position = text.find(wanted)
        while position >= 0:
            found.append((name, position))
            position = text.find(wanted, position + 1)
    return found


def edits_of(texts):
    """{file: [(begin, end, replacement)]}, and a row for each mutant."""
    edits = {name: [] for name in texts}
    rows = []
    for number, mutant in enumerate(table.MUTANTS, 1):
        row = {"name": mutant.name, "files": [], "problem": ""}
        own = []
        for original, mutated in mutant.edits:
            found = places(texts, original)
            if len(found) != 1:
                row["problem"] = f"its text occurs {len(found)} times, not once: {original!r}"
                continue
            name, begin = found[0]
            if any(begin < e and b < begin + len(original) for b, e, _ in edits[name]):
                row["problem"] = f"another mutant changes the same text: {original!r}"
            own.append((name, begin, begin + len(original), mutated.replace("$M", f"clockmend::mutants::on({number})")))
        if not row["problem"]:
            row["files"] = [name for name, *_ in own]
            for name, *edit in own:
                edits[name].append(tuple(edit))
        rows.append(row)
    return edits, rows


def mutated(text, edits):
    for begin, end, replacement in sorted(edits, reverse=True):
        text = text[:begin] + replacement + text[end:]
    return _HEADER + text


def main():
    out, root, names = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    texts = {name: (root / name).read_text(encoding="utf-8") for name in names}
    edits, rows = edits_of(texts)
    for row in rows:
        if row["problem"]:
            print(f"tests/simulation/mutants/table.py: {row['name']}: {row['problem']}", file=sys.stderr)
    for name, text in texts.items():
        target = out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        content = mutated(text, edits[name]) if edits[name] else text
        # Untouched copies keep their time, so that a changed mutant compiles its own file only.
        if not target.is_file() or target.read_text(encoding="utf-8") != content:
            target.write_text(content, encoding="utf-8")
    (out / "table.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
