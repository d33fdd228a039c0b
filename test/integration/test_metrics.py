"""The metrics of a running daemon: a text that is right, numbers that agree with its status, counters
that never go back, and digests by which load balancers are compared."""
import json
import socket

import pytest
from scapy.layers.inet import IP, TCP

from support import fetch, metrics, netns, process, servers
from support.daemon import config, to_yaml
from support.lab import VIP
from support.wire import Wire

LAB = {"lbs": 2}
SPARE = "spare"  # a second interface of lb1, to a peer in the same namespace


@pytest.fixture(scope="module", autouse=True)
def one_way(lab):
    """Clients reach the VIP by lb1 alone: the other is there to be compared."""
    lab.ip("router", f"route replace {VIP}/32 via {lab.lbs[0].address}")


def measured(lab, node="lb1", **more):
    settings = config(lab, node)
    settings["metrics"] = {"listen": f"0.0.0.0:{metrics.PORT}"}
    settings.update(more)
    return settings


def with_checks(settings):
    settings["pools"][0]["checks"] = [
        {"type": "http", "port": 80, "interval": process.paced("200ms"), "rise": 1, "fall": 3},
        {"type": "tcp", "port": 80, "interval": process.paced("300ms")}]
    return settings


def test_the_numbers_are_those_of_the_status(lab, start):
    """Some go on at rest (sleeps, probes), so the status before and after encloses them."""
    daemon = start(with_checks(measured(lab)))
    with servers.killed_web_server(lab, "be3"):
        daemon.wait_backend("be3", health="down")
        fetch.fetch_all(lab, range(20000, 20060))
    daemon.wait_backend("be3", health="up")
    assert daemon.client("drain", lab.backend("be2").address).returncode == 0
    daemon.wait_backend("be2", drain="operator", table_entries=0)
    daemon.config_path.write_text("no configuration\n")
    assert daemon.client("reload").returncode == 1
    before = metrics.of_status(daemon.settle())
    found = metrics.scrape(lab)
    after = metrics.of_status(daemon.status())
    wrong = [(name, dict(labels), value, found.get(name, {}).get(labels), after[name][labels])
             for name, samples in before.items() for labels, value in samples.items()
             if not value <= found.get(name, {}).get(labels, -1) <= after[name][labels]]
    assert wrong == []
    # And no samples of theirs that the status does not know.
    assert {name: set(found[name]) for name in before} == {name: set(before[name]) for name in before}
    assert sum(found["guideway_worker_received_total"].values()) > 0
    assert found["guideway_reloads_total"][frozenset({("result", "failed")})] == 1
    be3 = {("pool", "web"), ("backend", lab.backend("be3").address), ("to", "down")}
    assert found["guideway_backend_transitions_total"][frozenset(be3)] == 1


def test_metrics_are_named_after_guideway_and_in_base_units(lab, start):
    start(with_checks(measured(lab)))
    found = metrics.scrape(lab)
    assert len(found) > 50
    assert [name for name in found if not name.startswith("guideway_")] == []
    scaled = ("_ms", "_us", "_ns", "_milliseconds", "_microseconds", "_kib", "_mib", "_percent")
    assert [name for name in found if name.removesuffix("_total").endswith(scaled)] == []


def test_the_metrics_port_answers_only_what_changes_nothing(lab, start):
    start(measured(lab))
    assert metrics.get(lab, "/readyz")[::2] == (200, "ready")
    assert metrics.get(lab, "/healthz")[::2] == (200, "ok")
    for path in ("/v1/status", "/v1/reload", "/v1/backends", "/", "/metrics/"):
        assert metrics.get(lab, path)[0] == 404, path
    for method in ("POST", "PUT", "DELETE"):
        assert metrics.get(lab, "/metrics", method=method)[0] == 405, method
    assert metrics.get(lab, f"/v1/backends/{lab.backends[0].address}/drain", method="POST")[0] == 404


def syn(port):
    return bytes(IP(src="203.0.113.77", dst=VIP) / TCP(sport=port, dport=80, flags="S"))


def lower(before, after):
    """Counters that went back, by sample where both have it, and as a sum over all."""
    for name in filter(lambda name: name.endswith("_total"), before):
        for labels, value in before[name].items():
            if after.get(name, {}).get(labels, value) < value:
                yield name, dict(labels), value, after[name][labels]
        if name.startswith("guideway_worker_") and sum(after[name].values()) < sum(before[name].values()):
            yield name, "sum", sum(before[name].values()), sum(after[name].values())


