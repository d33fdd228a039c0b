"""Downloads through the VIP that last for as long as a test needs them to, and tell in the end what
became of each: whether it was broken, and by what, from which backend it came, and how long it had
to wait.

    with Downloads(lab, range(20000, 20050)) as running:
        ..                                       # kill something
    assert running.broken() == []
    assert running.longest_pause_seconds() < 5

Each is one TCP connection that asks its backend's nginx for /own.bin again and again. The content
differs from backend to backend, and every byte is compared. The reader reads slowly, by a clock, with
a small buffer, so that packets are on their way all the time."""
import collections
import contextlib
import socket
import threading
import time

from support import fetch, process, webserver
from support import lab as lab_module

_TICK_SECONDS = 0.02
_BUFFER_BYTES = 16384
_MOST_HEADER_BYTES = 4096
_NAMED_BY_BYTES = 32  # the beginning of a page, by which its backend is recognised
PIECE = 50_000  # bytes that each download has to get after a change, before the next


def _request(path, connection):
    return f"GET {path} HTTP/1.1\r\nHost: {lab_module.VIP}\r\nConnection: {connection}\r\n\r\n".encode()


class Broken(Exception):
    """What came is not what had to come."""


class Download:
    """One connection. `backend`: its name; `bytes`: how many of the pages came, and were right;
    `failure`: what broke it, None: nothing; `complete`: it ended when the test wished, with its last
    page whole; `longest_pause_seconds`: the longest time between two reads that got something.

    Threads: that of Downloads alone, until it has ended."""

    def __init__(self, lab, port, to_port, ending):
        self.port, self.backend, self.bytes, self.failure, self.complete = port, None, 0, None, False
        self.longest_pause_seconds = 0.0
        self._pages = {backend.name: webserver.own_file(backend.name) for backend in lab.backends}
        self._ending = ending
        self._socket = _connect(lab, port, to_port)
        self._read_at = time.monotonic()
        self._conversation = self._converse()

    def begin(self):
        """Sends the first request."""
        self._read_at = time.monotonic()
        try:
            next(self._conversation)
        except OSError as failure:
            self._fail(repr(failure))

    @property
    def done(self):
        return self.complete or self.failure is not None

    def step(self, most_bytes, patience_seconds):
        """Takes what has come, `most_bytes` at most, and goes on from there."""
        waited = time.monotonic() - self._read_at
        try:
            data = self._socket.recv(most_bytes)
            self._read_at += waited
            self.longest_pause_seconds = max(self.longest_pause_seconds, waited)
            self._conversation.send(data)
        except StopIteration:
            self.complete = True
        except BlockingIOError:
            if waited > patience_seconds:
                self._fail(f"nothing came for {waited:.1f} s")
        except Broken as failure:
            self._fail(str(failure))
        except OSError as failure:
            self._fail(repr(failure))

    def _fail(self, what):
        self.failure = f"port {self.port} from {self.backend}, after {self.bytes} bytes: {what}"

    def close(self):
        self._socket.close()

    # ---- the conversation: yields where it needs bytes, which step() sends in -------------------

    def _converse(self):
        while not self._ending.is_set():
            yield from self._page()
        self._socket.send(_request("/", "close"))
        length, data = yield from self._header()
        while len(data) < length:
            data += yield from self._some()
        if not data.startswith(f"backend {self.backend}\n".encode()):
            raise Broken(f"the last page is {data[:40]!r}")
        if (yield):
            raise Broken("bytes came after the last page")

    def _page(self):
        self._socket.send(_request("/own.bin", "keep-alive"))
        length, data = yield from self._header()
        while len(data) < _NAMED_BY_BYTES:
            data += yield from self._some()
        self._recognise(data)
        at = 0
        while True:
            self._compare(at, data)
            at += len(data)
            if at >= length:
                return
            data = yield from self._some()

    def _header(self):
        """(length of the page, what has come of it already)"""
        data = b""
        while b"\r\n\r\n" not in data:
            data += yield from self._some()
            if len(data) > _MOST_HEADER_BYTES + _BUFFER_BYTES:
                raise Broken(f"no end of the header that begins with {data[:40]!r}")
        head, _, rest = data.partition(b"\r\n\r\n")
        lines = head.decode(errors="replace").lower().split("\r\n")
        lengths = [int(line.split(":")[1]) for line in lines if line.startswith("content-length:")]
        if not lines[0].startswith("http/1.1 200 ") or len(lengths) != 1:
            raise Broken(f"answered with {lines}")
        return lengths[0], rest

    def _some(self):
        data = yield
        if not data:
            raise Broken("closed by the server")
        return data

    def _recognise(self, data):
        name = next((name for name, page in self._pages.items()
                     if page.startswith(data[:_NAMED_BY_BYTES])), None)
        if name is None or self.backend not in (None, name):
            raise Broken(f"a page of {name or 'no backend'}")
        self.backend = name

    def _compare(self, at, data):
        expected = self._pages[self.backend][at:at + len(data)]
        if data != expected:
            raise Broken(f"bytes {at} to {at + len(data)} of /own.bin are not those of {self.backend}")
        self.bytes += len(data)


