"""Reloads that add and remove VIPs, as the router and clients see them: a VIP is steered before its
route appears, and its route is gone before it is steered no more. pytest -s has the numbers."""
import concurrent.futures
import contextlib
import http.client
import os
import select
import signal
import socket
import threading
import time

import pytest

from support import announced, fetch, process, router
from support.announced import route_of, told, wait_established, wait_told
from support.daemon import xdp_programs
from support.fleet import settings
from support.lab import VIP
from support.load import Fresh, led_to, measured
from support.reload import post, reload, write

LAB = {"bgp": True, "lbs": 1, "backends": 2}
PREFIX = f"{VIP}/32"
OTHER_VIP = "198.51.100.2"
OTHER = f"{OTHER_VIP}/32"
WHOLE = "198.51.100.0/24"
PAIR = "198.51.100.2/31"  # OTHER_VIP, and an address that is no VIP
_TOTAL_RETRANSMISSIONS = slice(100, 104)  # of struct tcp_info


@pytest.fixture(scope="module", autouse=True)
def other_vip(lab):
    """Backends have a second VIP, and the router may learn whole ranges."""
    for backend in lab.backends:
        lab.ip(backend.name, f"address add {OTHER_VIP}/32 dev lo")
    router.configure_bird(lab, (r"^define VIPS_4 = .*$", f"define VIPS_4 = [ {WHOLE}{{24,32}} ];"))


@pytest.fixture
def running(lab, start):
    """Starts a daemon with these settings, until its session is up and the router has the route."""
    def begin(wanted=None):
        daemon = start(wanted or settings(lab))
        router.wait_for_routes(lab, VIP, router.addresses(lab))
        wait_established(daemon)
        return daemon
    return begin


@pytest.fixture
def side():
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        yield pool


# ---- a VIP comes and goes -----------------------------------------------------------------------------


class Knocking:
    """A connection to the other VIP every few milliseconds, until the block ends. Without a route they
    are lost, or refused: the router says so only once a second."""

    _PAUSE_SECONDS = 0.004

    def __init__(self, lab):
        self._lab, self._ending, self._tried = lab, threading.Event(), []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ending.set()
        self._thread.join()
        for _, sock in self._tried:
            sock.close()

    def _run(self):
        with self._lab.inside("client"):
            while not self._ending.wait(self._PAUSE_SECONDS):
                sock = socket.socket()
                sock.setblocking(False)
                self._tried.append((time.monotonic(), sock))
                sock.connect_ex((OTHER_VIP, 80))

    def first_after(self, moment, number=20):
        """What became of the first that began after this moment: "connected", if its first packet
        got there; how often that was sent again; or the error."""
        process.wait_until(lambda: sum(begun > moment for begun, _ in self._tried) >= number,
                           f"{number} more knocks", 30)
        return [self._outcome(sock) for begun, sock in list(self._tried) if begun > moment][:number]

    @staticmethod
    def _outcome(sock):
        _, ready, _ = select.select([], [sock], [], 30)
        if error := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            return os.strerror(error)
        again = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)[_TOTAL_RETRANSMISSIONS]
        if ready and again == bytes(4):
            return "connected"
        return f"{'connected' if ready else 'nothing'}, sent again {int.from_bytes(again, 'little')} times"


def test_a_vip_that_a_reload_adds_is_forwarded_the_moment_its_route_is_there(lab, running):
    daemon = running()
    for _ in range(3):
        with router.RouteWatch(lab, OTHER_VIP) as watch, router.RouteWatch(lab, VIP) as old, \
                Knocking(lab) as knocking:
            asked = time.monotonic()
            reload(daemon, settings(lab, vips=(VIP, OTHER_VIP)))
            appeared = watch.wait_for(router.addresses(lab))
            measured("reload that adds a VIP: the router has its route after", appeared - asked)
            assert set(knocking.first_after(appeared)) == {"connected"}
        assert old.hops_that_left() == set(), old.describe()
        reload(daemon, settings(lab))
        router.wait_for_routes(lab, OTHER_VIP, set())
    reload(daemon, settings(lab, vips=(VIP, OTHER_VIP)))  # so that the sum over services is whole


