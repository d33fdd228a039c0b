"""Traffic of the lab's client while something is done to the load balancers: long downloads, and
fresh connections one after the other, all counted. And a way around the router's routes."""
import contextlib
import http.client
import itertools
import threading
import time

from support import fetch
from support.downloads import Downloads
from support.lab import VIP

_LED_PORTS, _LED_TABLE = (10000, 19999), 77  # no port is drawn from there
_PAUSE_SECONDS = 0.002  # between two connections
_ports = itertools.count(20000)
_led_ports = itertools.cycle(range(_LED_PORTS[0], _LED_PORTS[1] + 1))


def some_ports(number):
    """Source ports that this process has not used, so that each flow is a new one."""
    return [next(_ports) for _ in range(number)]


def measured(what, value):
    """A number for a person to read (pytest -s)."""
    print(f"\n    {what}: {value:.2f} s" if isinstance(value, float) else f"\n    {what}: {value}",
          end="", flush=True)


class Fresh:
    """Connections with one request each, one after the other, in a thread. `answered`: how many;
    `failures`: (monotonic time of the beginning, what went wrong); `longest_seconds`: of one that
    was answered. `ports`: to come from, one after the other; None: whichever is free."""

    def __init__(self, lab, address=VIP, timeout=15.0, ports=None):
        self._lab, self._address, self._timeout, self._ports = lab, address, timeout, ports
        self.answered, self.failures, self.longest_seconds = 0, [], 0.0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ending.set()
        self._thread.join()

    def _run(self):
        while not self._ending.is_set():
            begun = time.monotonic()
            try:
                self._one()
            except (OSError, http.client.HTTPException, AssertionError) as failure:
                self.failures.append((begun, repr(failure)))
            else:
                self.answered += 1
                self.longest_seconds = max(self.longest_seconds, time.monotonic() - begun)
            self._ending.wait(_PAUSE_SECONDS)

    def _one(self):
        port = next(self._ports) if self._ports else 0
        with fetch.connect(self._lab, port, self._timeout, self._address) as sock:
            connection = http.client.HTTPConnection(self._address)
            connection.sock = sock.dup()
            connection.request("GET", "/", headers={"Connection": "close"})
            assert connection.getresponse().read().startswith(b"backend ")
            sock.recv(1)  # the server's end of the connection: it closes first
            connection.close()

    def failed_after(self, moment):
        """What went wrong with those that began later than this."""
        return [what for begun, what in self.failures if begun > moment]


class Load:
    """Downloads and fresh connections through the VIP, for as long as the block lasts."""

    def __init__(self, lab, downloads=24):
        self.downloads = Downloads(lab, some_ports(downloads))
        self.fresh = Fresh(lab)

    def __enter__(self):
        self.downloads.__enter__()
        self.fresh.__enter__()
        return self

    def __exit__(self, *reason):
        self.fresh.__exit__(*reason)
        self.downloads.__exit__(*reason)

    def assert_whole(self):
        """Nothing was lost: every download is right to the end, every connection was answered."""
        assert self.downloads.broken() == []
        assert self.fresh.failures == []
        assert self.fresh.answered > 0

    def tell(self):
        measured("downloads, the longest pause", self.downloads.longest_pause_seconds())
        measured("fresh connections", f"{self.fresh.answered} answered, the longest in "
                 f"{self.fresh.longest_seconds:.2f} s; {len(self.fresh.failures)} failed")


@contextlib.contextmanager
def led_to(lab, node, vip=VIP):
    """The router sends what comes for the VIP from some ports of the client to one load balancer,
    whatever the routes are. Yields these ports."""
    rule = (f"priority 100 to {vip}/32 ipproto tcp sport {_LED_PORTS[0]}-{_LED_PORTS[1]} "
            f"lookup {_LED_TABLE}")
    lab.ip("router", f"route replace {vip}/32 via {lab.lb(node).address} table {_LED_TABLE}",
           f"rule add {rule}")
    try:
        yield _led_ports
    finally:
        lab.ip("router", f"rule del {rule}", f"route del {vip}/32 table {_LED_TABLE}")