def _connect(lab, port, to_port):
    with lab.inside("client"):
        sock = socket.socket()
    try:
        sock.settimeout(process.patient(15))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)  # counts before connect()
        sock.bind((lab_module.CLIENT, port))
        sock.connect((lab_module.VIP, to_port))
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock


class Downloads:
    """A Download from each port, from the beginning to the end of a `with` block. All have the name
    of a backend when the block begins. At its end each reads its page to the end, as fast as it
    comes, and is closed by the server.

    `bytes_per_second` is of each connection; one that gets nothing for `patience_seconds` is broken."""

    def __init__(self, lab, ports, bytes_per_second=50_000, patience_seconds=30.0, to_port=80):
        self._lab, self._ports, self._to_port = lab, list(ports), to_port
        self._quota = max(1, int(bytes_per_second * _TICK_SECONDS))
        self._patience = process.patient(patience_seconds)
        self._ending, self._thread, self.all = threading.Event(), None, []

    def __enter__(self):
        try:
            for port in self._ports:
                self.all.append(Download(self._lab, port, self._to_port, self._ending))
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
            process.wait_until(lambda: all(one.backend or one.done for one in self.all),
                               "every download has begun", 30)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_):
        self._stop()

    def _run(self):
        for one in self.all:
            one.begin()
        while not self._ending.wait(_TICK_SECONDS):
            self._round(self._quota)
        # To the end of what was begun, at full speed; the pause is for the packets to come.
        while self._round(1 << 20):
            time.sleep(_TICK_SECONDS / 10)

    def _round(self, quota):
        """One step of each that is not done; whether there is any left."""
        left = [one for one in self.all if not one.done]
        for one in left:
            one.step(quota, self._patience)
        return bool(left)

    def _stop(self):
        self._ending.set()
        if self._thread is not None:
            self._thread.join()
        fetch.close_all(self._lab, self.all)

    def broken(self):
        """What broke those that are broken, one line each."""
        return [one.failure for one in self.all if one.failure]

    def complete(self):
        return [one for one in self.all if one.complete]

    def bytes(self):
        return sum(one.bytes for one in self.all)

    def longest_pause_seconds(self):
        return max(one.longest_pause_seconds for one in self.all)

    def by_backend(self):
        """{"be1": how many downloads, ..}"""
        return collections.Counter(one.backend for one in self.all)

    def wait_bytes(self, more, seconds=30.0):
        """Until each that is not broken has got this many bytes more than now."""
        goal = {one.port: one.bytes + more for one in self.all}
        process.wait_until(lambda: all(one.failure or one.bytes >= goal[one.port] for one in self.all),
                           f"{more} more bytes on every download", seconds)


@contextlib.contextmanager
def unbroken_downloads(lab, what, first_port, number=60, patience_seconds=30.0):
    """Downloads from so many ports around a block that does something to the load balancers. Each gets
    another PIECE behind it, and none may be broken; tells so, and the longest pause."""
    ports = range(first_port, first_port + number)
    with Downloads(lab, ports, patience_seconds=patience_seconds) as running:
        yield running
        running.wait_bytes(PIECE)
    assert running.broken() == []
    assert len(running.complete()) == number
    print(f"{what}: {number} downloads, none broken; longest pause {running.longest_pause_seconds():.2f} s")