@pytest.mark.parametrize("prefixes", [None, [PAIR]], ids=["by itself", "by a range"])
def test_a_vip_that_a_reload_removes_loses_its_route_first_and_is_forwarded_for_the_drain_time(
        lab, running, side, prefixes):
    """Also where it was the only one of a range that stays in the file."""
    prefix = prefixes[0] if prefixes else OTHER
    both = settings(lab, vips=(VIP, OTHER_VIP), drain="5s", prefixes=prefixes)
    daemon = running(both)
    router.wait_for_routes(lab, prefix, router.addresses(lab))
    without = settings(lab, drain="5s", prefixes=prefixes)
    with led_to(lab, "lb1", OTHER_VIP) as ports, router.RouteWatch(lab, prefix) as watch, \
            router.RouteWatch(lab, VIP) as other:
        asked = time.monotonic()
        done = side.submit(reload, daemon, without)
        gone = watch.wait_for(set())
        measured("reload that removes a VIP: its route is gone after", gone - asked)
        now = wait_told(daemon, lambda now: not route_of(now, prefix)["held"], "it says so")
        route = route_of(now, prefix)
        assert route["state"] == "withdrawn" and "reload" in route["why"], route
        with Fresh(lab, OTHER_VIP, ports=ports) as late:
            process.wait_until(lambda: late.answered >= 20 or late.failures, "it forwards on", 30)
        assert late.failures == [] and not done.done()
        done.result()
        measured("drain 5 s: the reload had ended after", time.monotonic() - asked)
        with pytest.raises(OSError):
            fetch.connect(lab, next(ports), 1, OTHER_VIP)
    assert other.hops_that_left() == set(), other.describe()
    assert "withdrawn; forwarding for 5 s more" in daemon.log()
    assert [one["prefix"] for one in told(daemon)["routes"] if one["held"]] == [PREFIX]
    reload(daemon, {**both, "shutdown": {"drain": "0s"}})  # so that the sum over services is whole


def test_sigterm_in_the_drain_of_a_reload_forwards_what_leaves_to_its_end(lab, running, side):
    daemon = running(settings(lab, vips=(VIP, OTHER_VIP), drain="5s"))
    router.wait_for_routes(lab, OTHER_VIP, router.addresses(lab))
    with led_to(lab, "lb1", OTHER_VIP) as ports, led_to(lab, "lb1") as old_ports:
        write(daemon, settings(lab, drain="5s"))
        done = side.submit(post, daemon)
        router.wait_for_routes(lab, OTHER_VIP, set())
        gone = asked = time.monotonic()
        daemon.child.send_signal(signal.SIGTERM)
        router.wait_for_routes(lab, VIP, set())
        with Fresh(lab, OTHER_VIP, ports=ports) as leaving, Fresh(lab, ports=old_ports) as staying:
            # The drain time of what leaves is over two seconds later.
            process.wait_until(lambda: time.monotonic() > gone + 3, "most of the drain time")
        assert (leaving.failures, staying.failures) == ([], [])
        assert min(leaving.answered, staying.answered) >= 10
        assert daemon.wait(30) == 0, daemon.log()
        measured("SIGTERM in the drain of a reload, 5 s: ended after", time.monotonic() - asked)
    with contextlib.suppress(OSError, http.client.HTTPException):  # its connection may have ended with the daemon
        done.result()
    assert xdp_programs(lab) == {} and announced.paths(lab) == {}


def test_a_second_sigterm_in_the_drain_of_a_reload_ends_at_once(lab, running, side):
    daemon = running(settings(lab, vips=(VIP, OTHER_VIP), drain="1h"))
    router.wait_for_routes(lab, OTHER_VIP, router.addresses(lab))
    write(daemon, settings(lab, drain="1h"))
    daemon.child.send_signal(signal.SIGHUP)
    router.wait_for_routes(lab, OTHER_VIP, set())
    daemon.child.send_signal(signal.SIGTERM)
    router.wait_for_routes(lab, VIP, set())
    daemon.child.send_signal(signal.SIGTERM)
    assert daemon.wait(15) == 0, daemon.log()
    assert xdp_programs(lab) == {} and announced.paths(lab) == {}


def test_a_vip_that_is_announced_by_a_range_instead_is_never_without_a_route(lab, running):
    """And back. It is the same VIP: nothing leaves, so nothing has to be drained."""
    alone, within = settings(lab, drain="1h"), settings(lab, drain="1h", prefixes=[WHOLE])
    daemon = running(alone)
    with Fresh(lab) as fresh:
        for wanted, new, old in ((within, WHOLE, PREFIX), (alone, PREFIX, WHOLE)):
            reload(daemon, wanted)
            router.wait_for_routes(lab, new, router.addresses(lab))
            router.wait_for_routes(lab, old, set())
            announced.wait_paths(lab, "lb1", new)
            process.wait_until(lambda more=fresh.answered + 10: fresh.answered > more or fresh.failures,
                               "it is forwarded", 30)
    assert fresh.failures == []
    reload(daemon, settings(lab))
