"""A running daemon takes another file: what is different in it takes effect and is told, all else
goes on as if nothing had been."""
import concurrent.futures
import copy
import http.client
import itertools
import pathlib
import socket

import pytest

from support import fetch, lab as lab_module, process
from support.daemon import config, to_yaml
from support.reload import ask, ended, guideway, hang_up, lasting, post, program_id, reload, workers, write
from support.site import Site
from support.stream import Stream

ALT_PORT = 8080
STREAM_PORT = 9000
_ports = itertools.count(20000)


def some_ports(number):
    """Source ports that no other test of this file uses, so that each flow is a new one."""
    return [next(_ports) for _ in range(number)]


def spread(lab, number=40):
    """The backends that new flows go to."""
    pages = fetch.fetch_all(lab, some_ports(number))
    assert {page.status for page in pages} == {200}
    return {fetch.backend_of(page) for page in pages}


def backend_of_site(lab, timeout=15.0):
    """The backend that answers at the other port of the VIP."""
    with fetch.connect(lab, next(_ports), timeout, to_port=ALT_PORT) as sock:
        connection = http.client.HTTPConnection(lab_module.VIP)
        connection.sock = sock
        connection.request("GET", "/")
        return connection.getresponse().read().decode().split()[1]


def by_http(daemon, settings):
    return reload(daemon, settings)["changes"]


def by_command(daemon, settings):
    write(daemon, settings)
    done = guideway(daemon, "reload")
    assert done.code == 0, done
    lines = [line.strip() for line in done.output.splitlines()[1:]]
    return [line for line in lines if not line.endswith("(warning)")]


def by_signal(daemon, settings):
    hang_up(daemon, settings)


@pytest.fixture(params=[by_http, by_command, by_signal], ids=["HTTP", "command", "SIGHUP"])
def give(request, start):
    """Gives the daemon other settings in one of the three ways; `changes` are the lines that it has
    to tell, in its answer (a signal has none) and in its log."""
    def change(daemon, settings, changes):
        logged = len(daemon.log())
        told = request.param(daemon, settings)
        log = daemon.log()[logged:]
        assert told is None or told == changes
        for line in changes:
            assert f"reload: {line}" in log, log
        assert f"{len(changes)} change(s), generation {daemon.status()['generation']}" in log
    return change


@pytest.fixture
def sites(lab):
    """A second server on each backend, for a second service."""
    sites = [Site(lab, backend.name, ALT_PORT) for backend in lab.backends]
    yield sites
    for site in sites:
        site.close()


def with_service(settings, port, pool="web"):
    changed = copy.deepcopy(settings)
    changed["services"].append({"vip": lab_module.VIP, "ports": [port], "pool": pool})
    return changed


def test_a_service_comes_moves_to_another_pool_and_goes(lab, start, give, sites):
    settings = config(lab)
    settings["pools"].append({"name": "third", "backends": [lab.backends[2].address]})
    daemon = start(settings)
    with pytest.raises(OSError):
        backend_of_site(lab, timeout=1)
    assert daemon.count("no_service") > 0

    more = with_service(settings, f"tcp/{ALT_PORT}")
    give(daemon, more, [f"service tcp {lab_module.VIP}:{ALT_PORT} added, pool web"])
    asked = [backend_of_site(lab) for _ in range(40)]
    assert {name: asked.count(name) for name in set(asked)} == {
        site.node: site.asked["/"] for site in sites}

    moved = with_service(settings, f"tcp/{ALT_PORT}", "third")
    give(daemon, moved, [f"service tcp {lab_module.VIP}:{ALT_PORT}: pool: web -> third"])
    assert {backend_of_site(lab) for _ in range(20)} == {"be3"}
    assert spread(lab) == {"be1", "be2", "be3"}  # that of the other service is as it was
    daemon.settle()

    refused = daemon.count("no_service")
    give(daemon, settings, [f"service tcp {lab_module.VIP}:{ALT_PORT} removed"])
    with pytest.raises(OSError):
        backend_of_site(lab, timeout=1)
    assert daemon.count("no_service") > refused
    reload(daemon, more)  # back again, so that the sum over services is whole


