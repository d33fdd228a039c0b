"""Reloads of a large configuration while packets flow: what is not concerned notices nothing.

A thousand services share a hundred pools with ten thousand backends. All but three of these are
addresses behind the router that do not exist, and nobody sends to their services. The three real
ones serve the VIP, in a pool of their own."""
import copy
import threading
import time

import pytest

from support import fetch, process
from support.daemon import config
from support.lab import VIP
from support.reload import program_id, reload, workers
from support.stream import Stream

POOLS, BACKENDS_PER_POOL, SERVICES = 99, 100, 998
STREAM_PORT = 9000
ROUNDS = 2
PATIENCE_SECONDS = 30.0


def backend_address(pool, number):
    index = pool * 256 + number
    return f"10.78.{index // 256}.{1 + index % 256}"


def service(number, pool):
    return {"vip": f"192.0.2.{1 + number % 200}", "ports": [f"tcp/{1000 + number // 200}"],
            "pool": f"pool{pool}"}


def large(lab):
    """The whole configuration, as plain values."""
    settings = config(lab, ports=["tcp/80", f"udp/{STREAM_PORT}"])
    settings["pools"] += [{"name": f"pool{pool}", "table_size": 65537,
                           "backends": [{"address": backend_address(pool, number), "weight": 1}
                                        for number in range(BACKENDS_PER_POOL)]}
                          for pool in range(POOLS)]
    settings["services"] += [service(number, number % POOLS) for number in range(SERVICES)]
    return settings


# ---- changes: of settings as they are, in place ------------------------------------------------


def remove_services(settings):
    del settings["services"][500:600]


def add_services(settings):
    settings["services"] += [service(number, 0) for number in range(SERVICES, SERVICES + 100)]


def give_services_other_pools(settings):
    for number, one in enumerate(settings["services"][1:301]):
        one["pool"] = f"pool{(number * 7 + 3) % POOLS}"


def remove_backends(settings):
    for pool in settings["pools"][1:40]:
        del pool["backends"][10:30]


def add_backends(settings):
    for number, pool in enumerate(settings["pools"][1:40]):
        pool["backends"] += [{"address": backend_address(number, 200 + one), "weight": 2}
                             for one in range(20)]


def change_weights(settings):
    for pool in settings["pools"][1:]:
        for number, backend in enumerate(pool["backends"]):
            backend["weight"] = number % 5


def add_a_pool_in_front(settings):
    """So that the real pool has another position in the list."""
    settings["pools"].insert(0, {"name": "front", "backends": [backend_address(200, 1)]})
    settings["services"].insert(0, {"vip": "192.0.2.250", "ports": ["tcp/1"], "pool": "front"})


def remove_pools(settings):
    gone = {pool["name"] for pool in settings["pools"][-20:]}
    del settings["pools"][-20:]
    settings["services"] = [one for one in settings["services"] if one["pool"] not in gone]


CHANGES = [remove_services, add_services, give_services_other_pools, remove_backends, add_backends,
           change_weights, add_a_pool_in_front, remove_pools]


# ---- traffic -------------------------------------------------------------------------------------


class Sessions:
    """Connections that stay open, each asking again and again; `stop` returns what went wrong."""

    def __init__(self, lab, ports):
        self._sessions = [fetch.Session(lab, port) for port in ports]
        self.backends = [fetch.backend_of(session.request()) for session in self._sessions]
        self.answered, self._wrong = 0, []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._ending.wait(0.01):
            for session, backend in zip(self._sessions, self.backends, strict=True):
                try:
                    now = fetch.backend_of(session.request())
                except Exception as failure:
                    self._wrong.append(f"port {session.port}: {failure!r}")
                    return
                self.answered += 1
                if now != backend:
                    self._wrong.append(f"port {session.port}: {backend}, then {now}")

    def stop(self, lab):
        self._ending.set()
        self._thread.join()
        for session in self._sessions if not self._wrong else []:
            session.request(close=True)
        fetch.close_all(lab, self._sessions)
        return self._wrong


@pytest.fixture(scope="module", autouse=True)
def nowhere(lab):
    """The router has a route for the backends that do not exist."""
    lab.ip("router", "route add blackhole 10.78.0.0/16")
    yield
    lab.ip("router", "route delete blackhole 10.78.0.0/16")


def wait_resolved(daemon):
    def resolved():
        return {backend["next_hop"] for pool in daemon.status()["pools"]
                for backend in pool["backends"]} == {"resolved"}
    process.wait_until(resolved, "next hops are resolved", 30, interval=0.2)


def test_not_one_packet_is_lost_or_moved_while_everything_else_changes(lab, new_daemon):
    settings = large(lab)
    daemon = new_daemon(settings).start().wait_ready(PATIENCE_SECONDS)
    wait_resolved(daemon)
    status = daemon.status()
    assert (len(status["pools"]), len(status["services"])) == (POOLS + 1, SERVICES + 2)
    assert sum(len(pool["backends"]) for pool in status["pools"]) == POOLS * BACKENDS_PER_POOL + 3
    threads, program = workers(daemon), program_id(lab)

    stream = Stream(lab, STREAM_PORT, flows=64, pps=2000)
    sessions = Sessions(lab, range(20000, 20012))
    traffic = fetch.Traffic(lab)
    for change in [*CHANGES, None] * ROUNDS:
        # Each reload finds traffic that goes on.
        wanted = stream.total() + 200
        process.wait_until(lambda wanted=wanted: stream.total() >= wanted, "the stream goes on", 30)
        settings = copy.deepcopy(settings) if change else large(lab)
        if change:
            change(settings)
        took = timed_reload(daemon, settings)
        print(f"{change.__name__ if change else 'all of it back'}: {took:.2f} s")
    assert traffic_went_well(traffic)
    assert (sessions.stop(lab), len(set(sessions.backends))) == ([], 3)
    assert sessions.answered > 0

    stream.stop()
    assert stream.lost() == []
    assert stream.moved() == []
    assert len(stream.backends()) == 3
    assert (workers(daemon), program_id(lab)) == (threads, program)
    held_to_account(daemon, stream)
    assert daemon.stop() == 0


def timed_reload(daemon, settings):
    """How long the answer took. Speed is not asserted, only that there is an end."""
    before = time.monotonic()
    outcome = reload(daemon, settings)
    took = time.monotonic() - before
    assert outcome["changes"] and took < PATIENCE_SECONDS
    return took


def traffic_went_well(traffic):
    answered, failures = traffic.stop()
    assert failures == []
    return answered > 0


def held_to_account(daemon, stream):
    """All laws hold, and the sockets have refused nothing."""
    status = daemon.settle(10.0)
    assert status["reloads"]["succeeded"] == ROUNDS * (len(CHANGES) + 1)
    totals = status["totals"]
    assert totals["dropped"] == 0 and totals["flow_moved"] == 0
    for queue in status["interfaces"][0]["queues"]:
        assert (queue["socket"]["rx_dropped"], queue["socket"]["rx_ring_full"]) == (0, 0)
        assert queue["worker"]["transmitted"] > 0
    by_port = {(one["vip"], one["port"]): one["forwarded_packets"] for one in status["services"]}
    assert by_port[VIP, STREAM_PORT] == stream.total()
