"""A real PTP clock under TCG: igb's freezes with the guest, and set from a tool it plays the host's clock after a pause.
e1000e's runs 2.5 times too fast and must be rejected. Both come and go while the agent runs."""
import time

from harness import inside, repair
from harness.check import Case
from harness.profiles import E1000E, E1000E_CLOCK, IGB, IGB_CLOCK

DROP_IN = "50-lab-ptp"
READY_S = 2.5


def _row(guest):
    return inside.probe(guest.agent.now(), "ptp")


def _wait_row(guest, log, holds, text, timeout_s=45):
    """Until the status of the probe "ptp" is as it shall be."""
    status = guest.agent.wait_now(lambda value: (row := inside.probe(value, "ptp")) is not None and holds(row), timeout_s)
    row = inside.probe(status, "ptp")
    return log.expect(row is not None and holds(row), f"{text} ({inside.told(row)})")


def _plug(guest, log, card, clock_name):
    """Hot-plugs the card and waits for its clock. It is not read at once: the driver e1000e of Linux 7.3 registers the clock before
    it is ready, and a read in that moment is a kernel oops (e1000e_phc_gettimex)."""
    guest.vm.device_plug(card["driver"], card["ident"], card["bus"], mac=card["mac"], romfile=card["romfile"])
    end = time.monotonic() + 60
    while clock_name not in inside.ptp_names(guest):
        if time.monotonic() > end:
            log.require(False, f"{card['driver']} is plugged in and its clock {clock_name} is there")
        time.sleep(0.3)
    time.sleep(READY_S)
    clock = inside.ptp(guest, clock_name)
    log.say(f"{card['driver']} is plugged in, its clock is {clock['device']}, {repair.ms(clock.get('offset_ns', 0))} from REALTIME")
    return clock


def _allow(guest, *names):
    guest.agent.drop_in(DROP_IN, "[ptp]\nallow = [" + ", ".join(f'"{name}"' for name in names) + "]\n")
    guest.agent.reload()


def _forbid(guest):
    guest.agent.drop_out(DROP_IN)
    guest.agent.reload()


class _Card:
    """Plugged in at the start of a block and out at its end, whatever happens in between."""

    def __init__(self, guest, log, card, clock_name, allowed=True):
        self._guest, self._log, self._card, self._name, self._allowed = guest, log, card, clock_name, allowed

    def __enter__(self):
        _plug(self._guest, self._log, self._card, self._name)
        if self._card is IGB:
            off = inside.ptp_as_host(self._guest, self._name)
            self._log.say(f"set to the host's time, was off by {repair.ms(off)}")
        if self._allowed:
            _allow(self._guest, self._name)
        return self

    def __exit__(self, *_):
        if self._guest.alive():
            _forbid(self._guest)
            self._guest.vm.device_unplug(self._card["ident"])


def _taken(row):
    return row["state"] == "running" and IGB_CLOCK in row["why"] + str(row.get("last", ""))


def _freeze_and_play_host(guest, log, gap_s=repair.GAP_S):
    """The guest and its PTP clock stand still; right after resume the clock gets what it missed. Returns (host's time of resume,
    guest's MONOTONIC when the clock was set)."""
    clock = inside.ptp(guest, IGB_CLOCK)
    guest.vm.qmp.events.clear()
    guest.vm.qmp.command("stop")
    stopped = guest.vm.event_stamp("STOP")
    time.sleep(gap_s)
    resumed = guest.vm.cont()
    _, monotonic = inside.ptp_step(guest, clock, resumed - stopped)
    log.say(f"frozen for {(resumed - stopped) / 1e9:.3f} s, then the PTP clock was set")
    return resumed, monotonic


def _tell_delay(log, report, set_at):
    late = report["discontinuity"]["detected"]["monotonic_ns"] - set_at
    log.say(f"detected {late / 1e6:.1f} ms after the PTP clock told of it")
    return late


def ptp_pause(guest, log):
    """With all other witnesses at hand."""
    with _Card(guest, log, IGB, IGB_CLOCK):
        _wait_row(guest, log, _taken, "the allowed clock is taken")
        guest.wait_settled()
        was = repair.before(guest)
        resumed, set_at = _freeze_and_play_host(guest, log)
        repair.watch(guest, log, resumed)
        report = repair.record(guest, log, was, tell_since=resumed)
        late = _tell_delay(log, report, set_at)
        witnesses = {each["witness"] for each in report["discontinuity"]["evidence"] if each["used"]}
        # An RTC edge may fall between resume and the tool's step; the PTP clock still stood behind then, and is outvoted.
        log.expect("ptp" in witnesses or late < 0, f"the PTP clock is among the evidence: {sorted(witnesses)}")
        repair.healed(guest, log, was, report)


