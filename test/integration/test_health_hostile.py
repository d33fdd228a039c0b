"""Backends that answer checks with malice: they are down, and the daemon pays nothing for it."""
import pathlib
import re
import sys

import pytest

from support import process, servers
from support.daemon import config

LAB = {"backends": 4}
PORT = 81
SMALL_PAGES = pathlib.Path(__file__).resolve().parents[1] / "support/small_pages.py"
MORE_PROBES = 60
# Bounds of growth over these. Bodies that were kept would be more: 64 KiB times 60.
MAX_GROWTH_KIB = 2048
MAX_MORE_DESCRIPTORS = 8  # of the four probes that may be under way at either time


def a_byte_at_a_time(connection):
    """A header that would be right some day."""
    text = b"HTTP/1.1 200 OK\r\nX-Padding: " + b"a" * 6000
    connection.settimeout(1)
    for byte in text:
        connection.sendall(bytes([byte]))
        try:
            if connection.recv(4096) == b"":
                return
        except TimeoutError:
            continue


def endless(head, piece):
    def talk(connection):
        connection.sendall(head)
        while True:
            connection.sendall(piece)
    return talk


def reset(connection):
    """Closing with something unread resets the connection."""
    while not connection.recv(1):
        pass


HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNK = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
# Who does what, and what the daemon says of it.
CASES = {
    "silence, slowness, an endless body and a reset": (
        {"be1": servers.say_nothing, "be2": a_byte_at_a_time, "be3": endless(HEAD, CHUNK), "be4": reset},
        {"be1": f"no answer within {process.paced('200 ms')}, while waiting for the answer",
         "be2": f"no answer within {process.paced('200 ms')}, while waiting for the answer",
         "be3": 'body has no "well" in its first 64 KiB',
         "be4": "connection reset by peer, while (sending|waiting for the answer)"}),
    "an endless header, endless interim answers, a huge chunk and no HTTP": (
        {"be1": endless(b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n" * 100),
         "be2": endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100),
         "be3": endless(HEAD + b"ffffffffffffffff\r\n", b"x" * 65536),
         "be4": endless(b"", bytes(range(256)))},
        {"be1": "the answer's header is over 8 KiB",
         "be2": "too many interim answers, status 103",
         "be3": 'body has no "well" in its first 64 KiB|the answer is not HTTP: .*',
         "be4": "the answer is not HTTP: .*|the answer's header is over 8 KiB"}),
}


def descriptors(daemon):
    """Those that probes open, or may have: all but BPF programs (see test_descriptors.py)."""
    return sum(number for kind, number in daemon.descriptors().items() if kind != "anon_inode:bpf-prog")


def failed(daemon):
    return {name: backend["checks"][0]["failed"] for name, backend in daemon.backends().items()}


def wait_for_failures(daemon, number):
    """That many more of each backend."""
    before = failed(daemon)

    def reached():
        now = failed(daemon)
        return all(now[name] >= before[name] + number for name in now)
    process.wait_until(reached, f"{number} more probes have failed everywhere\n{before}", 60, 0.1)


@pytest.mark.parametrize("case", CASES)
def test_hostile_servers_are_down_and_cost_neither_memory_nor_descriptors(lab, start, case):
    behaviour, said = CASES[case]
    listeners = [servers.TcpServer(lab, name, PORT, talk) for name, talk in behaviour.items()]
    try:
        settings = config(lab)
        settings["pools"][0]["checks"] = [
            {"type": "http", "port": PORT, "body": "well", "rise": 1, "fall": 2,
             "interval": process.paced("200ms"), "timeout": process.paced("200ms")}]
        daemon = start(settings, wrapper=[sys.executable, SMALL_PAGES])
        for name in behaviour:
            down = daemon.wait_backend(name, health="down", went_up=0)
            assert re.fullmatch(said[name], down["checks"][0]["last"]), (name, down["checks"][0]["last"])
        wait_for_failures(daemon, 10)
        memory, files = daemon.resident_kib(), descriptors(daemon)
        wait_for_failures(daemon, MORE_PROBES)
        assert daemon.resident_kib() - memory < MAX_GROWTH_KIB
        assert descriptors(daemon) - files <= MAX_MORE_DESCRIPTORS
        assert [backend["checks"][0]["passed"] for backend in daemon.backends().values()] == [0] * 4
    finally:
        for listener in listeners:
            listener.close()
