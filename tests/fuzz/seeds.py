#!/usr/bin/env python3
"""Writes the seeds that are no text: corpus/{ntp_packet,ntp_client,vmclock,rtc_text}. Their layouts stand at the top of each target.
usage: seeds.py        (only to add or change one; what it writes is committed)"""

import struct
from pathlib import Path

CORPUS = Path(__file__).resolve().parent / "corpus"
NOW_S = 1_735_689_600          # 2025-01-01
ERA_ONE = 2_085_978_496        # 2036-02-07 06:28:16 UTC
NTP_EPOCH = 2_208_988_800      # seconds from 1900 to 1970
NONCE = 0x1122334455667788     # ntp_packet.cpp's


def stamp(seconds):
    return (int(seconds * 2**32) + (NTP_EPOCH << 32)) % 2**64


def packet(first=0x24, stratum=2, origin=NONCE, receive=None, transmit=None, delay=0x100, dispersion=0x200, refid=b"GPS\0", tail=b""):
    receive = stamp(NOW_S + 0.0005) if receive is None else receive
    transmit = receive + 1000 if transmit is None else transmit
    return struct.pack(">BBbbII4sQQQQ", first, stratum, 6, -24, delay, dispersion, refid, stamp(NOW_S - 30), origin, receive, transmit) + tail


def ntp_packet():
    def seed(datagram, flags=1, trip_us=1000, now_ns=NOW_S * 10**9):
        return struct.pack(">BiQ", flags, trip_us, now_ns) + datagram
    field = struct.pack(">HH", 0x0404, 40) + b"\xc5" * 36
    era = [struct.pack(">Q", stamp(ERA_ONE + d)) for d in (-1, 1)]
    return {
        "honest": seed(packet()),
        "version3": seed(packet(first=0x1C)),
        "kiss": seed(packet(first=0xE4, stratum=0, refid=b"RATE")),
        "unsynchronized": seed(packet(first=0xE4, stratum=16)),
        "stranger": seed(packet(origin=0), flags=0),
        "zero-times": seed(packet(receive=0, transmit=0)),
        "before-era-one": seed(packet(receive=int.from_bytes(era[0], "big"))),
        "after-era-one": seed(packet(receive=int.from_bytes(era[1], "big"))),
        "far-from-root": seed(packet(delay=0xFFFFFFFF, dispersion=0xFFFFFFFF)),
        "extension-fields": seed(packet(tail=field * 2 + b"\0" * 4)),
        "truncated": seed(packet(), flags=5),
        "short": seed(packet()[:47]),
        "negative-trip": seed(packet(), trip_us=-5),
        "before-floor": seed(packet(receive=stamp(1_500_000_000))),
    }


def ntp_client():
    ask, milliseconds, seconds, icmp, pause, step, say = (bytes([kind]) for kind in (0, 1, 2, 3, 4, 5, 6))
    header = packet(origin=0)

    def answer(server, error_ms=0, what=7):
        return say + bytes([server]) + header + bytes([what, error_ms % 256])
    honest = b"".join(answer(n) for n in range(3))
    return {
        "three-answer": ask + b"\0" + honest,
        "one-lies": ask + b"\0" + answer(0) + answer(1) + answer(2, error_ms=100),
        "again-after-a-pause": ask + b"\0" + honest + pause + b"\0\x40\0" + ask + b"\0" + honest,
        "stepped-meanwhile": ask + b"\0" + step + b"\0\x10\0" + honest,
        "icmp-then-retry": ask + b"\0" + icmp + b"\0" + milliseconds + b"\xff" + honest,
        "kissed": ask + b"\0" + say + b"\0" + packet(first=0xE4, stratum=0, refid=b"DENY") + b"\x01" + seconds + b"\x46" + ask + b"\0" + honest,
        "replayed": ask + b"\0" + honest + honest + seconds + b"\x05" + ask + b"\0" + honest,
    }


def vmclock():
    def page(flags=0x1FF, status=2, size=0x1000, version=1, magic=0x4B4C4356, kind=0, sequence=4, shift=0):
        return struct.pack("<IIHBBIQQ2sBBhBBQQQQQQQQQ", magic, size, version, 1, kind, sequence, 7, flags, b"\0\0", status, 0, 37, 0, shift,
                           10**12, int(2**64 / 2.4e9), 0, int(2**64 * 50e-6 / 2.4e9), NOW_S, 2**63, 0, 1000, 3)

    def seed(body, flags=3, counter=2_400_000, realtime=NOW_S * 10**9, bracket=200):
        return struct.pack(">BQQH", flags, counter, realtime << 1, bracket) + body
    return {
        "utc": seed(page()),
        "tai": seed(page(kind=1)),
        "no-time": seed(page()[:0x28], flags=0),
        "being-written": seed(page(sequence=5)),
        "unreliable": seed(page(status=4)),
        "shifted": seed(page(shift=8)),
        "far-counter": seed(page(), flags=1, counter=2**64 - 1),
        "wrong-magic": seed(page(magic=1)),
        "small": seed(page(size=0x20)),
        "version-2": seed(page(version=2)),
    }


def rtc_text():
    def seed(text, mode=0, fields=(13, 4, 15, 20, 10, 126)):
        return struct.pack(">B6h", mode, *fields) + text
    return {
        "utc": seed(b"0.0 0 0.0\n0\nUTC\n"),
        "local": seed(b"0.000000 1700000000 0.000000\n1700000000\nLOCAL\n", mode=1),
        "no-third-line": seed(b"0.0 0 0.0\n0\n"),
        "carriage-returns": seed(b"0.0 0 0.0\r\n0\r\nLOCAL \r\n"),
        "since-epoch": seed(b"1735689600\n"),
        "negative": seed(b"-1\n", fields=(60, 60, 24, 32, 12, -1)),
        "leap-day": seed(b"951782400\n", fields=(0, 0, 0, 29, 1, 100)),
        "largest": seed(b"18446744073709551616\n", fields=(59, 59, 23, 31, 11, 199)),
    }


def main():
    for make in (ntp_packet, ntp_client, vmclock, rtc_text):
        folder = CORPUS / make.__name__
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in make().items():
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