def ptp_not_allowed(guest, log):
    """A network card's clock is nobody's time of day unless the configuration says so."""
    with _Card(guest, log, IGB, IGB_CLOCK, allowed=False):
        _wait_row(guest, log, lambda row: row["state"] != "running" and IGB_CLOCK in row["why"], "status says that it is not taken")
        was = repair.before(guest)
        inside.ptp_step(guest, inside.ptp(guest, IGB_CLOCK), 60_000_000_000)
        repair.no_record(guest, log, was)


def ptp_too_fast(guest, log):
    """Allowed by name, rejected for its rate."""
    was = repair.before(guest)
    with _Card(guest, log, E1000E, E1000E_CLOCK):
        rate = float(inside.tool(guest, f"phc-rate /dev/{inside.ptp(guest, E1000E_CLOCK)['device']} 1000"))
        log.say(f"it runs {rate:.3f} times as fast as MONOTONIC_RAW")
        _wait_row(guest, log, lambda row: row["state"] != "running" and "too fast" in row["why"], "status says why it is rejected")
        time.sleep(3)
        log.expect(guest.agent.last_number() == was.number, "nothing was corrected because of it")
        log.expect(abs(guest.observer.best().error) < 5e6, "the clock is still right")
        resumed = repair.freeze(guest, log)
        repair.watch(guest, log, resumed)
        report = repair.record(guest, log, was, tell_since=resumed)
        used = {each["witness"] for each in report["discontinuity"]["evidence"] if each["used"]}
        log.expect("ptp" not in used, f"a freeze is found without it: {sorted(used)}")
        repair.healed(guest, log, was, report)


def ptp_good_beside_bad(guest, log):
    """Both are allowed: the good one is taken, the other one named as not taken."""
    with _Card(guest, log, E1000E, E1000E_CLOCK), _Card(guest, log, IGB, IGB_CLOCK):
        _allow(guest, IGB_CLOCK, E1000E_CLOCK)
        _wait_row(guest, log, _taken, "the good one is taken")
        log.expect(E1000E_CLOCK in _row(guest)["why"], "the other one is named")
        was = repair.before(guest)
        time.sleep(3)
        log.expect(guest.agent.last_number() == was.number, "nothing was corrected")


def ptp_comes_and_goes(guest, log):
    """Hot-plug and unplug while the agent runs: status follows, no step."""
    was = repair.before(guest)
    for _ in range(2):
        with _Card(guest, log, IGB, IGB_CLOCK):
            _wait_row(guest, log, _taken, "plugged in, it is taken")
        _wait_row(guest, log, lambda row: row["state"] != "running", "unplugged, it is gone")
    log.expect(guest.agent.last_number() == was.number, "nothing was corrected")
    log.expect(abs(guest.observer.best().error) < 5e6, f"the clock is still right: {repair.ms(guest.observer.best().error)}")
    repair.daemon_back(guest, log, was, restarted=False)
    repair.same_agent(guest, log, was)


def ptp_only(guest, log):
    """RTC not asked, NTP firewalled off: the PTP clock alone tells how much."""
    with _Card(guest, log, IGB, IGB_CLOCK):
        guest.agent.drop_in(DROP_IN + "-only", "[rtc]\nenabled = false\n")
        guest.exec.check("systemctl restart clockmendd")
        _wait_row(guest, log, _taken, "the allowed clock is taken")
        guest.wait_settled()
        was = repair.before(guest)
        guest.block_ntp()
        resumed, set_at = _freeze_and_play_host(guest, log)
        repair.watch(guest, log, resumed)
        report = repair.record(guest, log, was, tell_since=resumed)
        _tell_delay(log, report, set_at)
        witnesses = {each["witness"] for each in report["discontinuity"]["evidence"] if each["used"]}
        log.expect(witnesses == {"ptp"}, f"the PTP clock alone was used: {sorted(witnesses)}")
        log.expect(report["outcome"] == "corrected" and not report["verified"], f"{report['outcome']}, verified {report['verified']}")
        repair.daemon_back(guest, log, was)
        repair.same_agent(guest, log, was)


CASES = [
    Case("ptp_pause", ptp_pause, "ptp"),
    Case("ptp_not_allowed", ptp_not_allowed, "ptp"),
    Case("ptp_too_fast", ptp_too_fast, "ptp"),
    Case("ptp_good_beside_bad", ptp_good_beside_bad, "ptp"),
    Case("ptp_comes_and_goes", ptp_comes_and_goes, "ptp", deadline_s=300),
    Case("ptp_only", ptp_only, "ptp", spoils=True),
]
