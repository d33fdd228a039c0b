"""`guideway explain` foretells what becomes of a packet, and changes nothing by it: each flow is asked
about, sent, and asked about again."""
import json
import random
import subprocess

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.packet import Raw
from test_refusals import REFUSED

from support import process, servers
from support.daemon import config
from support.lab import FABRIC_MTU, INTERFACE, VIP
from support.wire import Wire, ip_packet, is_gre

CLIENT = "203.0.113.77"
ETHER_IP = b"\x08\x00"
TUNNEL_BYTES = 24
PORTS = ("tcp/80", "udp/9000")


class Router:
    """Sends to the load balancer from the router's end of the link, and sees what comes back there
    for the backends."""

    def __init__(self, lab):
        self.lab = lab
        self.wire = Wire(lab, "router", "to-lb1")
        with Wire(lab, "lb1", INTERFACE) as other:
            self.header = other.mac + self.wire.mac + ETHER_IP

    def send(self, packet):
        self.wire.send(self.header + bytes(packet))

    def arrived_at(self, port):
        """The backend that a packet from this client port was wrapped for, once it was; forgets it."""
        def wanted(frame):
            outer = ip_packet(frame.data)
            return is_gre(frame.data) and int.from_bytes(outer[44:46], "big") == port
        found = self.wire.wait_for(wanted, 1)
        assert len(found) == 1, f"{len(found)} packets from port {port} were wrapped"
        self.wire.seen.clear()
        address = ".".join(str(byte) for byte in ip_packet(found[0].data)[16:20])
        return next(backend.name for backend in self.lab.backends if backend.address == address)


@pytest.fixture(scope="module")
def silence(lab):
    """Nobody is there: without this, the router would tell the VIP so by ICMP, seconds later. For all
    tests, as backends repeat to a client that does not answer what they said in the test before."""
    lab.ip("router", f"route add blackhole {CLIENT}/32")
    yield
    lab.ip("router", f"route delete blackhole {CLIENT}/32")


@pytest.fixture
def router(lab, silence):
    router = Router(lab)
    yield router
    router.wire.close()


class Flow:
    def __init__(self, protocol, port, vip=VIP, to_port=None):
        self.protocol, self.port, self.vip = protocol, port, vip
        self.to_port = to_port or {"tcp": 80, "udp": 9000}[protocol]

    @property
    def words(self):
        return self.protocol, f"{CLIENT}:{self.port}", f"{self.vip}:{self.to_port}"

    def packet(self, flags="A", payload=b""):
        transport = (TCP(sport=self.port, dport=self.to_port, flags=flags) if self.protocol == "tcp"
                     else UDP(sport=self.port, dport=self.to_port))
        return IP(src=CLIENT, dst=self.vip) / transport / Raw(payload)


def flows(number, seed, protocols=("tcp", "udp")):
    """Flows from ports of their own, always the same for a seed."""
    chosen = random.Random(seed)
    return [Flow(chosen.choice(protocols), port)
            for port in chosen.sample(range(1024, 65536), number)]


