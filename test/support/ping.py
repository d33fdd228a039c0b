"""ICMP echo from the lab's client, without a program that a small machine may not have."""
import socket
import struct
import time

from support import process
from support.wire import checksum


def ping(lab, address, times=3, payload=b"guideway" * 7, seconds=5.0):
    """How many of `times` echo requests were answered with the same payload."""
    with lab.inside("client"):
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    answered = 0
    with sock:
        for sequence in range(times):
            header = struct.pack("!BBHHH", 8, 0, 0, 4711, sequence)
            right = checksum(header + payload)
            sock.sendto(struct.pack("!BBHHH", 8, 0, right, 4711, sequence) + payload, (address, 0))
            answered += _answer(sock, address, sequence, payload, time.monotonic() + process.patient(seconds))
    return answered


def _answer(sock, address, sequence, payload, deadline):
    while (left := deadline - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            packet, (source, _) = sock.recvfrom(65536)
        except TimeoutError:
            return False
        kind, _, _, identifier, number = struct.unpack_from("!BBHHH", packet, 20)
        if (source, kind, identifier, number, packet[28:]) == (address, 0, 4711, sequence, payload):
            return True
    return False
