#!/usr/bin/python3
"""clockmend-host at scale: notify and exchange of a thousand simulated guests, the exchange's error, watch when nothing happens.

The guests are unix sockets that one process beside it answers; their clock is this machine's, set back by a known amount, so
the exchange's true error is known exactly. Writes a Markdown table.
usage: host_fleet.py CLOCKMEND_HOST [--guests 1000] [--runs 5] [--idle 60]"""
import argparse
import json
import multiprocessing
import os
import re
import select
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BEHIND_NS = 20_000_000_000
SAMPLE = Path(__file__).resolve().parents[1] / "fuzz/corpus/reply/notify"


class Guests:
    """One epoll loop for all of them. Every answer is as long as a real one."""

    def __init__(self, folder, count):
        self._poll, self._listeners, self._clients = select.epoll(), {}, {}
        sample = json.loads(SAMPLE.read_bytes().split(b"\xfe")[0])["return"]  # pieces of a seed end in 0xFE
        self._report = json.dumps(sample["report"])
        for number in range(count):
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(f"{folder}/vm{number}.sock")
            listener.listen(1)
            listener.setblocking(False)
            self._listeners[listener.fileno()] = listener
            self._poll.register(listener, select.EPOLLIN)

    def serve(self):
        while True:
            for fd, _ in self._poll.poll():
                if fd in self._listeners:
                    client = self._listeners[fd].accept()[0]
                    self._clients[client.fileno()] = client
                    self._poll.register(client, select.EPOLLIN)
                else:
                    self._hear(self._clients[fd])

    def _hear(self, client):
        received = time.time_ns() - BEHIND_NS
        data = client.recv(65536)
        if not data:
            del self._clients[client.fileno()]
            return client.close()
        return client.sendall(b"".join(self._answer(line, received) for line in data.splitlines() if line))

    def _answer(self, line, received):
        request = json.loads(line[line.index(b"{"):])
        ident = f',"id":{json.dumps(request["id"])}' if "id" in request else ""
        if request["execute"] == "clock-exchange":
            return f'{{"return":{{"t2":{received},"t3":{time.time_ns() - BEHIND_NS}}}{ident}}}\n'.encode()
        if request["execute"] == "clock-notify":
            given = request["arguments"]
            report = self._report if given.get("wait") else "null"
            return (f'{{"return":{{"id":{json.dumps(given["id"])},"disposition":"accepted","host-time":"exchange","note":"","report":{report}}}'
                    f'{ident}}}\n').encode()
        return b"\xff" + f'{{"return":{request["arguments"]["id"]}{ident}}}\n'.encode()


def start_guests(folder, count):
    ready = multiprocessing.Event()

    def work():
        guests = Guests(folder, count)
        ready.set()
        guests.serve()
    process = multiprocessing.get_context("fork").Process(target=work, daemon=True)
    process.start()
    if not ready.wait(30):
        sys.exit("the guests do not start")
    return process


# A process inherits the peak of the one it was forked from (execve(2) keeps it), so that one must be small.
RUNNER = """import json, os, sys, time
began = time.monotonic()
_, status, usage = os.wait4(os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ), 0)
took = time.monotonic() - began
print(json.dumps([os.waitstatus_to_exitcode(status), took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss]), file=sys.stderr)"""


def run(argv):
    """Exit code, wall seconds, CPU seconds, peak resident KiB, output."""
    with tempfile.TemporaryFile() as output:
        done = subprocess.run([sys.executable, "-I", "-S", "-c", RUNNER, *argv], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.PIPE,
                              check=True)
        output.seek(0)
        return *json.loads(done.stderr.splitlines()[-1]), output.read().decode()


def fleet(host, folder, count, runs):
    rows, errors, stated = [], [], []
    for command in (["notify", "--all", "--event", "resumed"], ["exchange", "--all"]):
        took, cpu, kib = [], [], []
        for _ in range(runs):
            code, wall, busy, peak, text = run([host, *command, "--directory", folder, "--control", "", "--json"])
            lines = [json.loads(line) for line in text.splitlines()]
            if code != 0 or lines[-1]["summary"]["done"] != count:
                sys.exit(f"{' '.join(command)}: exit {code}, {text[-500:]}")
            took.append(wall), cpu.append(busy), kib.append(peak)
            if command[0] == "exchange":
                errors += [abs(each["return"]["offset-ns"] - BEHIND_NS) for each in lines[:-1]]
                stated += [each["return"]["error-ns"] for each in lines[:-1]]
        rows.append((f"{' '.join(command[:2])}, {count} guests", statistics.median(took), max(took), statistics.median(cpu), max(kib)))
    return rows, errors, stated


def single(host, folder, runs):
    """One guest at a time, nobody else busy."""
    errors, stated = [], []
    for number in range(runs):
        said = json.loads(run([host, "exchange", "--socket", f"{folder}/vm{number}.sock", "--control", "", "--json"])[4])["return"]
        errors.append(abs(said["offset-ns"] - BEHIND_NS))
        stated.append(said["error-ns"])
    return errors, stated


def _switches(pid):
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return sum(int(count) for count in re.findall(r"^(?:non)?voluntary_ctxt_switches:\s+(\d+)$", text, re.M))


def idle(host, folder, seconds):
    """watch beside libvirt's own test driver, which needs no daemon: how often its processes are scheduled."""
    child = subprocess.Popen([host, "watch", "--connect", "test:///default", "--control", f"{folder}/control", "--metrics", f"{folder}/metrics.prom"],
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(5)
        pids = [child.pid, *map(int, Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text(encoding="ascii").split())]
        before = [_switches(pid) for pid in pids]
        time.sleep(seconds)
        return len(pids), sum(_switches(pid) - was for pid, was in zip(pids, before))
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(10)


def _us(values):
    values = sorted(values)
    return [f"{value / 1e3:.1f}" for value in (statistics.median(values), values[int(0.95 * (len(values) - 1))], values[-1])]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("host", type=os.path.abspath)
    parser.add_argument("--guests", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--idle", type=float, default=60.0, help="seconds")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cm-fleet-") as folder:
        guests = start_guests(folder, options.guests)
        rows, errors, stated = fleet(options.host, folder, options.guests, options.runs)
        alone, alone_stated = single(options.host, folder, min(50, options.guests))
        guests.terminate()
        processes, switches = idle(options.host, folder, options.idle)
    print(f"{os.cpu_count()} processors, {options.runs} runs.\n\n| what | wall s, median | longest | CPU s, median | peak resident MiB |\n|---|---|---|---|---|")
    for name, median, longest, cpu, kib in rows:
        print(f"| {name} | {median:.3f} | {longest:.3f} | {cpu:.3f} | {kib / 1024:.1f} |")
    print("\n| exchange, us | median | 95 % | largest |\n|---|---|---|---|")
    for name, values in ((f"true error, {options.guests} at once", errors), ("stated error", stated), ("true error, one guest", alone),
                         ("stated error", alone_stated)):
        print(f"| {name} | {' | '.join(_us(values))} |")
    wrong = sum(error > bound for error, bound in zip(errors + alone, stated + alone_stated))
    print(f"\nThe stated error did not hold in {wrong} of {len(errors) + len(alone)} measurements.")
    print(f"watch, nothing happens: {processes} processes were scheduled {switches} times in {options.idle:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
