"""The process that owns the guests and runs the cases: one guest at a time, kept between cases that ask for the same kind.
A case that failed, or left the guest unsettled, costs the next one a fresh boot."""
import json
import os
import select
import signal
import socket
import sys
import threading
import time
import traceback

from lab import accel, images, package

from .check import GiveUp, Log, Skip
from .guest import Guest
from .profiles import PROFILES

IDLE_S = 600
HARD_S = 8 * 3600  # the full run takes about four
GRACE_S = 60  # to end QEMU and take the network away


class Keeper:
    def __init__(self, cases, wanted_accel):
        self._cases = {case.name: case for case in cases}
        self._wanted = wanted_accel
        self._guest = None

    def _accel(self, profile):
        image = images.build("ntpsec", [package.build().guest_deb])
        if not PROFILES[profile].accel:
            return accel.choose(self._wanted, image)
        if accel.choose("auto", image) != PROFILES[profile].accel:
            raise Skip(f"no usable {PROFILES[profile].accel.upper()} on this machine")
        return PROFILES[profile].accel

    def _guest_for(self, profile, log):
        if self._guest and (self._guest.name != profile or not self._guest.alive()):
            self.drop()
        if not self._guest:
            chosen = self._accel(profile)
            began = time.monotonic()
            self._guest = Guest(profile, chosen)
            log.say(f"booted {profile} under {chosen} in {time.monotonic() - began:.1f} s")
        return self._guest

    def drop(self):
        if self._guest:
            self._guest.close()
            self._guest = None

    def _run(self, case, log):
        guest = self._guest_for(case.profile, log)
        guest.wait_settled()
        log.say(f"settled, offset seen from outside {guest.observer.best().error / 1e6:+.3f} ms")
        # The deadline works by ending QEMU: whatever the case waits for then fails at once.
        timer = threading.Timer(case.deadline_s, guest.vm.child.kill)
        timer.daemon = True
        timer.start()
        try:
            case.run(guest, log)
        finally:
            timer.cancel()

    def _excuse(self, log):
        """What helps to understand a failure, before the guest is dropped."""
        try:
            if self._guest and self._guest.alive():
                log.say("the agent's journal:")
                log.say(self._guest.agent.journal(80))
                for record in self._guest.agent.history()[-3:]:
                    log.say(f"record {record['number']}: {_testimony(record)}")
                log.say("status.json: " + json.dumps(self._guest.agent.status()))
        except Exception as error:
            log.say(f"no journal: {error}")

    def run(self, name, out):
        """Runs one case; returns "passed", "failed" or "skipped"."""
        case = self._cases[name]
        log = Log(out)
        try:
            self._run(case, log)
        except (Skip, images.Unavailable) as skip:
            out(f"SKIPPED: {skip}")
            return "skipped"
        except GiveUp as error:
            if str(error) not in log.failed:
                log.expect(False, str(error))
        except Exception:
            log.expect(False, traceback.format_exc())
        if log.failed:
            self._excuse(log)
            self.drop()
            out(f"FAIL {name}: " + "; ".join(text.splitlines()[0] for text in log.failed))
            return "failed"
        if case.spoils:
            self.drop()
        out(f"PASS {name}")
        return "passed"


def _testimony(record):
    """Which witness asked for what, in one line each."""
    lines = [f"{record['outcome']}: {record['reason']} ({record['discontinuity']['tripwire']})"]
    for each in record["discontinuity"]["evidence"]:
        lines.append(f"  {each['witness']} {each['basis']} asks for {each['needed_low_ns'] / 1e6:+.1f}..{each['needed_high_ns'] / 1e6:+.1f} ms"
                     f"{', used' if each['used'] else ''} ({each['detail']})")
    return "\n".join(lines)


def _converse(keeper, connection):
    """One request: {"run": NAME} -> {"line": ...}... {"verdict": ...}; {"stop": true} -> {"verdict": "stopped"}."""
    stream = connection.makefile("rw", encoding="utf-8")
    request = json.loads(stream.readline())

    def send(**message):
        stream.write(json.dumps(message) + "\n")
        stream.flush()
    if request.get("stop"):
        keeper.drop()
        send(verdict="stopped")
        return False
    send(verdict=keeper.run(request["run"], lambda line: send(line=line)))
    return True


def _watch(owner):
    """Ends the keeper when its owner is gone or HARD_S are over, whatever a case waits for. PDEATHSIG cannot do that: the keeper's
    parent is not ctest but the test that started it. The keeper's own children have theirs."""
    select.select([owner], [], [], HARD_S)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os._exit(1)


def serve(path, cases, wanted_accel, owner_pid):
    """Until told to stop, nobody asked for IDLE_S, or the process `owner_pid` (ctest) is gone."""
    owner = os.pidfd_open(owner_pid)
    threading.Thread(target=_watch, args=(owner,), daemon=True).start()
    keeper = Keeper(cases, wanted_accel)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(4)
    deadline = time.monotonic() + IDLE_S
    try:
        while time.monotonic() < deadline:
            if select.select([listener], [], [], 10)[0]:
                connection, _ = listener.accept()
                with connection:
                    try:
                        if not _converse(keeper, connection):
                            return
                    except (OSError, ValueError):  # the client went away: its case is over, its guest is not trusted
                        keeper.drop()
                deadline = time.monotonic() + IDLE_S
    finally:
        keeper.drop()
        os.unlink(path)