def test_a_backend_comes_changes_its_weight_and_goes(lab, start, give):
    full = config(lab, weights=[1, 1, 2])
    third = lab.backends[2].address
    without = copy.deepcopy(full)
    del without["pools"][0]["backends"][2]
    daemon = start(without)
    assert spread(lab) == {"be1", "be2"}
    give(daemon, full, [f"pool web: backend {third} added, weight 2"])
    assert spread(lab) == {"be1", "be2", "be3"}
    assert abs(daemon.backends()["be3"]["table_entries"] - 65537 / 2) <= 1
    off = config(lab, weights=[1, 1, 0])
    give(daemon, off, [f"pool web: backend {third}: weight 2 -> weight 0"])
    assert spread(lab) == {"be1", "be2"}
    daemon.settle()
    give(daemon, without, [f"pool web: backend {third} removed"])
    assert spread(lab) == {"be1", "be2"}
    reload(daemon, full)


def test_a_file_that_is_the_same_changes_nothing_and_says_so(start):
    daemon = start()
    before = lasting(daemon.status())
    outcome = reload(daemon)
    assert (outcome["changes"], outcome["warnings"], outcome["problems"]) == ([], [], [])
    after = lasting(daemon.status())
    assert outcome["generation"] == after["generation"]
    assert {**after, "generation": before["generation"]} == before


def test_what_cannot_change_is_warned_of_and_stays(lab, start):
    settings = config(lab)
    daemon = start(settings)
    ports = some_ports(40)
    before = [fetch.backend_of(page) for page in fetch.fetch_all(lab, ports)]
    status = daemon.settle()
    other = copy.deepcopy(settings)
    other["flow_table"] = {"entries": 4096, "timeouts": {"udp": "9s"}}
    other["admin"]["socket"] += ".other"
    other["node"]["fleet_seed"] = "another seed"
    other["interfaces"][0]["queues"] = [0]
    other["pools"][0]["min_healthy"] = 2  # which can change
    outcome = reload(daemon, other)
    assert outcome["changes"] == ["pool web: min_healthy: 1 -> 2"]
    for what in ("flow_table.entries", "flow_table.timeouts", "admin.socket", "node.fleet_seed",
                 f"interface {lab_module.INTERFACE}"):
        told = [line for line in outcome["warnings"] if line.startswith(what)]
        assert len(told) == 1 and "until guidewayd is started anew" in told[0], outcome
        assert f"reload: {told[0]}" in daemon.log()
    now = daemon.settle()
    assert not pathlib.Path(other["admin"]["socket"]).exists()
    assert now["totals"]["flow_table_capacity"] == status["totals"]["flow_table_capacity"]
    assert lasting(now)["interfaces"] == lasting(status)["interfaces"]
    assert now["pools"][0]["table_digest"] == status["pools"][0]["table_digest"]
    assert [fetch.backend_of(page) for page in fetch.fetch_all(lab, ports)] == before
    assert now["pools"][0]["min_healthy"] == 2
    # Back to what is in force: nothing is left to warn of.
    assert reload(daemon, settings)["warnings"] == []


