"""What every other test relies on, where the machine that runs them cannot show it."""
from harness.check import Case
from lab import images

TOOL = "/run/sys_time"


def sys_time_denied(guest, log):
    """The proof that no test sets this machine's clock or RTC (tests/lint/sys_time.cpp) on a machine with an RTC."""
    guest.exec.check("systemctl stop clockmendd")  # only one process may have /dev/rtc0 open
    try:
        guest.exec.push(TOOL, images.static_program("tests/lint/sys_time.cpp").read_bytes())
        guest.exec.check(f"chmod +x {TOOL}; test -c /dev/rtc0")
        denied = guest.exec.run(f"setpriv --bounding-set=-sys_time --inh-caps=-sys_time {TOOL}")
        log.say(denied.output.strip())
        log.expect(denied.code == 0, "it finds everything denied")
        # The RTC's driver says EACCES where clock_adjtime says EPERM (Linux 6.1, drivers/rtc/dev.c).
        for call, error in (("clock_adjtime", "Operation not permitted"), ("RTC_SET_TIME", "Permission denied")):
            log.expect(f"{call}: {error}" in denied.output, f"{call} is denied without CAP_SYS_TIME")
        allowed = guest.exec.run(TOOL)
        log.expect(allowed.code != 0 and "nothing was tried" in allowed.output, f"with CAP_SYS_TIME it tries nothing and fails: {allowed.code}")
    finally:
        guest.exec.check("systemctl start clockmendd")


CASES = [Case("sys_time_denied", sys_time_denied)]
