"""`guideway flows` and GET /v1/flows: each flow that a worker remembers, once, as it is."""
import concurrent.futures
import contextlib
import json
import subprocess

import pytest

from support import fetch, process, servers
from support.clients import UdpFlow
from support.daemon import config
from support.hold_thread import HeldThread, thread_named
from support.lab import CLIENT, INTERFACE, VIP
from support.many_flows import ManyFlows
from support.reload import ask, reload
from support.webserver import requests

SHOP_PORT, DNS_PORT, GAME_PORT = 80, 5300, 5301


@pytest.fixture
def settings(lab):
    """Three services, two pools: be1 and be2 are in both, be3 only in the first."""
    settings = config(lab, ports=[f"tcp/{SHOP_PORT}"])
    settings["services"][0]["name"] = "shop"
    settings["services"].append({"name": "dns", "vip": VIP, "ports": [f"udp/{DNS_PORT}"], "pool": "web"})
    settings["services"].append({"name": "game", "vip": VIP, "ports": [f"udp/{GAME_PORT}"], "pool": "two"})
    settings["pools"].append({"name": "two", "backends": settings["pools"][0]["backends"][:2]})
    return settings


def listed(daemon, *words):
    """What `guideway flows --json` prints, with no limit."""
    done = daemon.client("flows", "--json", "--limit", "0", *words)
    assert done.returncode == 0 and done.stderr == "", done
    return [json.loads(line) for line in done.stdout.splitlines()]


def by_client(flows):
    """{(client, destination): flow}; no flow is there twice."""
    found = {(flow["client"], flow["destination"]): flow for flow in flows}
    assert len(found) == len(flows), "a flow is listed twice"
    return found


def paged(daemon, query):
    """All pages, one by one."""
    pages, after = [], ""
    while True:
        answer = ask(daemon, "GET", f"/v1/flows?{query}{after}")
        assert answer.status == 200, answer
        pages.append(answer.body["flows"])
        if answer.body["next"] == "":
            return pages
        after = f"&after={answer.body['next']}"


def address_of(lab, name):
    return lab.backend(name).address


def test_each_connection_is_listed_once_with_all_that_is_known_of_it(lab, start, settings):
    daemon = start(settings)
    ports = range(21000, 21200)
    sessions = [fetch.Session(lab, port) for port in ports]
    backends = {session.port: fetch.backend_of(session.request()) for session in sessions}
    found = by_client(listed(daemon))
    assert set(found) == {(f"{CLIENT}:{port}", f"{VIP}:{SHOP_PORT}") for port in ports}
    for port in ports:
        flow = found[f"{CLIENT}:{port}", f"{VIP}:{SHOP_PORT}"]
        assert flow["idle_seconds"] < 30 and flow["queue"] in range(lab.queues)
        assert {key: flow[key] for key in ("protocol", "service", "backend", "pool", "class", "interface")} == {
            "protocol": "tcp", "service": "shop", "backend": address_of(lab, backends[port]), "pool": "web",
            "class": "established", "interface": INTERFACE}
    assert {flow["queue"] for flow in found.values()} == set(range(lab.queues))
    # nginx has seen them where they are listed.
    logged = {entry.port: backend.address for backend in lab.backends
              for entry in requests(lab.node_folder(backend.name)) if entry.port in ports}
    assert logged == {port: found[f"{CLIENT}:{port}", f"{VIP}:{SHOP_PORT}"]["backend"] for port in ports}
    for session in sessions:
        session.request(close=True)
    fetch.close_all(lab, sessions)


def classes(daemon):
    return {flow["client"].rpartition(":")[2]: flow["class"] for flow in listed(daemon)}


def test_a_flow_is_listed_in_the_class_that_it_is_in(lab, start, settings):
    daemon = start(settings)
    session, other = fetch.Session(lab, 21300), fetch.Session(lab, 21301)
    session.request()
    other.request(close=True)
    fetch.close_all(lab, [other])
    with contextlib.ExitStack() as stack:
        for backend in lab.backends:
            stack.enter_context(servers.UdpServer(lab, backend.name, DNS_PORT, lambda datagram: datagram, VIP))
        first, second = UdpFlow(lab, 21302, DNS_PORT), UdpFlow(lab, 21303, DNS_PORT)
        with ManyFlows(lab) as many:
            many.send([("192.0.2.1", 21304, DNS_PORT)])
        for flow in (first, second):
            flow.ask()
        second.ask()
        found = by_client(listed(daemon))
    assert found[f"{CLIENT}:21300", f"{VIP}:80"]["class"] == "established"
    assert found[f"{CLIENT}:21301", f"{VIP}:80"]["class"] == "closing"
    assert found[f"{CLIENT}:21303", f"{VIP}:{DNS_PORT}"]["class"] == "udp"
    assert found["192.0.2.1:21304", f"{VIP}:{DNS_PORT}"]["class"] == "opening"
    assert found[f"{CLIENT}:21302", f"{VIP}:{DNS_PORT}"]["protocol"] == "udp"
    assert len(found) == 5
    for flow in (first, second):
        flow.close()
    session.request(close=True)
    fetch.close_all(lab, [session])


