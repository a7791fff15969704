#!/usr/bin/env python3
"""The manual: pages format without warnings, and describe every option, subcommand and configuration key there is.

usage: manpages.py [PROGRAM PAGE COMPLETION|-]...
"""

import os
import re
import shutil
import subprocess
import sys

import source

PAGES = source.ROOT / "packaging" / "man"
SAMPLE = source.ROOT / "packaging" / "config" / "clockmend.toml"


def run(*command):
    return subprocess.run(("setpriv", "--pdeathsig", "KILL", *command), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=60,
                          env={**os.environ, "MANWIDTH": "80"})


def format_problems():
    for page in sorted(PAGES.glob("*.[1-9]")):
        done = run("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", str(page))
        for line in done.stderr.splitlines():
            yield f"{page.name}: {line}"
        if done.returncode != 0:
            yield f"{page.name}: man ended with {done.returncode}"


def words_of(page):
    """The page's source with mdoc's flags as typed: .Fl -json becomes --json."""
    text = (PAGES / page).read_text(encoding="utf-8")
    for _ in range(8):
        text = re.sub(r"(Fl (?:[^\n]*[|,] )?)-(\w)", r"\1--\2", text)
    return text


def options_of(program, *subcommand):
    text = run(program, *subcommand, "--help").stdout
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)) - {"--help", "--version"}


def subcommands_of(program):
    text = run(program, "--help").stdout
    begin = text.find("Subcommands:")
    return re.findall(r"^  (\w[\w-]*) ", text[begin:].split("\n\n")[0], re.M) if begin >= 0 else []


def program_problems(program, page, completion):
    if not shutil.which(program):
        yield f"{program}: not built"
        return
    manual = words_of(page)
    completed = (source.ROOT / completion).read_text(encoding="utf-8") if completion != "-" else None
    wanted = options_of(program)
    for name in subcommands_of(program):
        wanted |= options_of(program, name) | {name}
    if not wanted:
        yield f"{program}: --help names no option"
    for word in sorted(wanted):
        if not re.search(re.escape(word.removeprefix("-")) + r"\b", manual):
            yield f"{page}: does not describe {word}"
        if completed is not None and word not in completed:
            yield f"{completion}: does not know {word}"


def key_problems():
    """Every key of the sample stands in the manual under its table, with the same default."""
    manual = (PAGES / "clockmend.toml.5").read_text(encoding="utf-8")
    table = ""
    for line in SAMPLE.read_text(encoding="utf-8").splitlines():
        header = re.fullmatch(r"\[(\w+)\]", line)
        key = re.fullmatch(r"#(\w+) = (.*)", line)
        if header:
            table = header.group(1)
        elif key:
            section = manual.partition(f".Ss [{table}]\n")[2].partition("\n.Ss ")[0]
            entry = section.partition(f".It Sy {key.group(1)}\n")[2].partition("\n.It ")[0]
            default = key.group(2).replace('"', "\\(dq")
            if default not in entry:
                yield f"clockmend.toml.5: [{table}] {key.group(1)} = {key.group(2)} is missing or has another default"


def main():
    problems = list(format_problems()) + list(key_problems())
    arguments = sys.argv[1:]
    for index in range(0, len(arguments), 3):
        problems.extend(program_problems(*arguments[index:index + 3]))
    return source.finish(problems, "the manual")


if __name__ == "__main__":
    sys.exit(main())
