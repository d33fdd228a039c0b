"""HTTP from the lab's client, with the source port in the caller's hand."""
import collections
import concurrent.futures
import contextlib
import hashlib
import http.client
import socket
import threading

from support import lab as lab_module
from support import process

Page = collections.namedtuple("Page", "port status body")


def connect(lab, port=0, timeout=15.0, address=lab_module.VIP, to_port=80):
    """A TCP connection from the client's address and `port` (0: any)."""
    with lab.inside("client"):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.settimeout(process.patient(timeout))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((lab_module.CLIENT, port))
        sock.connect((address, to_port))
    except BaseException:
        sock.close()
        raise
    return sock


class Session:
    """One connection with keep-alive: several requests in turn."""

    def __init__(self, lab, port=0, timeout=15.0):
        self.socket = connect(lab, port, timeout)
        self.port = self.socket.getsockname()[1]
        self._connection = http.client.HTTPConnection(lab_module.VIP)
        self._connection.sock = self.socket.dup()  # http.client closes its own after the last answer

    def request(self, path="/", method="GET", body=None, close=False):
        self._connection.request(method, path, body, {"Connection": "close" if close else "keep-alive"})
        response = self._connection.getresponse()
        return Page(self.port, response.status, response.read())

    def close(self):
        self._connection.close()
        self.socket.close()


def _request(lab, path, port, method="GET", body=None, timeout=15.0):
    """One request, after which the server has closed its end: (session, page)."""
    session = Session(lab, port, timeout)
    try:
        page = session.request(path, method, body, close=True)
        session.socket.recv(1)  # the server's end of the connection
        return session, page
    except BaseException:
        session.close()
        raise


def fetch(lab, path="/", port=0, method="GET", body=None, timeout=15.0):
    """One request on a connection of its own. The server closes first, so that the client's port is
    free at once and can be used again."""
    session, page = _request(lab, path, port, method, body, timeout)
    session.close()
    return page


def fetch_all(lab, ports, path="/", threads=16):
    """One request from each port, several at a time; the pages in the order of `ports`. No port
    sends anything afterwards."""
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        done = list(pool.map(lambda port: _request(lab, path, port), ports))
    close_all(lab, [session for session, _ in done])
    return [page for _, page in done]


def close_all(lab, sessions):
    """Closes connections that their server has closed, once it knows that we know. What it repeated
    later would be answered by a reset, from no socket: the kernel hashes such a packet otherwise
    than those of the connection, so that it takes another queue, and may take another load
    balancer, where a NIC and a router with hashes of their own would let it follow the others."""
    ports = {session.port for session in sessions}
    with contextlib.suppress(process.DeadlineExpired):
        process.wait_until(lambda: not _may_repeat(lab, ports), "servers have our acknowledgements", 3)
    for session in sessions:
        session.close()


def _may_repeat(lab, ports):
    """Whether a backend has a connection from one of these ports whose end is not acknowledged."""
    fin_wait_1 = "04"
    for backend in lab.backends:
        with lab.inside(backend.name), open("/proc/thread-self/net/tcp", encoding="ascii") as table:
            rows = [line.split() for line in table][1:]
        if any(row[3] == fin_wait_1 and int(row[2].rpartition(":")[2], 16) in ports for row in rows):
            return True
    return False


def fields(page):
    """The lines of the small page as {"backend": .., "client": ..}."""
    return dict(line.split(" ", 1) for line in page.body.decode().splitlines())


def backend_of(page):
    return fields(page)["backend"]


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Traffic:
    """Requests that go on in the background until `stop`, which returns how many were answered
    rightly and what went wrong with the others."""

    def __init__(self, lab, timeout=15.0):
        self._lab, self._timeout = lab, timeout
        self._ending = threading.Event()
        self.answered, self.failures = 0, []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._ending.is_set():
            try:
                page = fetch(self._lab, timeout=self._timeout)
                assert page.status == 200, page
                self.answered += 1
            except (OSError, http.client.HTTPException, AssertionError) as failure:
                self.failures.append(repr(failure))

    def stop(self):
        self._ending.set()
        self._thread.join()
        return self.answered, self.failures
