"""A route of the router's kernel: its next hops, and every change of them at the time at which it
happened, however short."""
import dataclasses
import ipaddress
import json
import select
import socket
import struct
import threading
import time

from support import netns, process

_RTMGRP_IPV4_ROUTE, _RTMGRP_IPV6_ROUTE = 0x40, 0x400
_RTM_NEWROUTE, _RTM_DELROUTE = 24, 25
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_MULTIPATH, _RTA_TABLE, _RTA_VIA = 1, 4, 5, 9, 15, 18
_TABLE_MAIN = 254
_SO_RCVBUFFORCE = 33
_HEADER = struct.Struct("=IHHII")     # struct nlmsghdr
_ROUTE = struct.Struct("=BBBBBBBBI")  # struct rtmsg
_ATTRIBUTE = struct.Struct("=HH")     # struct rtattr
_NEXT_HOP = struct.Struct("=HBBi")    # struct rtnexthop


def routes(lab, prefix):
    """The next hops of the router's kernel for exactly this prefix, as a set of addresses; empty: no
    route."""
    family = "-6" if ":" in prefix else "-4"
    found = netns.ip("-n", lab.ns("router"), family, "-j", "route", "show", "exact", prefix)
    return {_gateway(hop) for route in json.loads(found or "[]") for hop in route.get("nexthops", [route])}


def _gateway(hop):
    return hop["via"]["host"] if "via" in hop else hop.get("gateway", "on the link")


@dataclasses.dataclass(frozen=True)
class Change:
    at: float         # time.monotonic()
    hops: frozenset   # addresses; empty: there is no route


@dataclasses.dataclass(frozen=True)
class _Message:
    deletes: bool
    prefix: str
    hops: frozenset


def _aligned(length):
    return (length + 3) & ~3


def _attributes(data):
    """{type: payload} of a row of netlink attributes."""
    found, at = {}, 0
    while at + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        found[kind & 0x3FFF] = data[at + _ATTRIBUTE.size:at + length]
        at += _aligned(max(length, _ATTRIBUTE.size))
    return found


def _hop(attributes):
    """Where a next hop leads, as an address. RTA_VIA has its family before it."""
    gateway = attributes.get(_RTA_GATEWAY) or attributes.get(_RTA_VIA, b"")[2:]
    return str(ipaddress.ip_address(gateway)) if gateway else "on the link"


def _hops(attributes):
    data, at, found = attributes.get(_RTA_MULTIPATH, b""), 0, []
    while at + _NEXT_HOP.size <= len(data):
        length = _NEXT_HOP.unpack_from(data, at)[0]
        found.append(_hop(_attributes(data[at + _NEXT_HOP.size:at + length])))
        at += _aligned(length)
    return frozenset(found or [_hop(attributes)])


def parse(datagram):
    """The changes of routes in the main table that a datagram of rtnetlink tells."""
    at = 0
    while at + _HEADER.size <= len(datagram):
        length, kind, *_ = _HEADER.unpack_from(datagram, at)
        if kind in (_RTM_NEWROUTE, _RTM_DELROUTE):
            body = datagram[at + _HEADER.size:at + length]
            family, prefix_length, _, _, table, *_ = _ROUTE.unpack_from(body)
            attributes = _attributes(body[_ROUTE.size:])
            if int.from_bytes(attributes.get(_RTA_TABLE, bytes([table])), "little") == _TABLE_MAIN:
                zeros = bytes(4 if family == socket.AF_INET else 16)
                network = ipaddress.ip_address(attributes.get(_RTA_DST, zeros))
                yield _Message(kind == _RTM_DELROUTE, f"{network}/{prefix_length}", _hops(attributes))
        at += _aligned(length)


class RouteWatch:
    """Records every change of the router's kernel route to `prefix` between the beginning and the end
    of a `with` block. `changes` has them in order; the first is what there was at the beginning.

    For one route to the prefix at a time: two that differ in their metric are told as one.
    Threads: one of its own reads; all methods are the test's."""

    def __init__(self, lab, prefix):
        self._prefix = str(ipaddress.ip_network(prefix))
        self._lab, self._lock, self._ending = lab, threading.Lock(), threading.Event()
        self._changes, self._failure = [], None

    def __enter__(self):
        with self._lab.inside("router"):
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 4 << 20)
        self._socket.bind((0, _RTMGRP_IPV4_ROUTE | _RTMGRP_IPV6_ROUTE))
        self._changes.append(Change(time.monotonic(), frozenset(routes(self._lab, self._prefix))))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ending.set()
        self._thread.join()
        self._take()
        self._socket.close()

    def _run(self):
        while not self._ending.is_set():
            if select.select([self._socket], [], [], 0.05)[0]:
                self._take()

    def _take(self):
        """All that the socket has, at the present time. After the end: nothing."""
        with self._lock:
            try:
                while self._socket.fileno() >= 0:
                    for message in parse(self._socket.recv(1 << 16, socket.MSG_DONTWAIT)):
                        if message.prefix == self._prefix:
                            self._note(message)
            except BlockingIOError:
                pass
            except OSError as failure:  # ENOBUFS: changes were lost, and so is the test
                self._failure = failure

    def _note(self, message):
        before = self._changes[-1].hops
        after = before - message.hops if message.deletes else message.hops
        if after != before:
            self._changes.append(Change(time.monotonic(), after))

    @property
    def changes(self):
        """All changes until now, those included that the kernel has told this moment."""
        self._take()
        assert self._failure is None, f"changes of {self._prefix} were lost: {self._failure!r}"
        return list(self._changes)

    def hops_that_left(self):
        """Next hops that there were at the beginning, or later, and that were missing at some time
        after, if only for a moment."""
        seen, left = set(), set()
        for change in self.changes:
            left |= seen - change.hops
            seen |= change.hops
        return left

    def was_without_route(self):
        """Whether there was no next hop at all at some time after the first."""
        seen = False
        for change in self.changes:
            if seen and not change.hops:
                return True
            seen = seen or bool(change.hops)
        return False

    def seconds_missing(self, hop):
        """How long a next hop was missing, all its absences together, until now."""
        total, since = 0.0, None
        for change in self.changes:
            if hop in change.hops and since is not None:
                total, since = total + change.at - since, None
            elif hop not in change.hops and since is None:
                since = change.at
        return total + (time.monotonic() - since if since is not None else 0.0)

    def wait_for(self, hops, seconds=30.0, after=0.0):
        """Until a change has exactly these next hops, later than the monotonic time `after`; returns
        the time of it."""
        wanted = frozenset(hops)

        def reached():
            return next((change for change in self.changes
                         if change.at >= after and change.hops == wanted), None)
        try:
            return process.wait_until(reached, f"{self._prefix} has the next hops {sorted(wanted)}",
                                      seconds).at
        except process.DeadlineExpired as expired:
            raise AssertionError(f"{expired}; it had {self.describe()}") from None

    def describe(self):
        """The changes for a person to read, in seconds from the beginning."""
        first = self._changes[0].at
        return "; ".join(f"{change.at - first:.3f} s: {' '.join(sorted(change.hops)) or 'none'}"
                         for change in self.changes)
