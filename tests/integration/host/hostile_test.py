#!/usr/bin/env python3
"""clockmend-host against guests that want to hurt it: it ends by its deadline with a code of its own, its memory is bounded, and
nothing they say reaches the terminal as an escape sequence.
usage: hostile_test.py CLOCKMEND_HOST"""
import contextlib
import json
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

DEADLINE_S = 1.5
SLACK_S = 15  # a busy machine; a program that hangs takes longer than any of it
MEMORY_KIB = 24 * 1024  # more than it needs to say its version
CODES = {0, 1, 2, 3, 4, 5, 6, 7}
EVIL = "\x1b[2J\x1b]0;owned\x07\x7f\x9b31m\r\n\x00"


def requests(client):
    """The requests of one visit, as values."""
    pending = b""
    while data := client.recv(65536):
        pending += data
        *lines, pending = pending.split(b"\n")
        for line in lines:
            yield json.loads(line[line.index(b"{"):])


def say(client, value, ident=None):
    if ident is not None:
        value = {**value, "id": ident}
    client.sendall(json.dumps(value).encode() + b"\n")


def synchronised(client):
    """Answers the synchronisation honestly; gives the requests after it."""
    incoming = requests(client)
    for request in incoming:
        if request["execute"] == "guest-sync-delimited":
            client.sendall(b"\xff" + json.dumps({"return": request["arguments"]["id"]}).encode() + b"\n")
            break
    yield from incoming


def for_ever(client, data):
    while True:
        client.sendall(data)


def endless_line(client):
    for_ever(client, b"x" * 65536)


def endless_object(client):
    client.sendall(b'{"return": "')
    for_ever(client, b"y" * 65536)


def deep_object(client):
    for_ever(client, b'{"return": ' * 6000 + b"\n")


def flood_of_delimiters(client):
    for_ever(client, b"\xff" * 65536)


def flood_of_empty_lines(client):
    for_ever(client, b"\n" * 65536)


def flood_of_strangers_answers(client):
    for _ in synchronised(client):
        for_ever(client, b'{"return": {}, "id": "somebody-else"}\n' * 1000)


def half_an_answer(client):
    for request in synchronised(client):
        client.sendall(json.dumps({"return": {"t2": 1, "t3": 2}, "id": request["id"]}).encode()[:-7])


def drip(client):
    for request in synchronised(client):
        for byte in json.dumps({"return": {"t2": 1, "t3": 2}, "id": request["id"]}).encode():
            client.sendall(bytes([byte]))
            time.sleep(0.05)


def drip_of_lines(client):
    while True:
        client.sendall(b'{"return": 1}\n')
        time.sleep(0.02)


def drip_before_anything(client):
    while True:
        client.sendall(b"{")
        time.sleep(0.02)


def wrong_ids(client):
    for request in synchronised(client):
        for wrong in (None, 1, "", str(request["id"]) + "0", [request["id"]], {"id": request["id"]}):
            say(client, {"return": {"t2": 1, "t3": 2}, "id": wrong})


def wrong_sync(client):
    for request in requests(client):
        client.sendall(b"\xff" + json.dumps({"return": request["arguments"]["id"] + 1}).encode() + b"\n")


def impossible_stamps(client):
    for request in synchronised(client):
        say(client, {"return": {"t2": 2**63 - 1, "t3": -2**63}}, request["id"])


def wrong_types(client):
    for request in synchronised(client):
        say(client, {"return": random.choice([None, [], "x", 1, {}, {"disposition": 1}, {"report": {}}])}, request["id"])


def evil_words(client):
    for request in synchronised(client):
        if request["execute"] == "clock-exchange":
            say(client, {"error": {"class": EVIL, "desc": EVIL * 50}}, request["id"])
        else:
            say(client, {"return": {"id": EVIL, "disposition": "accepted", "host-time": "none", "note": EVIL * 20, "report": None}}, request["id"])


def evil_error(client):
    for request in synchronised(client):
        say(client, {"error": {"class": "GenericError", "desc": EVIL * 100}}, request["id"])


def hangs_up(client):
    client.recv(1)