def test_a_flow_is_idle_until_its_next_packet(lab, start, settings):
    daemon = start(settings)
    quiet, busy = fetch.Session(lab, 21400), fetch.Session(lab, 21401)
    for session in (quiet, busy):
        session.request()

    def idle():
        return {flow["client"].rpartition(":")[2]: flow["idle_seconds"] for flow in listed(daemon)}
    process.wait_until(lambda: idle()["21400"] >= 3, "the flow is idle", 15)
    busy.request()
    now = idle()
    assert now["21400"] >= 3 and now["21401"] < now["21400"]
    for session in (quiet, busy):
        session.request(close=True)
    fetch.close_all(lab, [quiet, busy])


def send_many(lab):
    """600 flows of four networks to two services: {flow: backend}."""
    with ManyFlows(lab) as flows:
        for service, port in enumerate((DNS_PORT, GAME_PORT)):
            flows.send((f"10.{9 + number % 2}.{number % 4 // 2}.{1 + number % 200}", 22000 + number, port)
                       for number in range(service * 300, service * 300 + 300))
    return flows.backend


@pytest.fixture
def many(lab, start, settings):
    """A daemon that remembers the flows of send_many(): (daemon, {flow: backend})."""
    settings["flow_table"]["timeouts"] = {"opening": "600s"}
    daemon = start(settings)
    return daemon, send_many(lab)


def wanted(flows, **what):
    """The flows of `many` that have this port, backend and client's beginning."""
    return {flow for flow, backend in flows.items()
            if flow[1].endswith(f":{what.get('port', '')}" if "port" in what else "")
            and what.get("backend", backend) == backend and flow[0].startswith(what.get("client", ""))}


def test_filters_are_right_by_themselves_and_together(lab, many):
    daemon, flows = many
    be1, be3 = address_of(lab, "be1"), address_of(lab, "be3")
    cases = [((), {}),
             (("--service", "game"), {"port": GAME_PORT}),
             (("--service", "shop"), {"port": SHOP_PORT}),
             (("--backend", be1), {"backend": be1}),
             (("--backend", be3, "--service", "game"), {"backend": be3, "port": GAME_PORT}),
             (("--client", "10.9.0.0/16"), {"client": "10.9."}),
             (("--client", "10.9.1.77/24"), {"client": "10.9.1."}),
             (("--client", "0.0.0.0/0"), {}),
             (("--client", "10.11.0.0/16"), {"client": "10.11."}),
             (("--service", "dns", "--backend", be1, "--client", "10.10.0.0/16"),
              {"port": DNS_PORT, "backend": be1, "client": "10.10."})]
    for words, what in cases:
        found = by_client(listed(daemon, *words))
        assert set(found) == wanted(flows, **what), words
        assert all(flow["backend"] == flows[key] for key, flow in found.items())
    one = next(iter(flows))
    assert set(by_client(listed(daemon, "--client", one[0].partition(":")[0]))) == wanted(
        flows, client=one[0].partition(":")[0] + ":")
    services = {flow["service"]: flow["pool"] for flow in listed(daemon)}
    assert services == {"dns": "web", "game": "two"}
    # Not by chance of an empty set.
    assert all(wanted(flows, port=port, backend=be1) for port in (DNS_PORT, GAME_PORT))
    assert wanted(flows, port=DNS_PORT, backend=be3) and not wanted(flows, port=GAME_PORT, backend=be3)


def test_workers_without_traffic_answer_and_go_back_to_sleep(many):
    daemon, flows = many
    before = daemon.settle()["totals"]
    for _ in range(10):
        assert set(by_client(listed(daemon))) == set(flows)
    after = daemon.settle()["totals"]
    assert after["received"] == before["received"] and after["sleeps"] > before["sleeps"]


def test_several_who_ask_at_once_each_get_all(many):
    daemon, flows = many
    with concurrent.futures.ThreadPoolExecutor(8) as clients:
        for found in clients.map(lambda _: paged(daemon, "limit=50"), range(16)):
            assert set(by_client([flow for page in found for flow in page])) == set(flows)


@pytest.mark.parametrize("limit", [1, 7, 100, 1000])
def test_pages_of_any_size_have_the_same_flows(many, limit):
    daemon, flows = many
    pages = paged(daemon, f"limit={limit}")
    assert set(by_client([flow for page in pages for flow in page])) == set(flows)
    assert all(len(page) <= limit + 5 for page in pages)
    assert len(pages) >= len(flows) / (limit + 5)


