#!/usr/bin/env python3
"""clockmendd below a root of its own: configuration, recovery, and that it finds nothing of this machine's.
usage: root_test.py CLOCKMENDD"""
import subprocess
import sys
import tempfile
from pathlib import Path

JOURNAL = '{"state":"intent","correction":3,"units":[{"unit":"ntpsec.service","invocation_id":"0123456789abcdef0123456789abcdef"}],' \
          '"offset_ns":null,"boot_id":"11111111-2222-3333-4444-555555555555"}\n'
FAILED = []


def expect(ok, text):
    print(("ok: " if ok else "FAILED: ") + text)
    if not ok:
        FAILED.append(text)


def agent(root, *arguments):
    # Without CAP_SYS_TIME, whatever defect it has.
    command = ["setpriv", "--pdeathsig", "KILL", "--bounding-set=-sys_time", "--inh-caps=-sys_time", "--", sys.argv[1], "--root", str(root)]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)


def main():
    with tempfile.TemporaryDirectory(prefix="clockmend-root-") as name:
        root = Path(name)
        for folder in ("etc/clockmend/conf.d", "run/clockmend", "var/lib/clockmend", "proc/sys/kernel/random"):
            (root / folder).mkdir(parents=True)
        (root / "proc/sys/kernel/random/boot_id").write_text("11111111-2222-3333-4444-555555555555\n", encoding="utf-8")
        done = agent(root, "--check-config")
        expect(done.returncode == 0, f"no configuration is a good one: {done.returncode} {done.stderr.strip()}")
        for text, told in (('[policy]\nmode = "fast"\n', "clockmend.toml:2"), ("[policy\nmode = 1\n", "clockmend.toml:1"), ("[polcy]\n", "polcy")):
            (root / "etc/clockmend/clockmend.toml").write_text(text, encoding="utf-8")
            done = agent(root, "--check-config")
            expect(done.returncode != 0 and told in done.stderr + done.stdout, f"{told}: {(done.stderr + done.stdout).strip()[:160]}")
            done = agent(root)
            expect(done.returncode == 78, f"it does not start with that (exit {done.returncode}, EX_CONFIG is 78)")
        (root / "etc/clockmend/clockmend.toml").unlink()
        (root / "run/clockmend/journal").write_text(JOURNAL, encoding="utf-8")
        (root / "run/clockmend/status.json").write_text("{}", encoding="utf-8")
        done = agent(root, "--recover")
        # The bus of this machine would have answered; the one below the root is not there.
        expect(done.returncode == 1, f"a daemon that cannot be started is a failure (exit {done.returncode}): {done.stderr.strip()[:200]}")
        expect(not (root / "run/clockmend/status.json").exists(), "nobody vouches for the clock any more")
        expect((root / "run/clockmend/journal").exists(), "what was left stopped is not forgotten")
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