def test_no_counter_goes_back_when_a_reload_takes_an_interface_out(lab, start):
    lab.ip("lb1", f"link add {SPARE} type veth peer name {SPARE}-peer",
           f"link set {SPARE} up", f"link set {SPARE}-peer up")
    try:
        settings = measured(lab)
        settings["interfaces"].append({"name": SPARE})
        daemon = start(settings)
        fetch.fetch_all(lab, range(21000, 21060))
        mac = bytes.fromhex(json.loads(netns.ip("-n", lab.ns("lb1"), "-j", "link", "show", "dev", SPARE))
                            [0]["address"].replace(":", ""))
        with Wire(lab, "lb1", f"{SPARE}-peer") as wire:
            for port in range(30000, 30025):
                wire.send(mac + wire.mac + b"\x08\x00" + syn(port))
        # Backends are reached through the other interface.
        process.wait_until(lambda: daemon.count("no_next_hop") == 25, "the spare interface has them", 5)
        daemon.settle()
        before = metrics.scrape(lab)
        assert sum(value for labels, value in before["guideway_worker_received_total"].items()
                   if ("interface", SPARE) in labels) == 25
        settings["interfaces"].pop()
        daemon.reload(settings)
        after = metrics.scrape(lab)
        assert list(lower(before, after)) == []
        retired = frozenset({("interface", "retired"), ("queue", "")})
        assert after["guideway_worker_received_total"][retired] == 25
        assert not any(("interface", SPARE) in labels for samples in after.values() for labels in samples)
        fetch.fetch_all(lab, range(21100, 21130))
        daemon.settle()
        assert list(lower(after, metrics.scrape(lab))) == []
    finally:
        lab.ip("lb1", f"link delete {SPARE}")


def digests(lab, node):
    found = metrics.scrape(lab, node)
    return (next(iter(found["guideway_config_digest"].values())),
            next(iter(found["guideway_pool_table_digest"].values())))


def test_digests_are_equal_on_load_balancers_that_choose_alike_and_differ_else(lab, start):
    """The files differ in order, and in what is each load balancer's own."""
    one = start(measured(lab, "lb1"), "lb1")
    other_settings = measured(lab, "lb2", log={"level": "debug"})
    other_settings["pools"][0]["backends"].reverse()
    other = start(dict(reversed(other_settings.items())), "lb2")
    assert digests(lab, "lb1") == digests(lab, "lb2")
    assert one.status()["node"]["config_digest"] == other.status()["node"]["config_digest"]
    assert one.status()["pools"][0]["table_digest"] == other.status()["pools"][0]["table_digest"]
    other_settings["pools"][0]["backends"][0]["weight"] = 2
    other.reload(other_settings)
    assert all(a != b for a, b in zip(digests(lab, "lb1"), digests(lab, "lb2"), strict=True))
    other_settings["pools"][0]["backends"][0]["weight"] = 1
    other.reload(other_settings)
    assert digests(lab, "lb1") == digests(lab, "lb2")


def test_a_drain_on_one_load_balancer_shows_in_the_digest_of_its_table_alone(lab, start):
    start(measured(lab, "lb1"), "lb1")
    other = start(measured(lab, "lb2"), "lb2")
    assert other.client("drain", lab.backends[0].address).returncode == 0
    other.wait_backend("be1", drain="operator", table_entries=0)
    (config_1, table_1), (config_2, table_2) = digests(lab, "lb1"), digests(lab, "lb2")
    assert config_1 == config_2 and table_1 != table_2


def test_the_metrics_port_moves_with_a_reload_and_one_that_is_taken_is_refused(lab, start):
    settings = measured(lab)
    daemon = start(settings)
    settings["metrics"] = {"listen": "127.0.0.1:9478"}
    daemon.reload(settings)
    assert metrics.get(lab, "/healthz", port=9478)[0] == 200
    with pytest.raises(ConnectionRefusedError):
        metrics.get(lab, "/healthz")
    with lab.inside("lb1"), socket.create_server(("127.0.0.1", 9479)):
        settings["metrics"] = {"listen": "127.0.0.1:9479"}
        daemon.config_path.write_text(to_yaml(settings))
        refused = daemon.client("reload")
    assert refused.returncode == 1 and "127.0.0.1:9479" in refused.stderr
    assert metrics.get(lab, "/healthz", port=9478)[0] == 200