def test_what_is_printed_has_a_heading_a_line_for_each_flow_and_a_note(many):
    daemon, flows = many
    done = daemon.client("flows")
    heading, *lines = done.stdout.splitlines()
    assert done.returncode == 0 and done.stderr == f"{len(flows)} flows\n"
    assert heading.split() == ["client", "destination", "backend", "class", "idle"]
    assert {(line.split()[0], line.split()[2], line.split()[3]) for line in lines} == {
        (client, destination, backend) for (client, destination), backend in flows.items()}
    assert all(len(line) == 80 for line in [heading, *lines])
    some = daemon.client("flows", "--limit", "10")
    assert len(some.stdout.splitlines()) == 11
    assert some.stderr == "10 flows, and there are more: --limit N shows N, --limit 0 all\n"


@pytest.mark.parametrize("before", ["", "trap '' PIPE; "], ids=["as usual", "SIGPIPE ignored"])
def test_who_reads_only_the_beginning_hears_no_complaint(lab, many, before):
    daemon, _ = many
    command = (f"{before}{lab.bin_dir}/guideway flows --limit 0 --socket "
               f"{daemon.settings['admin']['socket']} | head -n 1")
    for _ in range(5):
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
        assert done.stdout.startswith("client ") and "guideway:" not in done.stderr


def test_what_there_is_not_is_refused_and_what_there_is_is_named(lab, start, settings):
    daemon = start(settings)
    unknown = daemon.client("flows", "--service", "shp")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "no service is named shp; there are: dns, game, shop" in unknown.stderr
    unknown = daemon.client("flows", "--backend", "10.0.0.9")
    assert unknown.returncode == 1
    assert f"no pool has the backend 10.0.0.9; there are: {address_of(lab, 'be1')}, " in unknown.stderr
    for query in ("client=10.0.0.0/33", "limit=0", "limit=1001", "after=net0", "pool=web"):
        answer = ask(daemon, "GET", f"/v1/flows?{query}")
        assert answer.status == 400 and answer.body["error"], query
    assert listed(daemon) == []


def test_a_place_that_is_not_there_any_more_or_never_was_goes_on_with_the_next(many):
    daemon, flows = many
    for after, expected in ((f"0.0.{INTERFACE}", set(flows)), ("9.5.aaa0", set(flows)), ("0.0.zzz0", set()),
                            (f"77.0.{INTERFACE}", set()), (f"1.99999999999.{INTERFACE}", set())):
        answer = ask(daemon, "GET", f"/v1/flows?after={after}")
        assert (answer.status, answer.body["next"]) == (200, ""), after
        assert set(by_client(answer.body["flows"])) == expected, after


def test_the_backend_of_a_flow_is_named_also_when_the_file_has_it_no_longer(lab, new_daemon, settings):
    settings["flow_table"]["timeouts"] = {"opening": "600s"}
    daemon = new_daemon(settings).start().wait_ready().wait_resolved()
    flows = send_many(lab)
    be3 = address_of(lab, "be3")
    settings["pools"][0]["backends"] = settings["pools"][0]["backends"][:2]
    settings["services"] = [service for service in settings["services"] if service["name"] != "game"]
    settings["pools"] = settings["pools"][:1]
    reload(daemon, settings)
    found = by_client(listed(daemon))
    assert {key: flow["backend"] for key, flow in found.items()} == flows
    assert {flow["service"] for key, flow in found.items() if key[1].endswith(f":{GAME_PORT}")} == {""}
    assert {flow["pool"] for key, flow in found.items() if key[1].endswith(f":{GAME_PORT}")} == {"two"}
    assert set(by_client(listed(daemon, "--backend", be3))) == wanted(flows, backend=be3)
    assert daemon.stop() == 0


def test_a_worker_that_hangs_is_named_and_the_others_answer(lab, many):
    daemon, flows = many
    by_queue = {}
    for key, flow in by_client(listed(daemon)).items():
        by_queue.setdefault(flow["queue"], set()).add(key)
    assert set(by_queue) == set(range(lab.queues))
    last = lab.queues - 1
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(HeldThread(thread_named(daemon.child.pid, f"gw-{last}-{INTERFACE}")))
        except PermissionError as refused:
            pytest.skip(str(refused))
        answer = ask(daemon, "GET", "/v1/flows")
        assert answer.status == 503
        assert answer.body["error"].startswith(
            f"listing flows: the worker of {INTERFACE} queue {last} does not answer within 1000 ms")
        done = daemon.client("flows", "--limit", "0")
        assert done.returncode == 1 and f"{INTERFACE} queue {last} does not answer" in done.stderr
        assert ask(daemon, "GET", "/healthz").status == 200
        # The page that does not come to that queue.
        first = ask(daemon, "GET", f"/v1/flows?limit={len(by_queue[0]) - 5}").body
        assert set(by_client(first["flows"])) <= by_queue[0] and len(first["flows"]) > 0
    assert set(by_client(listed(daemon))) == set(flows)
