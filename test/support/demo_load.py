"""The load of the demonstration: several clients with long sessions, long downloads and connections
that are new all the time, and a ledger of what became of every single one.

    begun     the first answer has come, and said which backend it is
    finished  every answer came, whole
    broken    ended by the other side before that
    refused   no connection could be made
    moved     another backend answered than before on the same connection

What became of a connection before its first answer has no backend: only the daemon knows it."""
import collections
import contextlib
import http.client
import itertools
import random
import socket
import threading
import time

from support import process
from support.fetch import sha256
from support.lab import CLIENT, VIP

CLIENTS = (CLIENT, "203.0.113.11", "203.0.113.12")
SESSIONS, DOWNLOADS, NEW = KINDS = ("sessions", "downloads", "new connections")
SESSIONS_EACH = 4  # on each backend
_DOWNLOADS_OF_CLIENT = 3
_SESSION_PAUSE_SECONDS = 0.1
_NEW_PAUSE_SECONDS = 0.02
# More than a kernel takes over from a server that dies: what is in its send buffer still arrives.
_FILE_BYTES = 12 << 20
_PIECE_BYTES = 128 << 10
_PIECE_PAUSE_SECONDS = 0.03  # a download takes three seconds or so
_PATIENCE_SECONDS = 5.0
# Each connection has a port of its own, so that none meets what is left of an earlier one.
_PORTS = itertools.count(33000)
_BROKEN = (OSError, http.client.HTTPException)

# `begun_at`: when the connection was tried for.
Event = collections.namedtuple("Event", "kind what backend begun_at")


class Ledger:
    """All that happened, in order. Any thread may add and ask."""

    def __init__(self):
        self._lock = threading.Lock()
        self._events = []

    def add(self, kind, what, backend, begun_at):
        with self._lock:
            self._events.append(Event(kind, what, backend, begun_at))

    def mark(self):
        """Now, for since()."""
        with self._lock:
            return len(self._events)

    def since(self, mark=0, kind=None, what=None):
        with self._lock:
            events = self._events[mark:]
        return [event for event in events if kind in (None, event.kind) and what in (None, event.what)]

    def open(self, kind, backend=None):
        """Connections that have begun and not ended yet."""
        events = [event for event in self.since(kind=kind)
                  if event.backend and backend in (None, event.backend)]
        return sum(1 if event.what == "begun" else -1 for event in events)

    def table(self, mark):
        """What happened since `mark`, in lines."""
        columns = ("begun", "finished", "broken", "refused", "moved")
        lines = [f"{'connections':<17}{'open':>6}" + "".join(f"{column:>10}" for column in columns)]
        for kind in KINDS:
            events = self.since(mark, kind)
            happened = collections.Counter(event.what for event in events)
            broken = collections.Counter(event.backend or "before the first answer"
                                         for event in events if event.what == "broken")
            where = ", ".join(f"{name} {number}" for name, number in sorted(broken.items()))
            now_open = "" if kind == NEW else self.open(kind)
            lines.append(f"{kind:<17}{now_open:>6}" + "".join(f"{happened[column]:>10}" for column in columns)
                         + (f"   broken: {where}" if where else ""))
        return "\n".join(lines)


class _Connection:
    """Requests in turn on one connection of one client."""

    def __init__(self, lab, client, address=VIP, receive_bytes=None):
        with lab.inside("client"):
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.settimeout(_PATIENCE_SECONDS)
            if receive_bytes:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
            sock.bind((client, next(_PORTS)))
            sock.connect((address, 80))
        except BaseException:
            sock.close()
            raise
        self._http = http.client.HTTPConnection(address)
        self._http.sock = sock

    def ask(self, path, last=False):
        self._http.request("GET", path, headers={"Connection": "close" if last else "keep-alive"})
        response = self._http.getresponse()
        if response.status != 200:
            raise http.client.HTTPException(f"status {response.status}")
        return response

    def backend(self, last=False):
        """Who answers the small page."""
        return self.ask("/", last).read().decode().partition("\n")[0].removeprefix("backend ")

    def close(self):
        self._http.close()


