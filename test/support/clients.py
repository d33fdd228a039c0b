"""Clients of the VIP that go on for long and count everything: sessions with keep-alive, and flows
of UDP."""
import contextlib
import http.client
import socket
import threading
import time

from support import fetch, process
from support import lab as lab_module


class LongSession:
    """Requests on one connection, again and again in a thread, until it breaks or is stopped.
    `backends`: who has answered; `answered`: how often; `failure`: what broke it, None: nothing."""

    PAUSE = 0.02  # between two requests

    def __init__(self, lab, port, timeout=15.0):
        self.port, self.answered, self.backends, self.failure = port, 0, set(), None
        self._session = fetch.Session(lab, port, timeout)
        self._ending = threading.Event()
        self._request()
        self.backend = next(iter(self.backends))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _request(self, close=False):
        page = self._session.request(close=close)
        assert page.status == 200, page
        self.backends.add(fetch.backend_of(page))
        self.answered += 1

    def _run(self):
        try:
            while not self._ending.wait(self.PAUSE):
                self._request()
            self._request(close=True)
        except (OSError, http.client.HTTPException, AssertionError) as failure:
            self.failure = repr(failure)

    def finish(self):
        """No more requests; the connection is closed by its server. To be called for all sessions
        before their sockets go: fetch.close_all()."""
        self._ending.set()
        self._thread.join()
        return self._session


@contextlib.contextmanager
def long_sessions(lab, ports, timeout=15.0):
    """A LongSession from each port."""
    sessions = []
    try:
        for port in ports:
            sessions.append(LongSession(lab, port, timeout))
        yield sessions
    finally:
        fetch.close_all(lab, [session.finish() for session in sessions])


def by_backend(sessions):
    found = {}
    for session in sessions:
        found.setdefault(session.backend, []).append(session)
    return found


class SlowDownload:
    """A download that goes on as fast as the test reads it: little fits on the way. From a server
    that has Content-Length and closes."""

    def __init__(self, lab, path, port=0):
        with lab.inside("client"):
            self._socket = socket.socket()
        self._socket.settimeout(process.patient(15))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        self._socket.bind((lab_module.CLIENT, port))
        self._socket.connect((lab_module.VIP, 80))
        self.port = self._socket.getsockname()[1]
        request = f"GET {path} HTTP/1.1\r\nHost: {lab_module.VIP}\r\nConnection: close\r\n\r\n"
        self._socket.sendall(request.encode())
        self._response = http.client.HTTPResponse(self._socket)
        self._response.begin()
        self.data = b""

    def read(self, size):
        self.data += self._response.read(size)

    def read_to_end(self):
        self.data += self._response.read()
        self._response.close()
        self._socket.close()


class UdpFlow:
    """A socket of the client that asks the VIP from one port."""

    def __init__(self, lab, port, to_port):
        with lab.inside("client"):
            self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.bind((lab_module.CLIENT, port))
        self._socket.connect((lab_module.VIP, to_port))
        self.port = port

    def ask(self, datagram=b"who?", seconds=5.0):
        """The answer to this datagram. Asks again until there is one: UDP may lose it."""
        seconds = process.patient(seconds)
        deadline = time.monotonic() + seconds
        self._socket.settimeout(process.patient(0.5))
        while True:
            with contextlib.suppress(TimeoutError, ConnectionRefusedError):
                self._socket.send(datagram)
                return self._socket.recv(65536)
            assert time.monotonic() < deadline, f"no answer to port {self.port} in {seconds:g} s"

    def close(self):
        self._socket.close()
