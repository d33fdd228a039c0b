"""`guideway interfaces` and GET /v1/interfaces: what is known of each queue."""
import json

from support import fetch, process
from support.daemon import config
from support.lab import FABRIC_MTU, INTERFACE
from support.many_flows import ManyFlows
from support.reload import ask

RINGS = ("fill", "receive", "transmit", "completion")


def interface_of(daemon):
    answer = ask(daemon, "GET", "/v1/interfaces")
    assert answer.status == 200 and set(answer.body) == {"interfaces"}
    interface, = answer.body["interfaces"]
    return interface


def test_the_document_is_that_of_the_status(lab, start):
    daemon = start()
    assert {page.status for page in fetch.fetch_all(lab, range(24000, 24050))} == {200}
    settled = daemon.settle()["interfaces"][0]
    found = interface_of(daemon)
    for interface in (settled, found):  # these go on by themselves
        for queue in interface["queues"]:
            del queue["worker"]["sleeps"], queue["worker"]["turns"], queue["socket"]["tx_ring_empty_descs"]
    assert found == settled
    done = daemon.client("interfaces", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["interfaces"][0]["name"] == INTERFACE


def test_each_queue_shows_its_mode_its_packets_and_its_flows(lab, start):
    daemon = start()
    assert {page.status for page in fetch.fetch_all(lab, range(24100, 24200))} == {200}
    daemon.settle()
    done = daemon.client("interfaces")
    assert done.returncode == 0 and done.stderr == ""
    lines = done.stdout.splitlines()
    document = interface_of(daemon)
    shared = " by libxdp's dispatcher" if document["dispatcher"] else ", not shared"  # as the kernel has it
    assert lines[0] == f"interface {INTERFACE}: veth, MTU {FABRIC_MTU}, XDP native{shared}"
    assert all(len(line) <= 80 for line in lines)
    assert f"redirected {document['steering']['redirected']}" in lines[1]
    for queue in document["queues"]:
        worker = queue["worker"]
        number = str(queue["queue"])
        rows = [line.split() for line in lines if line.split()[0] == number]
        assert [number, "copy", str(queue["cpu"]), str(queue["generation"])] in [row[:4] for row in rows]
        assert [number, *(str(worker[name]) for name in (
            "received", "transmitted", "completed", "dropped", "transmit_wakeups", "transmit_busy",
            "transmit_errors"))] in rows
        assert [number, *(str(worker[f"flows_{name}"]) for name in ("opening", "established", "closing", "udp")),
                str(worker["flow_table_capacity"])] in [row[:6] for row in rows]
        assert worker["flows_closing"] > 0 and worker["received"] == worker["transmitted"] > 0


def test_one_interface_may_be_named(start):
    daemon = start()
    named = daemon.client("interfaces", INTERFACE)
    assert named.returncode == 0 and named.stdout.startswith(f"interface {INTERFACE}: ")
    unknown = daemon.client("interfaces", "nosuch0")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert unknown.stderr == (
        f'guideway: no interface in service is called "nosuch0" (there are: {INTERFACE})\n')


def test_each_frame_is_in_a_ring_when_nothing_moves(lab, start):
    """In copy mode the kernel keeps none back but the one that it may have ready for the next packet."""
    daemon = start(config(lab, interface={"mode": "copy", "frames": 1024, "ring": 256}))
    assert {page.status for page in fetch.fetch_all(lab, range(24300, 24350))} == {200}
    daemon.settle()

    def at_rest():
        rings = [queue["rings"] for queue in interface_of(daemon)["queues"]]
        return rings if all(ring[name]["entries"] == 0 for ring in rings
                            for name in ("receive", "transmit", "completion")) else None
    for rings in process.wait_until(at_rest, "all frames are given back"):
        assert [rings[name]["size"] for name in RINGS] == [1024, 256, 256, 1024]
        assert 1023 <= rings["fill"]["entries"] <= 1024


def test_packets_that_cannot_be_sent_are_shown_by_reason(lab, start):
    daemon = start(config(lab, weights=[0, 0, 0], ports=["udp/5300"]))
    flows = [("10.9.0.1", 24400 + number, 5300) for number in range(40)]
    with ManyFlows(lab) as many:
        many.put(flows)
    process.wait_until(lambda: daemon.count("no_backend") == len(flows), "they are dropped")
    by_queue = {queue["queue"]: queue["worker"]["drops"]["no_backend"]
                for queue in interface_of(daemon)["queues"]}
    text = daemon.client("interfaces").stdout
    for queue, dropped in by_queue.items():
        assert (f"  drops of queue {queue}: no_backend {dropped}\n" in text) == (dropped > 0)
    assert sum(by_queue.values()) == len(flows)
