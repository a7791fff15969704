#!/usr/bin/env python3
"""Documents name only files that exist, and nothing names the machine it was built on."""

import glob
import re
import sys

import source

_TOP = ("agent/", "probes/", "correctors/", "packaging/", "tests/", "deploy/")
_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.S)
_LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
_PATH = re.compile(r"(?<![\w/.~$}-])((?:\./)?(?:" + "|".join(_TOP) + r")[\w./*{},-]*)")
_HOME = re.compile(r"/home/(?!user\b|USER\b|\$)[a-z]|/Users/[A-Za-z]")
_TEXT = (".md", ".txt", ".cmake", ".cpp", ".hpp", ".py", ".sh", ".toml", ".service", ".rules", ".json", ".1", ".5", ".8", ".in")


def expansions(path):
    """a/{b,c}.md -> a/b.md a/c.md"""
    match = re.search(r"\{([^{}]*)\}", path)
    if not match:
        return [path]
    return [one for part in match.group(1).split(",") for one in expansions(path[:match.start()] + part + path[match.end():])]


def exists(path):
    return any(glob.glob(str(source.ROOT / one)) for one in [path]) if "*" in path else (source.ROOT / path).exists()


def missing(path):
    path = path.rstrip(".,:;").removeprefix("./")
    if path.count("{") != path.count("}"):
        return []
    # A name without extension may be the stem of a file pair (probes/rtc).
    return [one for one in expansions(path) if not exists(one) and not glob.glob(str(source.ROOT / one) + ".*")]


def path_problems(name, text):
    for block in _CODE.finditer(text):
        for match in _PATH.finditer(block.group(0)):
            line = text.count("\n", 0, block.start() + match.start()) + 1
            for gone in missing(match.group(1)):
                yield f"{name}:{line}: there is no {gone}"


def link_problems(name, text):
    folder = (source.ROOT / name).parent
    for match in _LINK.finditer(text):
        target = match.group(1)
        if "://" not in target and not target.startswith("mailto:") and not (folder / target).exists():
            yield f"{name}:{text.count(chr(10), 0, match.start()) + 1}: there is no {target}"


def machine_problems(name, text):
    here = str(source.ROOT)
    for number, line in enumerate(text.splitlines(), 1):
        if here + "/" in line or line.rstrip().endswith(here) or _HOME.search(line):
            yield f"{name}:{number}: names a path of one machine: {line.strip()[:80]}"


def main():
    problems = []
    for name in source.tracked():
        if name == "tests/lint/docs.py":
            continue
        if name.endswith(_TEXT):
            problems.extend(machine_problems(name, source.read(name)))
        if name.endswith(".md"):
            problems.extend(path_problems(name, source.read(name)))
            problems.extend(link_problems(name, source.read(name)))
    return source.finish(problems, "the documents")


if __name__ == "__main__":
    sys.exit(main())
