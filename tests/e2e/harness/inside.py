"""The guest's clocks from inside, and its PTP clock in the part of the host's (guest/clock_tool.cpp)."""
import json

from lab import images

TOOL = "/run/clock_tool"


def tool(guest, words, deadline_s=30):
    if guest.exec.run(f"[ -x {TOOL} ]").code != 0:
        guest.exec.push(TOOL, images.clock_tool().read_bytes())
        guest.exec.check(f"chmod +x {TOOL}")
    return guest.exec.check(f"{TOOL} {words}", deadline_s)


def look(guest, rtc=False):
    return json.loads(tool(guest, "look rtc" if rtc else "look"))


def ptp(guest, clock_name):
    """Device, offset to REALTIME and so on of the PTP clock with that name; None while there is none."""
    return next((each for each in look(guest)["ptp"] if each["clock_name"] == clock_name), None)


def ptp_names(guest):
    """Without reading any of them."""
    return guest.exec.run("cat /sys/class/ptp/*/clock_name 2> /dev/null").output.split("\n")


def ptp_step(guest, clock, amount_ns):
    """Adds to the PTP clock; returns the guest's REALTIME and MONOTONIC right after."""
    return tuple(map(int, tool(guest, f"phc-step /dev/{clock['device']} {int(amount_ns)}").split()))


def ptp_as_host(guest, clock_name):
    """Sets the PTP clock to the host's time; returns what it was off before."""
    clock = ptp(guest, clock_name)
    off = clock["offset_ns"] + guest.observer.best().error
    ptp_step(guest, clock, -off)
    return off


def marker(guest):
    return look(guest)["vmclock"]["disruption_marker"]


def probe(status, name):
    """The row of that probe in status.json; None if there is none."""
    return next((each for each in (status or {}).get("probes", []) if each["name"] == name), None)


def told(row):
    """State and reason of a probe in one line."""
    return f"{row['state']}: {row['why']}" if row else "no such probe in status"
