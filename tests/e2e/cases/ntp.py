"""NTP servers: many, dead, lying, broken. Never a wrong step."""
import time

from harness import repair
from harness.check import Case
from harness.profiles import ADDRESSES, HOST, MORE

LIE_S = 5.0


def _states(guest):
    return {server["address"]: server["state"] for server in guest.agent.status()["servers"]}


def _many(guest, log, honest, others):
    """`others`: address -> fault, or None for nobody there. Frozen, without a notice."""
    addresses = [*honest, *others]
    for address in honest:
        guest.serve(address)
    for address, fault in others.items():
        if fault:
            guest.serve(address, fault, LIE_S)
    guest.use_servers(addresses)
    try:
        guest.wait_settled()
        was = repair.before(guest)
        resumed = repair.freeze(guest, log)
        repair.watch(guest, log, resumed)
        report = repair.record(guest, log, was, tell_since=resumed)
        log.expect(abs(report["total_step_ns"] - repair.GAP_S * 1e9) < 0.5e9, f"stepped by the gap: {report['total_step_ns'] / 1e9:.3f} s")
        repair.healed(guest, log, was, report)
        states = _states(guest)
        log.say(f"servers: {states}")
        log.expect(set(addresses) <= set(states), "every configured server is reported")
        good = [address for address in honest if states.get(address) == "ok"]
        log.expect(len(good) * 2 > len(honest), f"most honest servers are ok: {good}")
        return states
    finally:
        guest.only_host_serves()
        guest.use_servers([HOST])


def four_honest_three_dead(guest, log):
    states = _many(guest, log, ADDRESSES[:4], {address: None for address in ADDRESSES[4:7]})
    for address in ADDRESSES[4:7]:
        log.expect(states.get(address) not in (None, "ok"), f"{address} is called {states.get(address)}")


def four_honest_three_silent(guest, log):
    _many(guest, log, ADDRESSES[:4], {address: "silent" for address in ADDRESSES[4:7]})


def one_liar_of_four(guest, log):
    liar = ADDRESSES[-1]
    states = _many(guest, log, ADDRESSES[:3], {liar: "liar"})
    # Three honest answers may end the measurement before the liar's word arrives.
    log.expect(states.get(liar) not in (None, "ok"), f"the liar is called {states.get(liar)}")


def every_fault_among_three(guest, log):
    """Three honest servers beside one of each broken kind."""
    faults = ("kod-rate", "stratum16", "zero-timestamps", "wrong-origin", "duplicate")
    states = _many(guest, log, ADDRESSES[:3], dict(zip(MORE[2:], faults)))
    for address, fault in list(zip(MORE[2:], faults))[:4]:
        log.expect(states.get(address) != "ok", f"{fault}: {states.get(address)}")


def lying_by_an_hour(guest, log):
    """The only server says one hour more than the RTC: it must not be believed."""
    was = repair.before(guest)
    guest.serve(HOST, "liar", 3600)
    try:
        resumed = repair.freeze(guest, log)
        report = repair.record(guest, log, was, 60, tell_since=resumed)
        time.sleep(1)
        sample = guest.observer.best()
        log.expect(-repair.GAP_S - 1 < sample.error / 1e9 < 1, f"the clock did not follow the lie: {repair.ms(sample.error)}")
        log.expect(abs(report["total_step_ns"]) < (repair.GAP_S + 1) * 1e9, f"steps: {report['total_step_ns'] / 1e9:+.3f} s")
        log.expect(not report["verified"], "nothing is called verified")
        repair.daemon_back(guest, log, was)
        status = guest.agent.status()
        log.expect(status["state"] in ("refused", "degraded"), f"state {status['state']}: {status['state_reason']}")
        log.expect(not status["clock"]["valid"], "the clock is not called valid")
        repair.same_agent(guest, log, was)
    finally:
        guest.serve(HOST)
    repair.reverify(guest, log)


def _broken(fault, word):
    """The only server is broken; the RTC puts the clock right, and the status tells why NTP could not."""
    def case(guest, log):
        was = repair.before(guest)
        guest.serve(HOST, fault)
        try:
            resumed = repair.freeze(guest, log)
            repair.watch(guest, log, resumed, tolerance_ns=15_000_000)
            report = repair.record(guest, log, was, 60, tell_since=resumed)
            log.expect(abs(report["total_step_ns"] - repair.GAP_S * 1e9) < 0.1e9, f"stepped by the gap: {report['total_step_ns'] / 1e9:.3f} s")
            log.expect(not report["verified"], "not called verified")
            repair.daemon_back(guest, log, was)
            repair.status_tells(guest, log, report, "degraded")
            state = _states(guest).get(HOST, "")
            log.expect(word in state.lower(), f"the status says what the server did: {state}")
            repair.same_agent(guest, log, was)
        finally:
            guest.serve(HOST)
        # A server that said RATE is asked again only after a while (RFC 5905 section 7.4).
        if not fault.startswith("kod"):
            repair.reverify(guest, log)
        else:
            guest.exec.check("systemctl restart clockmendd")
        guest.set_right()
    return case


CASES = [
    Case("four_honest_three_dead", four_honest_three_dead),
    Case("four_honest_three_silent", four_honest_three_silent, long=True),
    Case("one_liar_of_four", one_liar_of_four),
    Case("every_fault_among_three", every_fault_among_three),
    Case("lying_by_an_hour", lying_by_an_hour),
    Case("server_kod", _broken("kod-rate", "ko")),
    Case("server_stratum16", _broken("stratum16", "stratum")),
    Case("server_zero_timestamps", _broken("zero-timestamps", "zero")),
    Case("server_wrong_origin", _broken("wrong-origin", "origin")),
]
