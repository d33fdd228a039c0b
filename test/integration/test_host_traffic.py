"""The host's own traffic on a steered interface: as if Guideway were not there."""
import hashlib
import random
import socket
import threading

import pytest

from support import fetch, process
from support.ping import ping

PORT = 2222
BULK = random.Random(22).randbytes(16 << 20)


@pytest.fixture
def echo_server(lab):
    """On the load balancer's own address: sends back all that it gets, as an SSH session might."""
    with lab.inside("lb1"):
        listener = socket.create_server((lab.lbs[0].address, PORT))

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                while data := connection.recv(1 << 16):
                    connection.sendall(data)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield lab.lbs[0].address
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def there_and_back(lab, address):
    """The hash of what comes back when BULK is sent."""
    digest = hashlib.sha256()
    with fetch.connect(lab, address=address, to_port=PORT) as sock:
        sender = threading.Thread(target=lambda: (sock.sendall(BULK), sock.shutdown(socket.SHUT_WR)))
        sender.start()
        while data := sock.recv(1 << 16):
            digest.update(data)
        sender.join()
    return digest.hexdigest()


def test_bulk_traffic_to_the_host_is_unharmed_beside_vip_traffic(lab, start, echo_server):
    daemon = start()
    pages = fetch.Traffic(lab)
    process.wait_until(lambda: pages.answered > 0, "pages arrive", 15.0)
    received = there_and_back(lab, echo_server)
    so_far = pages.answered
    process.wait_until(lambda: pages.answered > so_far, "pages still arrive", 15.0)
    answered, failures = pages.stop()
    assert received == fetch.sha256(BULK)
    assert failures == []
    steering = daemon.settle()["interfaces"][0]["steering"]
    assert steering["pass_not_vip"] > len(BULK) // 1500
    # Of each page at least SYN, ACK, request and FIN: the ACK of a page that comes with its server's FIN
    # may be that of both.
    assert steering["redirected"] >= 4 * answered


def test_the_host_answers_pings(lab, start):
    start()
    assert ping(lab, lab.lbs[0].address, times=5) == 5


def test_a_connection_to_the_host_outlives_start_and_end_of_the_daemon(lab, start, echo_server):
    with fetch.connect(lab, address=echo_server, to_port=PORT) as session:
        def echoed(word):
            session.sendall(word)
            return session.recv(len(word), socket.MSG_WAITALL) == word

        assert echoed(b"before")
        daemon = start()
        assert echoed(b"while it runs")
        assert daemon.stop() == 0
        assert echoed(b"afterwards")