def explain(daemon, flow, *words):
    done = daemon.client("explain", *flow.words, *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def backend_of(lab, answer):
    """The name in the lab of the backend that the packet is forwarded to."""
    assert answer["verdict"] == "forwarded", answer
    return name_of(lab, answer["backend"]["address"])


def name_of(lab, address):
    return next(backend.name for backend in lab.backends if backend.address == address)


def checked(lab):
    settings = config(lab, ports=PORTS)
    settings["pools"][0]["checks"] = [{"type": "http", "port": 80, "path": "/", "interval": process.paced("200ms"),
                                       "rise": 1, "fall": 3}]
    return settings


def counted(status):
    """All that packets and flows change: not what workers do to look for them, and not what goes
    by for the kernel."""
    totals = {name: value for name, value in status["totals"].items()
              if name not in ("turns", "sleeps", "transmit_wakeups", "transmit_busy")}
    steering = [{name: value for name, value in interface["steering"].items()
                 if not name.startswith("pass_")} for interface in status["interfaces"]]
    sent = [(one["forwarded_packets"], one["forwarded_bytes"]) for one in status["services"]]
    backends = [(one["address"], one["flows"], one["forwarded_packets"], one["forwarded_bytes"])
                for pool in status["pools"] for one in pool["backends"]]
    return totals, steering, sent, backends


def test_foretells_the_backend_and_knows_the_flow_afterwards(lab, start, router):
    daemon = start(config(lab, ports=PORTS, weights=[1, 2, 3]))
    seen = set()
    for flow in flows(40, seed=20240817):
        foretold = explain(daemon, flow)
        assert foretold["choice"] == "chosen" and foretold["entries"] == []
        assert foretold["table"]["backend"] == foretold["backend"]["address"]
        assert foretold["if_down"]["backend"] not in ("", foretold["backend"]["address"])
        expected = backend_of(lab, foretold)
        router.send(flow.packet("S"))
        assert router.arrived_at(flow.port) == expected
        known = explain(daemon, flow)
        assert known["choice"] == "kept" and backend_of(lab, known) == expected
        [entry] = known["entries"]
        assert (entry["state"], name_of(lab, entry["backend"]), entry["keeps"]) == (
            "opening", expected, True)
        assert entry["idle_seconds"] + entry["expires_in_seconds"] == 10
        assert (entry["interface"], entry["queue"]) == (INTERFACE, known["queue"])
        router.send(flow.packet("A"))
        assert router.arrived_at(flow.port) == expected
        [entry] = explain(daemon, flow)["entries"]
        assert entry["state"] == {"tcp": "established", "udp": "udp"}[flow.protocol]
        seen.add(expected)
    assert seen == {"be1", "be2", "be3"}


def test_changes_no_counter_and_no_flow(lab, start, router):
    daemon = start(config(lab, ports=PORTS))
    all_flows = flows(12, seed=11)
    for flow in all_flows[:6]:
        router.send(flow.packet("A"))
        router.arrived_at(flow.port)
    before = counted(daemon.settle())
    for flow in [*all_flows, Flow("tcp", 9, to_port=81), Flow("tcp", 9, vip="198.51.100.77")]:
        explain(daemon, flow)
    for reason, packet in REFUSED.values():
        answer = explain_packet(daemon, router.header + packet)
        assert answer["reason"] == reason
    assert counted(daemon.settle()) == before


def test_follows_a_drain(lab, start, router):
    daemon = start(config(lab, ports=PORTS))
    mine = [flow for flow in flows(40, seed=12) if backend_of(lab, explain(daemon, flow)) == "be1"]
    known, unknown = mine[0], mine[1]
    router.send(known.packet("A"))
    router.arrived_at(known.port)
    assert daemon.client("drain", lab.backend("be1").address).returncode == 0
    daemon.wait_backend("be1", drain="operator", table_entries=0)
    kept = explain(daemon, known)
    assert kept["choice"] == "kept" and backend_of(lab, kept) == "be1"
    assert kept["backend"]["drain"] == "operator" and kept["backend"]["usable"] is True
    assert name_of(lab, kept["table"]["backend"]) != "be1"
    other = explain(daemon, unknown)
    assert other["choice"] == "chosen" and backend_of(lab, other) != "be1"
    for flow, answer in ((known, kept), (unknown, other)):
        router.send(flow.packet("A"))
        assert router.arrived_at(flow.port) == backend_of(lab, answer)


def test_whom_it_names_gets_the_flow_when_its_backend_goes_down(lab, start, router):
    daemon = start(checked(lab))
    process.wait_until(lambda: {one["health"] for one in daemon.backends().values()} == {"up"},
                       "all backends are up")
    of_be2 = [flow for flow in flows(60, seed=13) if backend_of(lab, explain(daemon, flow)) == "be2"]
    assert len(of_be2) >= 8
    for flow in of_be2[:4]:
        router.send(flow.packet("A"))
        assert router.arrived_at(flow.port) == "be2"
    named = {flow: name_of(lab, explain(daemon, flow)["if_down"]["backend"]) for flow in of_be2}
    assert set(named.values()) == {"be1", "be3"}
    with servers.killed_web_server(lab, "be2"):
        daemon.wait_backend("be2", health="down", table_entries=0)
        for flow in of_be2:
            answer = explain(daemon, flow)
            assert answer["choice"] == ("moved" if flow in of_be2[:4] else "chosen")
            assert backend_of(lab, answer) == named[flow]
            router.send(flow.packet("A"))
            assert router.arrived_at(flow.port) == named[flow]


def test_the_last_check_of_the_backend_is_told(lab, start):
    daemon = start(checked(lab))
    flow = Flow("tcp", 4000)
    check = explain(daemon, flow)["backend"]["checks"][0]
    assert check["what"].startswith("http port 80 path /") and check["last"] == "status 200"


def test_of_a_flow_that_is_closing_a_syn_is_chosen_anew(lab, start, router):
    daemon = start(config(lab, ports=PORTS))
    flow = Flow("tcp", 4100)
    for flags in ("S", "A", "FA"):
        router.send(flow.packet(flags))
        router.arrived_at(flow.port)
    later, again = explain(daemon, flow), explain(daemon, flow, "--flags", "syn")
    assert later["entries"][0]["state"] == "closing"
    assert (later["choice"], again["choice"]) == ("kept", "reopened")
    assert again["packet"]["tcp_flags"] == "syn"


def explain_packet(daemon, packet):
    done = daemon.client("explain", "--from-packet", bytes(packet).hex(" "), "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_of_a_packet_that_is_refused_it_names_the_counter_that_grows(lab, start, router):
    daemon = start()
    for what, (reason, packet) in REFUSED.items():
        answer = explain_packet(daemon, router.header + packet)
        assert (answer["verdict"], answer["reason"]) == ("dropped", reason), what
        assert answer["meaning"], what
        before = daemon.count(reason)
        router.send(packet)
        process.wait_until(lambda: daemon.count(reason) == before + 1, f"{what} is counted")  # noqa: B023


def test_a_packet_is_read_as_frame_as_ip_packet_and_from_standard_input(lab, start, router):
    daemon = start()
    packet = bytes(Flow("tcp", 4200).packet("S"))
    expected = explain(daemon, Flow("tcp", 4200), "--flags", "syn")
    for given in (packet, router.header + packet):
        answer = explain_packet(daemon, given)
        assert answer["packet"] == expected["packet"]
        assert (answer["hash"], answer["table"]) == (expected["hash"], expected["table"])
    done = subprocess.run([lab.bin_dir / "guideway", "explain", "--from-packet", "-", "--json",
                           "--socket", daemon.settings["admin"]["socket"]],
                          input=packet.hex(":", 2) + "\n", capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["hash"] == expected["hash"]


def test_asks_the_kernel_which_packets_are_taken_from_it(lab, start):
    daemon = start(config(lab, ports=PORTS))
    elsewhere = explain(daemon, Flow("tcp", 4300, vip="198.51.100.77"))
    assert (elsewhere["verdict"], elsewhere["reason"]) == ("passed", "pass_not_vip")
    new = Flow("tcp", 4300, to_port=8080)
    refused = explain(daemon, new)
    assert (refused["verdict"], refused["reason"]) == ("dropped", "no_service")
    assert refused["steering"] == [{"interface": INTERFACE, "attached": True, "verdict": "no_service",
                                    "queues": lab.queues, "unserved_queues": 0}]
    assert "service" not in refused and "queue" not in refused
    daemon.reload(config(lab, ports=(*PORTS, "tcp/8080")))
    taken = explain(daemon, new)
    assert (taken["verdict"], taken["service"]["port"]) == ("forwarded", 8080)


def test_a_backend_without_a_next_hop_is_told(lab, start, router):
    daemon = start(config(lab, ports=PORTS))
    mine = next(flow for flow in flows(40, seed=14) if backend_of(lab, explain(daemon, flow)) == "be1")
    other = next(flow for flow in flows(40, seed=14) if backend_of(lab, explain(daemon, flow)) != "be1")
    lab.ip("lb1", "route add unreachable 10.77.101.0/24")
    try:
        process.wait_until(lambda: daemon.next_hops()["be1"] != "resolved", "be1 has no next hop", 15)
        answer = explain(daemon, mine)
        assert (answer["verdict"], answer["reason"]) == ("dropped", "no_next_hop")
        assert answer["backend"]["address"] == lab.backend("be1").address
        assert answer["backend"]["next_hop"] != "resolved" and "egress_mtu" not in answer["size"]
        before = daemon.count("no_next_hop")
        router.send(mine.packet("A"))
        process.wait_until(lambda: daemon.count("no_next_hop") == before + 1, "dropped and counted")
        assert explain(daemon, other)["verdict"] == "forwarded"
    finally:
        lab.ip("lb1", "route delete unreachable 10.77.101.0/24")
    process.wait_until(lambda: daemon.next_hops()["be1"] == "resolved", "be1 has a next hop", 15)


def test_what_is_too_big_is_told_to_the_byte(lab, start, router):
    daemon = start(config(lab, ports=PORTS))
    most = FABRIC_MTU - TUNNEL_BYTES
    flow = Flow("tcp", 4400)
    fits, not_quite = (explain(daemon, flow, "--size", size) for size in (most, most + 1))
    assert fits["verdict"] == "forwarded"
    assert fits["size"] == {"ip_bytes": most, "outer_ip_bytes": FABRIC_MTU, "egress_mtu": FABRIC_MTU,
                            "largest_ip_bytes": most, "fits": True}
    assert (not_quite["verdict"], not_quite["reason"]) == ("dropped", "too_big")
    assert not_quite["size"]["fits"] is False
    before = daemon.count("too_big")
    router.send(flow.packet("A", bytes(most - 40)))
    router.arrived_at(flow.port)
    assert daemon.count("too_big") == before
    router.send(flow.packet("A", bytes(most - 39)))
    process.wait_until(lambda: daemon.count("too_big") == before + 1, "one byte more is dropped")


def test_a_pool_without_backends_for_new_flows_is_told(lab, start, router):
    daemon = start(config(lab, ports=PORTS, weights=[0, 0, 0]))
    answer = explain(daemon, Flow("udp", 4500))
    assert (answer["verdict"], answer["reason"]) == ("dropped", "no_backend")
    assert "table" not in answer and "backend" not in answer and "if_down" not in answer
    router.send(Flow("udp", 4500).packet())
    process.wait_until(lambda: daemon.count("no_backend") == 1, "dropped and counted")


def test_the_last_backend_leaves_nobody(lab, start):
    daemon = start(config(lab, ports=PORTS, weights=[1, 0, 0]))
    answer = explain(daemon, Flow("tcp", 4600))
    assert backend_of(lab, answer) == "be1" and answer["if_down"]["backend"] == ""


def test_a_person_reads_the_packets_way_and_the_verdict_last(lab, start, router):
    daemon = start(checked(lab))
    flow = Flow("tcp", 4700)
    router.send(flow.packet("S"))
    name = router.arrived_at(flow.port)
    done = daemon.client("explain", " ".join(flow.words))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) <= 25 and max(map(len, lines)) <= 80
    assert lines[0].startswith(f"packet    {' '.join(flow.words)}, flags ack, 40 bytes")
    assert lines[-1] == f"forwarded to {lab.backend(name).address} by {INTERFACE}"
    dropped = daemon.client("explain", *Flow("tcp", 4700, to_port=81).words)
    assert dropped.returncode == 0
    assert dropped.stdout.splitlines()[-1].startswith("dropped: no_service: ")


def test_an_interface_that_is_not_served_is_refused(lab, start):
    daemon = start()
    flow = Flow("tcp", 4800)
    assert explain(daemon, flow, "--interface", INTERFACE)["interface"] == INTERFACE
    done = daemon.client("explain", *flow.words, "--interface", "lo")
    assert done.returncode == 1
    assert f"no interface in service is called lo (there are: {INTERFACE})" in done.stderr
