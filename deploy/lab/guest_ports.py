"""The two test ports of the guest helper (tests/e2e/guest/guest_helper.cpp): outside observer and commands."""
import itertools
import socket
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """Guest clocks between two readings of the host's time, all in nanoseconds."""
    before: int
    after: int
    realtime: int
    monotonic: int
    boottime: int
    raw: int

    @property
    def error(self):
        """Guest REALTIME minus host REALTIME: negative when the guest is behind."""
        return self.realtime - (self.before + self.after) // 2

    @property
    def uncertainty(self):
        return (self.after - self.before + 1) // 2


class _Port:
    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._buffer = b""
        self._ids = itertools.count(1)

    def _send(self, data, timeout_s):
        self._socket.settimeout(timeout_s)
        self._socket.sendall(data)

    def _receive(self, end):
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the guest helper did not answer")
        self._socket.settimeout(left)
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("QEMU closed the port")
        self._buffer += data

    def _line(self, end):
        while b"\n" not in self._buffer:
            self._receive(end)
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line.decode("ascii", "replace")

    def _bytes(self, count, end):
        while len(self._buffer) < count:
            self._receive(end)
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    def close(self):
        self._socket.close()


class Observer(_Port):
    """Knows the guest's clock to half a round trip, without the agent. `clock` is the time that it shall have."""

    def __init__(self, path, clock):
        super().__init__(path)
        self._clock = clock

    def sample(self, timeout_s=5.0):
        ident = f"o{next(self._ids)}"
        end = time.monotonic() + timeout_s
        request = ident.encode() + b"\n"
        before = self._clock.now_ns()
        self._send(request, timeout_s)
        while True:
            words = self._line(end).split()
            after = self._clock.now_ns()
            if words and words[0] == ident:  # anything else answers a request given up earlier
                return Sample(before, after, *map(int, words[1:5]))

    def best(self, count=8, timeout_s=5.0):
        """The sample with the smallest round trip."""
        return min((self.sample(timeout_s) for _ in range(count)), key=lambda sample: sample.uncertainty)

    def wait_right(self, tolerance_ns, since_ns, timeout_s, hold=3):
        """Polls until |error| + uncertainty stays within the tolerance for `hold` samples in a row; a sample that is known no
        better than to half the tolerance proves neither side. Returns (ns since `since_ns` of the end of the first of them,
        that sample), or (None, last sample)."""
        end = time.monotonic() + timeout_s
        first, held, sample = None, 0, None
        while time.monotonic() < end:
            sample = self.sample()
            if abs(sample.error) <= tolerance_ns and sample.uncertainty > tolerance_ns // 2:
                continue
            if abs(sample.error) + sample.uncertainty <= tolerance_ns:
                first = first or sample
                held += 1
                if held >= hold:
                    return first.after - since_ns, first
            else:
                first, held = None, 0
            time.sleep(0.002)
        return None, sample


@dataclass(frozen=True)
class Result:
    code: int
    output: str
    timed_out: bool


class GuestExec(_Port):
    """Runs shell commands and moves files, one at a time."""

    def _request(self, verb, argument, data, deadline_s):
        ident = f"x{next(self._ids)}"
        argument = argument.encode()
        header = f"{verb} {ident} {int(deadline_s * 1000)} {len(argument)} {len(data)}\n".encode()
        end = time.monotonic() + deadline_s + 15
        self._send(header + argument + data, deadline_s + 15)
        while True:
            words = self._line(end).split()
            if len(words) != 4:
                continue
            output = self._bytes(int(words[3]), end)
            if words[0] == ident:
                return int(words[1]), int(words[2]), output

    def run(self, command, deadline_s=30, data=b""):
        code, flags, output = self._request("exec", command, data, deadline_s)
        return Result(code, output.decode("utf-8", "replace"), bool(flags & 1))

    def check(self, command, deadline_s=30, data=b""):
        """run() which must succeed; returns the output."""
        result = self.run(command, deadline_s, data)
        if result.code != 0:
            raise RuntimeError(f"in the guest: {command}: exit {result.code}: {result.output.strip()}")
        return result.output

    def push(self, path, data):
        code, _, output = self._request("push", path, data.encode() if isinstance(data, str) else data, 30)
        if code != 0:
            raise RuntimeError(output.decode("utf-8", "replace").strip())

    def pull(self, path):
        code, _, output = self._request("pull", path, b"", 30)
        if code != 0:
            raise FileNotFoundError(output.decode("utf-8", "replace").strip())
        return output
