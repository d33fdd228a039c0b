"""Clients on a path that delays, loses, reorders, doubles and breaks packets: what they ask for arrives
whole, and each connection keeps to its backend, whatever happens to the load balancer meanwhile.

Needs the kernel's netem, and its plug for what is held back."""
import concurrent.futures
import contextlib
import copy
import random

import pytest

from support import downloads, fetch, impaired, process, webserver
from support.daemon import config

UPLOAD_BYTES = 1_500_000
SECONDS = 60.0


@pytest.fixture(scope="module", autouse=True)
def needs_netem(lab):
    if reason := impaired.refusal(lab, "netem"):
        pytest.skip(reason)


def kept_upload(lab, name):
    """The bodies that backends have kept under this name."""
    return [path.read_bytes() for backend in lab.backends
            for path in (lab.node_folder(backend.name) / "upload").glob(name)]


def put(lab, port, body):
    return fetch.fetch(lab, f"/upload/{port}", port, "PUT", body, SECONDS).status


def get(lab, port):
    return fetch.fetch(lab, "/large.bin", port, timeout=SECONDS)


def test_downloads_and_uploads_arrive_whole(lab, start):
    daemon = start()
    body = random.Random(11).randbytes(UPLOAD_BYTES)
    uploads, pages = range(20000, 20003), range(20100, 20103)
    with impaired.RoughPath(lab) as path, concurrent.futures.ThreadPoolExecutor(6) as pool:
        sent = [pool.submit(put, lab, port, body) for port in uploads]
        got = [pool.submit(get, lab, port) for port in pages]
        assert [one.result() for one in sent] == [201] * len(uploads)
        assert {fetch.sha256(one.result().body) for one in got} == {fetch.sha256(webserver.large_file())}
        assert all(lost > 0 for lost in path.lost()), path.lost()
    for port in uploads:
        assert [kept == body for kept in kept_upload(lab, str(port))] == [True]
    assert daemon.settle()["totals"]["flow_moved"] == 0


# ---- a change while packets are on the way -------------------------------------------------------


def two_backends(lab):
    settings = config(lab)
    settings["pools"][0]["backends"].pop()
    return settings


def change_the_pool(lab, daemon, start):
    daemon.reload(config(lab))
    daemon.wait_backend("be3", next_hop="resolved", usable=True)
    assert daemon.backend("be3")["table_entries"] > 0


def drain(lab, daemon, start):
    assert daemon.client("drain", lab.backend("be1").address).returncode == 0
    daemon.wait_backend("be1", drain="operator", table_entries=0)


def restart(lab, daemon, start):
    assert daemon.stop() == 0, daemon.log()
    start(daemon.settings)


@pytest.mark.parametrize("change, port", [(change_the_pool, 21000), (drain, 21100), (restart, 21200)])
def test_connections_keep_to_their_backends_through(lab, start, change, port):
    daemon = start(two_backends(lab))
    body = random.Random(12).randbytes(UPLOAD_BYTES)
    with impaired.RoughPath(lab), concurrent.futures.ThreadPoolExecutor(1) as pool:
        with downloads.unbroken_downloads(lab, change.__name__, port + 1, 8, SECONDS) as running:
            assert set(running.by_backend()) == {"be1", "be2"}
            sent = pool.submit(put, lab, port, body)
            running.wait_bytes(20_000, SECONDS)
            change(lab, daemon, start)
            running.wait_bytes(20_000, SECONDS)
        assert sent.result() == 201
    assert [kept == body for kept in kept_upload(lab, str(port))] == [True]
    if change is not restart:
        assert daemon.settle(30)["totals"]["flow_moved"] == 0


def test_packets_that_were_on_the_way_during_a_change_come_to_their_backend(lab, start):
    """Held by the path: the reload and the drain are in force before they come."""
    if reason := impaired.refusal(lab, "plug"):
        pytest.skip(reason)
    daemon = start(two_backends(lab))
    sessions = [fetch.Session(lab, port, SECONDS) for port in range(22000, 22012)]
    before = [fetch.backend_of(session.request()) for session in sessions]
    assert set(before) == {"be1", "be2"}
    settings = copy.deepcopy(config(lab, weights=[1, 1, 5]))
    settings["pools"][0]["backends"].reverse()
    with concurrent.futures.ThreadPoolExecutor(len(sessions)) as pool:
        with contextlib.ExitStack() as stack:
            held = stack.enter_context(impaired.Held(lab))
            stack.callback(held.release)  # also when the change fails, or the threads would not end
            late = [pool.submit(session.request) for session in sessions]
            held.wait_for(len(sessions))
            answered = daemon.settle()["totals"]["received"]
            daemon.reload(settings)
            drain(lab, daemon, start)
            assert daemon.status()["totals"]["received"] == answered
            held.release()
            assert [fetch.backend_of(one.result()) for one in late] == before
    assert daemon.settle()["totals"]["flow_moved"] == 0
    for session in sessions:
        session.request(close=True)
    fetch.close_all(lab, sessions)


def test_what_comes_twice_is_one_flow(lab, start):
    daemon = start()
    with impaired.netem(lab, "client", "net0", "duplicate", "100%"):
        sessions = [fetch.Session(lab, port, SECONDS) for port in range(23000, 23020)]
        assert {session.request().status for session in sessions} == {200}
        totals = daemon.settle()["totals"]
        assert totals["flow_inserted"] == len(sessions)
        assert (totals["dropped"], totals["flow_moved"]) == (0, 0)
        # Open, acknowledge, ask: each of them twice.
        assert totals["received"] >= 2 * 3 * len(sessions)
    for session in sessions:
        session.request(close=True)
    fetch.close_all(lab, sessions)


# ---- health --------------------------------------------------------------------------------------


def test_checks_bear_with_loss_and_tell_when_nothing_comes_through(lab, start):
    settings = config(lab)
    settings["pools"][0]["checks"] = [{"type": "http", "port": 80, "path": "/", "rise": 2, "fall": 5,
                                       "interval": process.paced("500ms")}]
    daemon = start(settings)

    def answers():
        return sum(request.path == "/" for request in webserver.requests(lab.node_folder("be1")))

    with impaired.netem(lab, "router", "to-be1", "delay", "20ms", "loss", "3%"):
        seen = answers()
        process.wait_until(lambda: answers() >= seen + 8, "8 answers on a path with loss", SECONDS)
        lossy = daemon.backend("be1")
        assert (lossy["health"], lossy["went_down"]) == ("up", 0)
    with impaired.netem(lab, "router", "to-be1", "loss", "100%"):
        gone = daemon.wait_backend("be1", seconds=SECONDS, health="down", usable=False, table_entries=0)
        assert "no answer within" in gone["checks"][0]["last"]
        pages = fetch.fetch_all(lab, range(24000, 24030))
        assert {fetch.backend_of(page) for page in pages} == {"be2", "be3"}
    daemon.wait_backend("be1", seconds=SECONDS, health="up", went_down=1)
    process.wait_until(lambda: daemon.backend("be1")["table_entries"] > 0, "it takes flows again")
    assert "be1" in {fetch.backend_of(page) for page in fetch.fetch_all(lab, range(25000, 25060))}

