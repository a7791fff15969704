"""Every C++ file is as .clang-format wants it."""
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("agent", "probes", "correctors", "tests", "packaging", "deploy")


def main():
    files = sorted(str(path) for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in (".cpp", ".hpp"))
    done = subprocess.run(["setpriv", "--pdeathsig", "KILL", "clang-format", "--dry-run", "-Werror", *files],
                          capture_output=True, text=True, cwd=ROOT, timeout=110)
    print(f"{len(files)} files")
    print(done.stderr, end="")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