def test_program_workers_and_flows_outlive_twenty_reloads(lab, start):
    settings = config(lab)
    daemon = start(settings)
    sessions = [fetch.Session(lab, port) for port in some_ports(30)]
    backends = [fetch.backend_of(session.request()) for session in sessions]
    assert set(backends) == {"be1", "be2", "be3"}
    before = daemon.settle()
    threads, program = workers(daemon), program_id(lab)
    assert sorted(threads.values()) == ["gw-0-net0", "gw-1-net0"]
    for number in range(20):
        # Weights move two thirds of the table to and fro; 0 takes a backend out of it.
        weights = [[1, 1, 1], [5, 0, 1], [0, 1, 3], [1, 8, 0]][number % 4]
        reload(daemon, with_service(config(lab, weights=weights), f"udp/{1000 + number}"))
        assert [fetch.backend_of(session.request()) for session in sessions] == backends
    assert (workers(daemon), program_id(lab)) == (threads, program)
    after = daemon.settle()
    for name in ("flow_inserted", "flow_moved", "flow_evicted_opening"):
        assert after["totals"][name] == before["totals"][name], name
    assert after["totals"]["flows_established"] >= len(sessions)
    assert after["reloads"]["succeeded"] == 20
    assert {queue["generation"] for queue in after["interfaces"][0]["queues"]} == {after["generation"]}
    pages = [session.request(close=True) for session in sessions]
    assert [fetch.backend_of(page) for page in pages] == backends
    fetch.close_all(lab, sessions)


def test_ten_reloads_at_once_are_all_answered_and_the_last_file_is_in_force(lab, start):
    """Those that wait share one answer: that of the file as it is when their turn comes."""
    daemon = start()
    files = [config(lab, weights=[1, 1, number]) for number in range(2, 12)]
    with concurrent.futures.ThreadPoolExecutor(len(files)) as clients:
        answers = list(clients.map(lambda settings: post(daemon, settings), files))
    assert {answer.status for answer in answers} == {200}
    generations = {answer.body["generation"] for answer in answers}
    status = daemon.status()
    assert status["generation"] == max(generations)
    assert status["reloads"] == {**status["reloads"], "succeeded": len(generations), "failed": 0}
    weight = daemon.backends()["be3"]["weight"]
    assert weight in range(2, 12)
    assert daemon.config_path.read_text() == to_yaml(config(lab, weights=[1, 1, weight]))


def test_a_status_is_answered_while_reloads_are_under_way(lab, start):
    daemon = start()
    with concurrent.futures.ThreadPoolExecutor(4) as clients:
        reloads = [clients.submit(post, daemon) for _ in range(4)]
        assert ask(daemon, "GET", "/healthz").status == 200
        assert ask(daemon, "GET", "/readyz").status == 200
        assert {done.result().status for done in reloads} == {200}


def test_a_client_that_hangs_up_amid_its_reload_does_not_stop_it(lab, start):
    daemon = start()
    for number in range(1, 6):
        write(daemon, config(lab, weights=[1, 1, 1 + number]))
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.connect(daemon.settings["admin"]["socket"])
            client.sendall(b"POST /v1/reload HTTP/1.1\r\nHost: guidewayd\r\nContent-Length: 0\r\n\r\n")
        process.wait_until(lambda number=number: ended(daemon) == number, "the reload has ended", 30)
        assert daemon.backends()["be3"]["weight"] == 1 + number
    assert reload(daemon)["changes"] == []


def test_services_that_come_and_go_at_once_cost_another_service_no_packet(lab, start):
    settings = config(lab, ports=["tcp/80", f"udp/{STREAM_PORT}"])
    odd, even = (with_service(settings, f"tcp/{7000 + number}") for number in (1, 2))
    for number in range(10, 20):
        odd = with_service(odd, f"tcp/{7000 + number}")
        even = with_service(even, f"udp/{7000 + number}")
    daemon = start(odd)
    stream = Stream(lab, STREAM_PORT)
    for number in range(10):
        # At least a hundred packets between two reloads: there is something to lose.
        wanted = stream.total() + 100
        process.wait_until(lambda wanted=wanted: stream.total() >= wanted, "the stream goes on", 30)
        outcome = reload(daemon, even if number % 2 == 0 else odd)
        assert len(outcome["changes"]) == 22
    stream.stop()
    assert (stream.lost(), stream.moved()) == ([], [])
    assert len(stream.backends()) == 3 and stream.total() >= 1000
    totals = daemon.settle()["totals"]
    assert (totals["dropped"], totals["transmitted"]) == (0, stream.total())
