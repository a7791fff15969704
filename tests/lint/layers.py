#!/usr/bin/env python3
"""The rules of the house: who may include and call what, how long files are, a README everywhere. The table is rules.py."""

import re
import sys
from pathlib import PurePosixPath

import rules
import source

_INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
_GENERATED = {"agent/app/version.hpp"}


def room_of(name):
    return next((room for room in rules.ROOMS if name.startswith(room.place)), None)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def unit_of(name):
    """rtc.hpp, rtc_search.cpp and rtc_limits.hpp are one unit, because there is an rtc.hpp."""
    folder, stem = PurePosixPath(name).parent, PurePosixPath(name).stem
    words = stem.split("_")
    for count in range(1, len(words)):
        shorter = "_".join(words[:count])
        if (source.ROOT / folder / f"{shorter}.hpp").is_file():
            return shorter
    return stem


def project_problem(room, name, header):
    if header in rules.PRIVATE_HEADERS and not name.startswith(rules.PRIVATE_HEADERS[header]):
        return f"{header} is private to {rules.PRIVATE_HEADERS[header]}"
    if any(header.startswith(prefix) for prefix in room.project):
        return None
    if not header.startswith(room.place if room.place.endswith("/") else str(PurePosixPath(room.place).parent)):
        return f"{room.place} may not include {header}"
    if not room.own or header in rules.SHARED:
        return None
    if PurePosixPath(header).parent != PurePosixPath(name).parent:
        return f"{room.place} may not include {header}"
    if unit_of(header) != unit_of(name):
        return f"one unit may not include another: {header}"
    return None


def outside_problem(room, header):
    if header in rules.STANDARD_HEADERS:
        return None
    for allowed in room.outside:
        if header == allowed or (allowed.endswith("*") and header.startswith(allowed[:-1])):
            return None
        if allowed == "kernel headers" and header.endswith(".h") and not header.startswith(("nlohmann", "toml", "spdlog", "CLI")):
            return None
    return f"<{header}> does not belong into {room.place}"


def include_problems(room, name, text):
    for match in _INCLUDE.finditer(text):
        kind, header = match.groups()
        if kind == "<":
            problem = outside_problem(room, header)
        elif header not in _GENERATED and not (source.ROOT / header).is_file():
            problem = f"{header} is not a path from the repository's root"
        else:
            problem = project_problem(room, name, header)
        if problem:
            yield f"{name}:{line_of(text, match.start())}: {problem}"


def call_problems(room, name, code):
    if room.calls:
        return
    for pattern, why in rules.BANNED:
        for match in re.finditer(pattern, code):
            yield f"{name}:{line_of(code, match.start())}: {why}: {match.group(0).strip()}"


def global_problems(name, code):
    for number, line in enumerate(code.splitlines(), 1):
        if any(re.search(pattern, line) for pattern in rules.MUTABLE_GLOBALS):
            yield f"{name}:{number}: a mutable global: {line.strip()}"


def length_problems(name, text, code):
    lines = text.count("\n")
    limit = rules.MAX_HEADER if name.endswith(".hpp") else rules.MAX_FILE
    if lines > limit:
        yield f"{name}: {lines} lines, the limit is {limit}"
    longest = rules.MAX_FUNCTION if name.startswith(rules.SOURCE_ROOTS) else rules.MAX_TEST_FUNCTION
    for begin, count in functions(code):
        if count > longest:
            yield f"{name}:{begin}: {count} lines in one function, the limit is {longest}"


def functions(code):
    """(first line, lines between the braces) of every definition that begins and ends in the first column."""
    begin = None
    for number, line in enumerate(code.splitlines(), 1):
        if line.rstrip().endswith("{") and re.match(r"\S", line) and not re.match(r"(namespace|class|struct|enum|union|extern)\b", line):
            begin = number
        elif line.startswith("}"):
            if begin and not line.startswith("};"):
                yield begin, number - begin - 1
            begin = None


def header_problems(name, text):
    if name.endswith(".hpp") and "#pragma once" not in text:
        yield f"{name}: no #pragma once"
    if name.startswith(rules.SOURCE_ROOTS) and name.endswith(".hpp") and re.search(r"^\s*using namespace [^;]*;", text, re.M):
        yield f"{name}: using namespace in a header"


def source_problems(name):
    text = source.read(name)
    code = source.code_only(text)
    yield from length_problems(name, text, code)
    yield from header_problems(name, text)
    if not name.startswith(rules.SOURCE_ROOTS):
        return
    room = room_of(name)
    if room is None:
        yield f"{name}: in no room of tests/lint/rules.py"
        return
    yield from include_problems(room, name, text)
    yield from call_problems(room, name, code)
    yield from global_problems(name, code)


def readme_problems(names):
    """Each folder has a README.md, or its parent's README names it (packaging/deb, agent/core/ports)."""
    folders = {str(parent) for name in names for parent in PurePosixPath(name).parents if str(parent) != "."}
    for folder in sorted(folders):
        if not folder.startswith(rules.README_ROOTS) or f"{folder}/README.md" in names:
            continue
        above = PurePosixPath(folder)
        covered = False
        while len(above.parts) > 1 and not covered:
            child, above = above, above.parent
            readme = f"{above}/README.md"
            covered = readme in names and f"{child.name}/" in source.read(readme)
        if not covered:
            yield f"{folder}: no README.md, and no folder above describes it"


def main():
    names = source.tracked()
    problems = []
    for name in names:
        if name.endswith((".cpp", ".hpp")) and name.startswith(rules.CODE_ROOTS):
            problems.extend(source_problems(name))
    problems.extend(readme_problems(set(names)))
    return source.finish(problems, "the layers")


if __name__ == "__main__":
    sys.exit(main())
