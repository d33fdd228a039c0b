"""What the answers of checks do to pools: backends that leave and return, and where flows go."""
import time

import pytest

from support import clients, fetch, process, servers, webserver
from support.daemon import config
from support.lab import VIP
from support.wire import Wire, is_gre

ENTRIES = 65537
SECOND_PORT = 81  # where tests have servers of their own for checks


def checked(lab, *checks, **pool):
    """A configuration whose pool has these checks."""
    settings = config(lab, ports=("tcp/80", "udp/9000"))
    settings["pools"][0].update(checks=list(checks), **pool)
    return settings


def http(path="/", port=80, interval=process.paced("200ms"), rise=1, fall=4):
    return {"type": "http", "port": port, "path": path, "interval": interval, "timeout": interval,
            "rise": rise, "fall": fall}


def tcp(port, fall=4):
    return {"type": "tcp", "port": port, "interval": process.paced("200ms"), "rise": 1, "fall": fall}


def up_everywhere(daemon):
    process.wait_until(lambda: all(one["health"] == "up" for one in daemon.backends().values()),
                       "all backends are up", 15)


def full_shares(daemon):
    entries = [backend["table_entries"] for backend in daemon.backends().values()]
    return sum(entries) == ENTRIES and max(entries) - min(entries) <= 1


def test_a_backend_that_dies_leaves_and_returns_and_nobody_else_notices(lab, start):
    daemon = start(checked(lab, http()))
    with clients.long_sessions(lab, range(20000, 20018)) as sessions:
        of = clients.by_backend(sessions)
        assert set(of) == {"be1", "be2", "be3"}
        with servers.killed_web_server(lab, "be2"):
            gone = daemon.wait_backend("be2", health="down", usable=False, table_entries=0)
            assert gone["checks"][0]["last"] == "connection refused" and gone["went_down"] == 1
            pages = fetch.fetch_all(lab, range(21000, 21100))
            assert [page.status for page in pages] == [200] * 100
            assert {fetch.backend_of(page) for page in pages} == {"be1", "be3"}
        daemon.wait_backend("be2", health="up", usable=True, went_up=2)
        process.wait_until(lambda: full_shares(daemon), "all have their full share again")
        assert "be2" in {fetch.backend_of(page) for page in fetch.fetch_all(lab, range(22000, 22060))}
        answered = {session.port: session.answered for session in sessions}
        others = of["be1"] + of["be3"]
        process.wait_until(lambda: all(session.answered > answered[session.port] for session in others),
                           "sessions to the others go on")
    assert [(session.failure, session.backends) for session in others] == [
        (None, {session.backend}) for session in others]
    assert all(session.failure for session in of["be2"])


def test_flows_of_a_backend_that_is_down_move_and_those_of_others_stay(lab, start):
    """UDP, and the servers themselves live on: who answers is the load balancer's choice alone."""
    daemon = start(checked(lab, http()))
    answer = {backend.name: servers.UdpServer(lab, backend.name, 9000,
                                              lambda _, name=backend.name: name.encode(), VIP)
              for backend in lab.backends}
    flows = [clients.UdpFlow(lab, port, 9000) for port in range(23000, 23030)]
    try:
        ask_twice = lambda: {flow.port: (flow.ask(), flow.ask())[1].decode() for flow in flows}  # noqa: E731
        before = ask_twice()
        assert set(before.values()) == {"be1", "be2", "be3"}
        with servers.killed_web_server(lab, "be3"):
            daemon.wait_backend("be3", health="down", table_entries=0)
            moved_before = daemon.status()["totals"]["flow_moved"]
            during = ask_twice()
            assert "be3" not in during.values()
            assert all(during[port] == name for port, name in before.items() if name != "be3")
            moved = [port for port in before if during[port] != before[port]]
            assert daemon.status()["totals"]["flow_moved"] - moved_before == len(moved)
        daemon.wait_backend("be3", health="up")
        assert ask_twice() == during  # a flow keeps the backend that it was moved to
    finally:
        for server in answer.values():
            server.close()
        for flow in flows:
            flow.close()