def hangs_up_after_sync(client):
    for _ in synchronised(client):
        return


def says_nothing(client):
    for _ in requests(client):
        pass


def never_reads(client):
    time.sleep(60)


def noise(client):
    source = random.Random(os.urandom(8))
    while True:
        client.sendall(source.randbytes(source.randrange(1, 5000)))


HOSTILE = (endless_line, endless_object, deep_object, flood_of_delimiters, flood_of_empty_lines, flood_of_strangers_answers, half_an_answer, drip,
           drip_of_lines, drip_before_anything, wrong_ids, wrong_sync, impossible_stamps, wrong_types, evil_words, evil_error, hangs_up,
           hangs_up_after_sync, says_nothing, never_reads, noise)


class Guest:
    """A listening socket; every visitor meets the behaviour."""

    def __init__(self, folder, behaviour):
        self.path = str(folder / f"{behaviour.__name__}.sock")
        self._behaviour = behaviour
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen(1)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                threading.Thread(target=self._meet, args=(client,), daemon=True).start()

    def _meet(self, client):
        with client, contextlib.suppress(OSError, ValueError, KeyError, StopIteration):
            self._behaviour(client)

    def close(self):
        self._listener.close()


class Visit(threading.Thread):
    """clockmend-host to its end, or to a minute; its peak of resident memory is the kernel's word."""

    def __init__(self, *words):
        super().__init__()
        self.code, self.took_s, self.kib, self.text = None, 0.0, 0, ""
        self._words = words
        self.start()

    def run(self):
        began = time.monotonic()
        with tempfile.TemporaryFile() as output:
            child = subprocess.Popen([PROGRAM, *self._words], stdin=subprocess.DEVNULL, stdout=output, stderr=output)
            timer = threading.Timer(60, child.kill)
            timer.start()
            _, status, usage = os.wait4(child.pid, 0)
            timer.cancel()
            child.returncode = 0  # it has been waited for
            output.seek(0)
            self.text = output.read(1 << 20).decode("utf-8", "replace")
        self.code = os.waitstatus_to_exitcode(status)
        self.took_s, self.kib = time.monotonic() - began, usage.ru_maxrss

    def end(self):
        self.join()
        return self


def judge(name, visit, limit_kib):
    problems = []
    if visit.code not in CODES:
        problems.append(f"exit code {visit.code}")
    if visit.took_s > DEADLINE_S + SLACK_S:
        problems.append(f"it took {visit.took_s:.1f} s")
    if visit.kib > limit_kib:
        problems.append(f"{visit.kib} KiB of memory, {limit_kib} allowed")
    if re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", visit.text):
        problems.append(f"control characters: {visit.text[:300]!r}")
    print(f"{'FAILED' if problems else 'ok'}: {name}: exit {visit.code}, {visit.took_s:.2f} s, {visit.kib} KiB {'; '.join(problems)}", flush=True)
    return bool(problems)


def main():
    limit_kib = Visit("--version").end().kib + MEMORY_KIB
    limits = ("--deadline", f"{int(DEADLINE_S * 1000)}ms", "--answer-deadline", "400ms", "--control", "")
    failed = 0
    with tempfile.TemporaryDirectory(prefix="cm-hostile-") as name:
        guests = [Guest(Path(name), behaviour) for behaviour in HOSTILE]
        for guest, behaviour in zip(guests, HOSTILE):
            for command in (("notify",), ("notify", "--json"), ("exchange",)):
                visit = Visit(*command, "--socket", guest.path, *limits).end()
                failed += judge(f"{behaviour.__name__}, {' '.join(command)}", visit, limit_kib)
        # All at once, in one process.
        everybody = [word for guest in guests for word in ("--socket", guest.path)]
        visit = Visit("notify", *everybody, *limits).end()
        failed += judge("all of them at once", visit, limit_kib)
        if f"{len(guests)} guests" not in visit.text:
            failed += 1
            print(f"FAILED: the summary is missing: {visit.text[-300:]!r}")
        for guest in guests:
            guest.close()
    return 1 if failed else 0


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv[1])
    sys.exit(main())
