"""The checkout's files, and C++ text without what is not code."""

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_SKIPPED = {".git", "build", "__pycache__", ".cache"}
_NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S)


def tracked():
    """All files under version control or about to be; every file where there is no git."""
    command = ["setpriv", "--pdeathsig", "KILL", "git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode == 0:
        names = done.stdout.splitlines()
    else:
        names = [os.path.relpath(os.path.join(folder, name), ROOT)
                 for folder, folders, files in os.walk(ROOT) if not _SKIPPED.intersection(Path(folder).parts)
                 for name in files]
    return sorted(name for name in names if (ROOT / name).is_file())


def read(name):
    return (ROOT / name).read_text(encoding="utf-8", errors="replace")


def code_only(text):
    """Comments and the content of literals become blanks; lines keep their numbers."""
    def blank(match):
        kept = match.group(0)
        inner = re.sub(r"[^\n]", " ", kept[1:-1]) if kept[0] in "\"'R" and len(kept) > 1 else re.sub(r"[^\n]", " ", kept)
        return kept[0] + inner + kept[-1] if kept[0] in "\"'" else inner
    return _NOT_CODE.sub(blank, text)


def finish(problems, what):
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problems in {what}")
    return 1 if problems else 0
