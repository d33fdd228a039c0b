"""Servers of backends that a test holds in its hand: the nginx of a backend, killed or stopped; TCP
and UDP servers of the test's own threads, which answer as it says and count what they were asked; a
dnsmasq; an nginx with TLS.

Whatever is started here is a context manager, and is gone behind its block."""
import contextlib
import os
import signal
import socket
import threading

from support import netns, process

DNSMASQ = "/usr/sbin/dnsmasq"
_ACCEPT_PAUSE = 0.05


def signal_web_server(lab, name, number):
    """To all processes of the nginx of a backend: a worker outlives its master otherwise."""
    os.killpg(lab.running(name, "nginx")["pid"], number)


def kill_web_server(lab, name):
    """The backend's port 80 is closed afterwards, all its connections are gone."""
    entry = lab.running(name, "nginx")
    signal_web_server(lab, name, signal.SIGKILL)

    def closed():
        with lab.inside(name), socket.socket() as probe:
            return not process.alive(entry) and probe.connect_ex(("127.0.0.1", 80)) != 0
    process.wait_until(closed, f"nginx of {name} is gone")


@contextlib.contextmanager
def killed_web_server(lab, name):
    kill_web_server(lab, name)
    try:
        yield
    finally:
        lab.start_web_server(name)


@contextlib.contextmanager
def frozen_web_server(lab, name):
    """Its connections stay, the kernel takes new ones, and nobody answers."""
    signal_web_server(lab, name, signal.SIGSTOP)
    try:
        yield
    finally:
        signal_web_server(lab, name, signal.SIGCONT)


class TcpServer:
    """Listens at a port of a backend, at all its addresses, and has `talk(connection)` called in a
    thread for each connection, which is closed when that returns. `count`: connections so far."""

    def __init__(self, lab, name, port, talk):
        with lab.inside(name):
            self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("0.0.0.0", port))
        self._listener.listen(1024)
        self._listener.settimeout(_ACCEPT_PAUSE)
        self._talk = talk
        self.stopping = threading.Event()
        self.count = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self.stopping.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = self._listener.accept()
                self.count += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        connection.settimeout(process.patient(10))
        with connection, contextlib.suppress(OSError):
            self._talk(connection)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """No new connections. May be called twice."""
        self.stopping.set()
        self._thread.join()
        self._listener.close()


def say_nothing(connection):
    """Takes what comes until the other side closes. For TcpServer."""
    while connection.recv(65536):
        pass


class HttpServer(TcpServer):
    """`answer()` gives (status, body) for each request; a connection has one."""

    def __init__(self, lab, name, port, answer):
        self._answer = answer
        super().__init__(lab, name, port, self._one_request)

    def _one_request(self, connection):
        request = b""
        while b"\r\n\r\n" not in request:
            piece = connection.recv(4096)
            if not piece:
                return
            request += piece
        status, body = self._answer()
        connection.sendall(b"HTTP/1.1 %d Status\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
                           % (status, len(body), body))


class UdpServer:
    """Answers each datagram with `answer(datagram)`; None: with nothing. `count`: datagrams so far."""

    def __init__(self, lab, name, port, answer, address="0.0.0.0"):
        with lab.inside(name):
            self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.bind((address, port))
        self._socket.settimeout(_ACCEPT_PAUSE)
        self._answer = answer
        self._stopping = threading.Event()
        self.count = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError, ConnectionError):
                datagram, sender = self._socket.recvfrom(65536)
                self.count += 1
                reply = self._answer(datagram)
                if reply is not None:
                    self._socket.sendto(reply, sender)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """May be called twice."""
        self._stopping.set()
        self._thread.join()
        self._socket.close()


@contextlib.contextmanager
def running(lab, name, command, log):
    """A program in the namespace of a node; it is ended by its pid. Yields the Popen."""
    child = process.start(netns.exec_command(lab.ns(name), command), log)
    entry = process.record(child.pid, "server")
    try:
        yield child
    finally:
        process.end_all([entry], 2)
        child.wait()


def dnsmasq(lab, name, port=53):
    """Knows www.example.com, denies all else of example.com, refuses the rest of the world."""
    folder = lab.node_folder(name)
    return running(lab, name, [
        DNSMASQ, "--keep-in-foreground", "--no-resolv", "--no-hosts", "--conf-file=/dev/null",
        "--user=root", f"--pid-file={folder}/dnsmasq.pid", f"--port={port}", "--log-facility=-",
        "--local=/example.com/", "--address=/www.example.com/192.0.2.1"], folder / "dnsmasq.log")
