"""Interfaces come and go with a reload, and one whose program was taken off is attached again."""
import concurrent.futures
import copy
import http.client
import itertools

import pytest

from support import fetch, lab as lab_module, process, second_link as second
from support.daemon import config, violations, xdp_programs
from support.lab import INTERFACE
from support.reload import ask, hang_up, lasting, post, program_id, reload, workers, write

SECOND, SECOND_VIP = second.DEVICE, second.VIP
_ports = itertools.count(20000)


@pytest.fixture(scope="module", autouse=True)
def second_link(lab):
    with second.second_link(lab):
        yield


def one_interface(lab):
    """be1 and be2 behind the VIP, be3 behind the second one, by whichever interface."""
    settings = config(lab)
    third = settings["pools"][0]["backends"].pop()
    settings["pools"].append({"name": "third", "backends": [third]})
    settings["services"].append({"vip": SECOND_VIP, "ports": ["tcp/80"], "pool": "third"})
    return settings


def two_interfaces(lab):
    settings = one_interface(lab)
    settings["interfaces"].append({"name": SECOND})
    return settings


def second_page(lab, timeout=15.0):
    """Who answers at the second VIP."""
    with fetch.connect(lab, next(_ports), timeout, address=SECOND_VIP) as sock:
        connection = http.client.HTTPConnection(SECOND_VIP)
        connection.sock = sock
        connection.request("GET", "/")
        return connection.getresponse().read().decode().split()[1]


def counted(status):
    """Everything that only grows: totals, services, backends."""
    grows = {name: value for name, value in status["totals"].items()
             if isinstance(value, int) and not name.startswith("flows_")
             and name not in ("flow_table_capacity", "in_flight")}
    for service in status["services"]:
        grows[f"service {service['name']}"] = service["forwarded_packets"]
    for pool in status["pools"]:
        for backend in pool["backends"]:
            grows[f"backend {backend['address']} packets"] = backend["forwarded_packets"]
            grows[f"backend {backend['address']} flows"] = backend["flows"]
    return grows


def open_files(daemon):
    """How many descriptors there are of each kind, but for BPF programs: see test_descriptors.py."""
    return {kind: number for kind, number in daemon.descriptors().items() if kind != "anon_inode:bpf-prog"}


def settled(daemon, before=None):
    """Waits until every packet is accounted for, those of interfaces that have left too, and nothing
    that was counted `before` is lost; returns the status."""
    def at_rest():
        status = daemon.status()
        return None if violations(status) else status
    status = process.wait_until(at_rest, "every packet is accounted for", 10)
    if before is not None:
        now = counted(status)
        assert {name: (value, now[name]) for name, value in counted(before).items()
                if now[name] < value} == {}
    return status


@pytest.fixture
def daemon_of(lab, new_daemon):
    """Starts a daemon with these settings; in the end it leaves nothing on either interface."""
    daemons = []

    def begin(settings):
        daemons.append(new_daemon(settings).start().wait_ready().wait_resolved())
        return daemons[-1]
    yield begin
    for daemon in daemons:
        assert daemon.stop() == 0, daemon.log()
    assert (xdp_programs(lab), xdp_programs(lab, device=SECOND)) == ({}, {})


def test_a_second_interface_comes_forwards_goes_and_comes_again(lab, daemon_of):
    daemon = daemon_of(one_interface(lab))
    threads, first_program, files = workers(daemon), program_id(lab), open_files(daemon)
    traffic = fetch.Traffic(lab)
    session = fetch.Session(lab, next(_ports))
    backend = fetch.backend_of(session.request())
    status = daemon.status()
    for number in range(3):
        outcome = reload(daemon, two_interfaces(lab))
        assert outcome["changes"] == [f"interface {SECOND} added"]
        assert second_page(lab) == "be3"
        status, before = daemon.status(), status
        assert all(counted(status)[name] >= value for name, value in counted(before).items())
        second = status["interfaces"][1]
        assert (second["name"], second["attachment"]) == (SECOND, "native")
        assert sum(queue["worker"]["transmitted"] for queue in second["queues"]) > 0
        assert {name for name in workers(daemon).values() if name not in threads.values()} == {
            f"gw-0-{SECOND}", f"gw-1-{SECOND}"}

        outcome = reload(daemon, one_interface(lab))
        assert outcome["changes"] == [f"interface {SECOND} removed"]
        assert xdp_programs(lab, device=SECOND) == {}
        assert workers(daemon) == threads
        status, before = daemon.status(), status
        assert [interface["name"] for interface in status["interfaces"]] == [INTERFACE]
        assert {name: value for name, value in counted(before).items()
                if counted(status)[name] < value} == {}
        assert status["retired"]["transmitted"] > 0
        assert fetch.backend_of(session.request()) == backend, number
    session.close()
    answered, failures = traffic.stop()
    assert answered > 0 and failures == []
    assert program_id(lab) == first_program
    settled(daemon, status)
    process.wait_until(lambda: open_files(daemon) == files, "descriptors are given back", 10)


