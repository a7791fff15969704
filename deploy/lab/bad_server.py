"""A small NTP server which is wrong on purpose. Usage: bad_server.py ADDRESS FAULT [OFFSET_S]

FAULT: honest, liar (adds OFFSET_S), kod-rate, kod-deny, kod-rstr (stratum 0 and a kiss code, RFC 5905 section 7.4),
stratum16, unsynchronised (leap 3), zero-timestamps, wrong-origin, zero-origin, short (truncated), mode3, duplicate
(two answers), silent.
"""
import socket
import struct
import sys
import time

NTP_EPOCH = 2208988800  # 1900 to 1970, RFC 5905 figure 4
KISS = {"kod-rate": b"RATE", "kod-deny": b"DENY", "kod-rstr": b"RSTR"}


def stamp(ns):
    seconds, fraction = divmod(ns, 1_000_000_000)
    return struct.pack("!II", (seconds + NTP_EPOCH) & 0xFFFFFFFF, (fraction << 32) // 1_000_000_000)


def answer(request, received_ns, fault, offset_ns):
    leap, version, mode, stratum, refid = 0, request[0] >> 3 & 7, 4, 2, b"\x7f\x00\x00\x01"
    origin = request[40:48]
    if fault in KISS:
        leap, stratum, refid = 3, 0, KISS[fault]
    if fault == "stratum16":
        stratum = 16
    if fault == "unsynchronised":
        leap = 3
    if fault == "mode3":
        mode = 3
    if fault == "wrong-origin":
        origin = bytes(byte ^ 0x55 for byte in origin)
    if fault == "zero-origin":
        origin = bytes(8)
    receive, transmit = stamp(received_ns + offset_ns), stamp(time.time_ns() + offset_ns)
    if fault == "zero-timestamps":
        receive = transmit = bytes(8)
    head = struct.pack("!BBbb", leap << 6 | version << 3 | mode, stratum, 6, -20)
    packet = head + struct.pack("!II", 0, 0x00000100) + refid + stamp(received_ns + offset_ns) + origin + receive + transmit
    return packet[:40] if fault == "short" else packet


def main():
    address, fault = sys.argv[1], sys.argv[2]
    offset_ns = int(float(sys.argv[3]) * 1e9) if len(sys.argv) > 3 else 0
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, 123))
    print("ready", flush=True)
    while True:
        request, peer = server.recvfrom(1024)
        received_ns = time.time_ns()
        if len(request) < 48 or fault == "silent":
            continue
        packet = answer(request, received_ns, fault, offset_ns)
        server.sendto(packet, peer)
        if fault == "duplicate":
            server.sendto(packet, peer)


if __name__ == "__main__":
    main()