def test_a_connection_of_a_backend_that_answers_no_more_is_reset_by_another(lab, start):
    daemon = start(checked(lab, http()))
    sessions = {}
    for port in range(24000, 24030):
        session = fetch.Session(lab, port)
        sessions.setdefault(fetch.backend_of(session.request()), []).append(session)
    with servers.frozen_web_server(lab, "be1"):
        down = daemon.wait_backend("be1", health="down", table_entries=0)
        assert down["checks"][0]["last"] == f"no answer within {process.paced('200 ms')}, while waiting for the answer"
        with pytest.raises(ConnectionResetError):
            sessions["be1"][0].request()
        for session in sessions["be2"] + sessions["be3"]:
            assert session.request().status == 200
    daemon.wait_backend("be1", health="up")
    for session in sum(sessions.values(), []):
        session.close()


# Answers of a server to its checks, until it answers 200 for good; what follows from them with a
# rise of 3 and a fall of 3: how often it went down, how often it came up.
SCRIPTS = {
    "two failures in a row are not three": ([200, 500, 500, 200, 500, 500, 200, 500], 0, 1),
    "three failures in a row are": ([200, 500, 500, 500], 1, 2),
    "two passes in a row are not three": ([200, 500, 500, 500, 200, 200, 500, 500, 500, 200, 200, 500], 1, 2),
    "the first answer decides at once": ([500, 500, 200, 200, 500], 1, 1),
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_rise_and_fall_count_answers_in_a_row(lab, start, script):
    answers, went_down, went_up = SCRIPTS[script]
    left = list(answers)
    servers_of_others = [servers.HttpServer(lab, name, SECOND_PORT, lambda: (200, b""))
                         for name in ("be2", "be3")]
    scripted = servers.HttpServer(lab, "be1", SECOND_PORT, lambda: (left.pop(0) if left else 200, b""))
    try:
        daemon = start(checked(lab, http(port=SECOND_PORT, interval=process.paced("400ms"), rise=3, fall=3)))
        process.wait_until(lambda: daemon.backend("be1")["checks"][0]["passed"] >= answers.count(200) + 3,
                           "the script is over", 30)
        backend = daemon.wait_backend("be1", health="up")
        assert backend["checks"][0]["failed"] == answers.count(500), daemon.log()
        assert (backend["went_down"], backend["went_up"]) == (went_down, went_up), daemon.log()
    finally:
        for server in [scripted, *servers_of_others]:
            server.close()


def test_one_check_that_fails_is_enough(lab, start):
    others = [servers.TcpServer(lab, name, SECOND_PORT, lambda _: None) for name in ("be2", "be3")]
    try:
        with servers.TcpServer(lab, "be1", SECOND_PORT, lambda _: None):
            daemon = start(checked(lab, http(), tcp(SECOND_PORT)))
            up_everywhere(daemon)
        backend = daemon.wait_backend("be1", health="down", table_entries=0)
        assert [check["state"] for check in backend["checks"]] == ["up", "down"]
        why = "is down, was up: tcp port 81: connection refused"
        assert f"backend {backend['address']} {why}" in daemon.log()
        with servers.TcpServer(lab, "be1", SECOND_PORT, lambda _: None):
            daemon.wait_backend("be1", health="up")
    finally:
        for server in others:
            server.close()


def all_down(daemon):
    process.wait_until(lambda: daemon.status()["pools"][0]["empty"], "the pool is empty", 15)


def test_with_all_down_new_flows_are_dropped_and_counted(lab, start):
    daemon = start(checked(lab, tcp(SECOND_PORT, fall=1)))
    all_down(daemon)
    pool = daemon.status()["pools"][0]
    assert (pool["healthy"], pool["healthy_backends"], pool["on_empty"]) == (False, 0, "drop")
    assert [backend["table_entries"] for backend in pool["backends"]] == [0, 0, 0]
    # Said at the start: nobody has seen the pool become what it is.
    assert "pool web: 0 of 3 backends take new flows: new flows are dropped (no_backend)" in daemon.log()
    with Wire(lab, "router", "to-lb1") as wire:
        with pytest.raises(TimeoutError):
            fetch.fetch(lab, port=25000, timeout=0.5)
        process.wait_until(lambda: daemon.count("no_backend") > 0, "counted", 5)
        assert not [frame for frame in wire.look() if is_gre(frame.data)]
    status = daemon.settle()
    assert status["totals"]["dropped"] == status["totals"]["drops"]["no_backend"] > 0
    assert status["totals"]["transmitted"] == 0


def test_with_all_down_and_on_empty_all_traffic_goes_on(lab, start):
    daemon = start(checked(lab, tcp(SECOND_PORT, fall=1), on_empty="all"))
    all_down(daemon)
    process.wait_until(lambda: full_shares(daemon), "each is used as if it were up")
    assert all(backend["usable"] and backend["health"] == "down" for backend in daemon.backends().values())
    failed = daemon.backend("be1")["checks"][0]["failed"]
    with clients.long_sessions(lab, range(25100, 25106)) as sessions:
        traffic = fetch.Traffic(lab)
        process.wait_until(lambda: traffic.answered > 50 or traffic.failures, "traffic goes on", 15)
        process.wait_until(lambda: daemon.backend("be1")["checks"][0]["failed"] > failed + 5, "checks go on")
        answered, failures = traffic.stop()
    assert answered > 50 and failures == []
    assert [session.failure for session in sessions] == [None] * 6
    assert daemon.settle()["totals"]["drops"]["no_backend"] == 0


def test_slow_start_gives_a_backend_its_share_in_ten_steps(lab, start):
    daemon = start(checked(lab, http(interval=process.paced("100ms"), fall=3), slow_start="4s"))
    assert {backend["weight_percent"] for backend in daemon.backends().values()} == {100}
    with servers.killed_web_server(lab, "be1"):
        daemon.wait_backend("be1", health="down", table_entries=0)
    daemon.wait_backend("be1", health="up")
    seen = []
    deadline = time.monotonic() + process.patient(20)
    while not seen or seen[-1][0] < 100:
        backend = daemon.backend("be1")
        seen.append((backend["weight_percent"], backend["table_entries"]))
        assert time.monotonic() < deadline, seen
        time.sleep(0.05)
    assert seen == sorted(seen)
    steps = range(10, 101, 10)
    assert {percent for percent, _ in seen} <= set(steps) and len({percent for percent, _ in seen}) >= 3
    share = {percent: ENTRIES * percent / (200 + percent) for percent in [0, *steps]}
    # The table of a step is in force a moment after the step.
    wrong = [(percent, entries) for percent, entries in seen
             if min(abs(entries - share[percent]), abs(entries - share[percent - 10])) > 1]
    assert wrong == []
    process.wait_until(lambda: full_shares(daemon), "exactly its full share in the end")
    assert {backend["weight_percent"] for backend in daemon.backends().values()} == {100}


def asked(lab, name, path):
    return sum(request.path == path for request in webserver.requests(lab.node_folder(name)))


def test_a_probe_that_two_pools_share_is_asked_once(lab, start):
    path = "/?shared"
    settings = checked(lab, http(path))
    other = {**settings["pools"][0], "name": "other", "checks": [http(path, rise=3, fall=7)]}
    settings["pools"].append(other)
    settings["services"].append({"vip": VIP, "ports": ["tcp/8080"], "pool": "other"})
    before = {backend.name: asked(lab, backend.name, path) for backend in lab.backends}
    daemon = start(settings)
    process.wait_until(lambda: daemon.backend("be1")["checks"][0]["passed"] >= 10, "ten probes", 30)
    for backend in lab.backends:
        at_least = asked(lab, backend.name, path) - before[backend.name]
        pools = daemon.status()["pools"]
        passed = {pool["name"]: check["passed"] for pool in pools for one in pool["backends"]
                  if one["address"] == backend.address for check in one["checks"]}
        assert passed["web"] == passed["other"] >= at_least - 1  # one answer may be on its way
        wanted = before[backend.name] + passed["web"]
        process.wait_until(lambda: asked(lab, backend.name, path) >= wanted, "nginx has logged them", 5)  # noqa: B023