def test_an_interface_that_does_not_exist_leaves_nothing_of_another_one_that_is_new(lab, daemon_of):
    daemon = daemon_of(one_interface(lab))
    before, threads, program = daemon.status(), workers(daemon), program_id(lab)
    settings = two_interfaces(lab)
    settings["interfaces"].append({"name": "nosuch0"})
    settings["pools"][0]["backends"].pop()
    for _ in range(2):
        answer = post(daemon, settings)
        assert answer.status == 422 and len(answer.body["problems"]) == 1
        assert "interface nosuch0: there is no such interface" in answer.body["problems"][0]
        assert SECOND in answer.body["problems"][0]
        assert xdp_programs(lab, device=SECOND) == {}
        assert lasting(daemon.status()) == lasting(before)
    assert (workers(daemon), program_id(lab)) == (threads, program)
    reload(daemon, two_interfaces(lab))
    assert second_page(lab) == "be3"
    settled(daemon, before)


def test_the_first_interface_can_give_way_to_the_second(lab, daemon_of):
    daemon = daemon_of(one_interface(lab))
    assert fetch.fetch(lab, port=next(_ports)).status == 200
    before = settled(daemon)
    settings = one_interface(lab)
    settings["interfaces"] = [{"name": SECOND}]
    assert reload(daemon, settings)["changes"] == [f"interface {INTERFACE} removed",
                                                   f"interface {SECOND} added"]
    assert xdp_programs(lab) == {} and program_id(lab, SECOND)
    assert second_page(lab) == "be3"
    assert set(workers(daemon).values()) == {f"gw-0-{SECOND}", f"gw-1-{SECOND}"}
    settled(daemon, before)


@pytest.mark.parametrize("progress", [0, 1, 2], ids=lambda ended: f"{ended} ended")
def test_a_stop_amid_reloads_is_orderly(lab, daemon_of, progress):
    """Whatever a reload was about: daemon_of finds both interfaces as they were."""
    daemon = daemon_of(one_interface(lab))
    write(daemon, two_interfaces(lab))
    with concurrent.futures.ThreadPoolExecutor(6) as clients:
        for client in [clients.submit(post, daemon) for _ in range(6)][:progress]:
            assert client.result().status == 200
        assert daemon.stop() == 0, daemon.log()
    assert daemon.log().splitlines()[-1].endswith("stopped")


def take_off(lab, daemon, device=INTERFACE):
    lab.ip("lb1", f"link set {device} xdp off")
    process.wait_until(lambda: ask(daemon, "GET", "/readyz").status == 503, "it is not ready", 10)
    return daemon.status()


@pytest.mark.parametrize("again", [reload, hang_up], ids=["HTTP", "SIGHUP"])
def test_a_program_that_was_taken_off_is_attached_again(lab, daemon_of, again):
    daemon = daemon_of(one_interface(lab))
    session = fetch.Session(lab, next(_ports))
    backend = fetch.backend_of(session.request())
    before = take_off(lab, daemon)
    assert before["interfaces"][0]["attachment"] == "lost"
    again(daemon)
    assert daemon.status()["interfaces"][0]["attachment"] == "native" and program_id(lab)
    assert ask(daemon, "GET", "/readyz").status == 200
    # The flow table is a new one; Maglev's is the same.
    assert fetch.backend_of(session.request(close=True)) == backend
    session.close()
    settled(daemon, before)


def test_one_of_two_that_was_taken_off_comes_back_beside_the_other(lab, daemon_of):
    daemon = daemon_of(two_interfaces(lab))
    assert second_page(lab) == "be3"
    first_program = program_id(lab)
    first_workers = {thread for thread, name in workers(daemon).items() if name.endswith(INTERFACE)}
    before = take_off(lab, daemon, SECOND)
    reload(daemon)
    assert second_page(lab) == "be3"
    assert program_id(lab) == first_program and first_workers <= set(workers(daemon))
    settled(daemon, before)


def test_a_reload_that_fails_while_a_program_is_off_leaves_it_not_ready_and_can_be_mended(lab, daemon_of):
    settings = one_interface(lab)
    daemon = daemon_of(settings)
    assert fetch.fetch(lab, port=next(_ports)).status == 200
    settled(daemon)
    before = take_off(lab, daemon)
    wrong = copy.deepcopy(settings)
    wrong["interfaces"].append({"name": "nosuch0"})
    assert post(daemon, wrong).status == 422
    assert ask(daemon, "GET", "/readyz").status == 503
    now = daemon.status()
    assert (now["generation"], now["interfaces"]) == (before["generation"], [])
    assert lasting(now)["pools"] == lasting(before)["pools"]
    assert counted(now) == counted({**before, "totals": now["totals"]})
    assert now["totals"]["transmitted"] == before["totals"]["transmitted"] > 0
    reload(daemon, settings)
    assert ask(daemon, "GET", "/readyz").status == 200
    assert fetch.fetch(lab, port=next(_ports)).status == 200
    settled(daemon, before)


def test_settings_of_an_interface_take_effect_when_it_comes_again(lab, daemon_of):
    """As what is set for it cannot change while it is served."""
    daemon = daemon_of(two_interfaces(lab))
    settings = two_interfaces(lab)
    settings["interfaces"][1]["mode"] = "generic"
    kept = reload(daemon, settings)
    assert any(line.startswith(f"interface {SECOND}") for line in kept["warnings"])
    assert daemon.status()["interfaces"][1]["attachment"] == "native"
    reload(daemon, one_interface(lab))
    assert reload(daemon, settings)["warnings"] == []
    assert daemon.status()["interfaces"][1]["attachment"] == "generic"
    assert second_page(lab) == "be3"
    assert lab_module.VIP in {service["vip"] for service in daemon.status()["services"]}
    settled(daemon)