def backend_at(lab, address):
    """The backend that a new connection to this VIP is given."""
    with contextlib.closing(_Connection(lab, CLIENT, address)) as connection:
        return connection.backend(last=True)


class Load:
    """From the start to stop(), which ends each connection in order."""

    def __init__(self, lab):
        self._lab = lab
        self._sha256 = self._write_files()
        self._ending = threading.Event()
        self._threads = []
        self.ledger = Ledger()
        lab.ip("client", *(f"address add {client}/24 dev net0" for client in CLIENTS if client != CLIENT))
        self.fill_sessions()
        for client in CLIENTS:
            self._start(self._run_new, client)
            for _ in range(_DOWNLOADS_OF_CLIENT):
                self._start(self._run_downloads, client)

    def _write_files(self):
        """The file of the downloads, the same on every backend; returns its hash."""
        content = random.Random(1).randbytes(_FILE_BYTES)
        for backend in self._lab.backends:
            (self._lab.node_folder(backend.name) / "www" / "long.bin").write_bytes(content)
        return sha256(content)

    def _start(self, run, *arguments):
        thread = threading.Thread(target=run, args=arguments, daemon=True)
        thread.start()
        self._threads.append(thread)

    # ---- sessions ------------------------------------------------------------------------------

    def fill_sessions(self):
        """As many sessions on each backend as there are to be. Connections that fall to a backend
        that has enough are ended again."""
        missing = {backend.name: SESSIONS_EACH - self.ledger.open(SESSIONS, backend.name)
                   for backend in self._lab.backends}
        deadline = time.monotonic() + 3 * _PATIENCE_SECONDS
        turn = 0
        while any(missing.values()):
            if time.monotonic() > deadline:
                raise process.DeadlineExpired(f"sessions on every backend: still missing {missing}")
            turn += 1
            begun_at = time.monotonic()
            connection = _Connection(self._lab, CLIENTS[turn % len(CLIENTS)])
            backend = connection.backend()
            if not missing[backend]:
                connection.backend(last=True)
                connection.close()
                continue
            missing[backend] -= 1
            self.ledger.add(SESSIONS, "begun", backend, begun_at)
            self._start(self._run_session, connection, backend, begun_at)

    def _run_session(self, connection, backend, begun_at):
        what = None
        with contextlib.closing(connection):
            try:
                while what is None:
                    last = self._ending.wait(_SESSION_PAUSE_SECONDS)
                    if connection.backend(last) != backend:
                        what = "moved"
                    elif last:
                        what = "finished"
            except _BROKEN:
                what = "broken"
        self.ledger.add(SESSIONS, what, backend, begun_at)

    # ---- downloads and new connections -----------------------------------------------------------

    def _run_downloads(self, client):
        while not self._ending.is_set():
            self._once(DOWNLOADS, client, self._download)
            self._ending.wait(_NEW_PAUSE_SECONDS)

    def _run_new(self, client):
        while not self._ending.wait(_NEW_PAUSE_SECONDS):
            self._once(NEW, client, None)

    def _once(self, kind, client, then):
        """One connection from its begin to its end. `then`: what is done after the first answer."""
        begun_at, backend = time.monotonic(), None
        try:
            connection = _Connection(self._lab, client, receive_bytes=_PIECE_BYTES if then else None)
        except OSError:
            self.ledger.add(kind, "refused", None, begun_at)
            return
        with contextlib.closing(connection):
            try:
                backend = connection.backend(last=then is None)
                self.ledger.add(kind, "begun", backend, begun_at)
                if then:
                    then(connection)
                what = "finished"
            except _BROKEN:
                what = "broken"
        self.ledger.add(kind, what, backend, begun_at)

    def _download(self, connection):
        response = connection.ask("/long.bin", last=True)
        data = bytearray()
        while piece := response.read(_PIECE_BYTES):
            data += piece
            if not self._ending.is_set():
                self._ending.wait(_PIECE_PAUSE_SECONDS)
        if sha256(data) != self._sha256:
            raise http.client.HTTPException(f"{len(data)} bytes, not those of the file")

    def stop(self):
        self._ending.set()
        for thread in self._threads:
            thread.join()
