"""A million frames, and each is accounted for: none is lost on its way round the rings, whatever the
driver and the way that it hands packets over."""
import contextlib
import random
import re

import pytest

from support import fetch, netns, pktgen, process
from support.daemon import config
from support.lab import FABRIC_MTU, INTERFACE

FRAMES = 1_000_000
SLICE = 50_000
BURST = 100  # far fewer than any ring between the generator and the worker has room for: all arrive
PORT = 53
SETTLE_SECONDS = 30.0  # of what is queued before a slow NIC
ARRIVE_SECONDS = 20.0
RINGS = ("receive", "transmit", "completion")
GRE_HEADERS_BYTES, ETHERNET_HEADER_BYTES = 24, 14
FRAMES_OF_A_QUEUE = 4096
# With zero-copy a driver fills up its own ring when so many of its entries are free: IGB_RX_BUFFER_WRITE;
# of virtio_net more than half of what it handles at a time, which is 64.
FILL_STEP = {"igb": 16, "virtio_net": 32}
FILL_STEP_AT_MOST = 32


@pytest.fixture(scope="module", autouse=True)
def generator_is_there():
    if reason := pktgen.missing():
        pytest.skip(reason)


@contextlib.contextmanager
def backends_out_of_reach(lab):
    """The router drops what comes back in the tunnels: backends have enough to do without."""
    routes = [f"{backend.address}/32" for backend in lab.backends]
    lab.ip("router", *(f"route add blackhole {route}" for route in routes))
    try:
        yield
    finally:
        lab.ip("router", *(f"route del blackhole {route}" for route in routes))


@pytest.fixture
def generator(lab):
    with backends_out_of_reach(lab), pktgen.Generator(lab, PORT) as generator:
        yield generator


def start_with_udp(lab, start):
    return start(config(lab, ports=("tcp/80", f"udp/{PORT}")))


def received(daemon):
    return daemon.status()["totals"]["received"]


def wait_received(daemon, number, what, seconds=ARRIVE_SECONDS):
    process.wait_until(lambda: received(daemon) >= number, what, seconds)


def queues_of(status):
    return status["interfaces"][0]["queues"]


def nic_ring(lab):
    """Frames that the driver may hold in a ring of its own, for each queue."""
    try:
        text = netns.run("ip", "netns", "exec", lab.ns("lb1"), "ethtool", "-g", INTERFACE)
    except netns.CommandFailed:
        return 0
    number = re.search(r"^RX:\s+(\d+)", text.partition("Current")[2], re.MULTILINE)
    return int(number[1]) if number else 0


def after_single_packets(daemon, generator):
    """The status at rest, after each queue that was under load has had a packet by itself. The kernel says
    what it took from the FILL ring when it has handed packets over, but a driver may fill up its own ring
    (igb) and a socket put a refused frame aside (copy mode) after that: so it is said one packet later."""
    loaded = [(queue["queue"], queue["worker"]["received"]) for queue in queues_of(daemon.settle(SETTLE_SECONDS))
              if queue["worker"]["received"] > 0]

    def all_had_one():
        before = received(daemon)
        generator.send(1)
        with contextlib.suppress(process.DeadlineExpired):  # the link may not be there yet
            wait_received(daemon, before + 1, "it arrives", 2.0)
        now = {queue["queue"]: queue["worker"]["received"] for queue in queues_of(daemon.status())}
        return all(now[number] > count for number, count in loaded)
    process.wait_until(all_had_one, "each loaded queue has had a packet by itself", 60.0)
    return daemon.settle(SETTLE_SECONDS)


def fill_levels(status):
    return [queue["rings"]["fill"]["entries"] for queue in queues_of(status)]


def assert_balance(lab, status, settled):
    """Every frame is free again: in the FILL ring; with zero-copy also in the driver's, which is as full as
    it was in `settled`, up to the step in which it is filled. Both of after_single_packets()."""
    held, step = nic_ring(lab), FILL_STEP.get(lab.link.driver, FILL_STEP_AT_MOST)
    for queue, level in zip(queues_of(status), fill_levels(settled), strict=True):
        entries = {name: ring["entries"] for name, ring in queue["rings"].items()}
        assert [entries[name] for name in RINGS] == [0, 0, 0], queue
        if queue["mode"] == "zero-copy":
            assert FRAMES_OF_A_QUEUE - held <= entries["fill"] <= FRAMES_OF_A_QUEUE, (held, queue)
            assert abs(entries["fill"] - level) <= step, (level, step, queue)
        else:
            assert entries["fill"] == FRAMES_OF_A_QUEUE, queue
        for name in ("rx_invalid_descs", "tx_invalid_descs"):
            assert queue["socket"][name] == 0, queue


def assert_all_sent(status):
    """But for what a slow link had no room for."""
    totals = status["totals"]
    assert totals["transmitted"] > 0
    assert totals["received"] == totals["transmitted"] + totals["dropped"]
    assert totals["dropped"] == totals["drops"]["tx_ring_full"]


def load(daemon, generator):
    """A slice, of which something arrives."""
    before = received(daemon)
    generator.send(SLICE)
    wait_received(daemon, before + 1, "something arrives")


def test_a_million_frames_leave_fill_and_completion_in_balance(lab, start, generator):
    daemon = start_with_udp(lab, start)
    load(daemon, generator)
    settled = after_single_packets(daemon, generator)
    while received(daemon) < FRAMES:
        load(daemon, generator)
    status = after_single_packets(daemon, generator)
    assert_balance(lab, status, settled)
    assert_all_sent(status)
    print("\n   ", {name: status["totals"][name] for name in ("received", "transmitted", "dropped",
                                                             "transmit_wakeups", "batches", "sleeps")},
          "fill", fill_levels(settled), fill_levels(status))


def test_a_link_that_goes_down_under_load_gives_all_frames_back(lab, start, generator):
    daemon = start_with_udp(lab, start)
    load(daemon, generator)
    settled = after_single_packets(daemon, generator)
    for _ in range(3):
        with generator.sending():
            wait_received(daemon, received(daemon) + 1000, "packets are coming")
            lab.ip("lb1", f"link set {INTERFACE} down")
        lab.ip("lb1", f"link set {INTERFACE} up", f"route replace default via {lab.lbs[0].gateway}")
        daemon.wait_resolved()
        assert_balance(lab, after_single_packets(daemon, generator), settled)


def test_the_longest_packets_of_the_fabric_arrive_whole_after_the_load(lab, start):
    """Each of them is received and sent; and an upload in full segments is stored as it was, on frames that
    all have been round many times."""
    with backends_out_of_reach(lab):
        daemon = start_with_udp(lab, start)
        with pktgen.Generator(lab, PORT) as generator:
            load(daemon, generator)
            settled = after_single_packets(daemon, generator)
        longest_bytes = FABRIC_MTU - GRE_HEADERS_BYTES + ETHERNET_HEADER_BYTES
        with pktgen.Generator(lab, PORT, packet_bytes=longest_bytes) as generator:
            before = settled["totals"]["received"]
            for sent in range(BURST, 20 * BURST + 1, BURST):
                generator.send(BURST)
                wait_received(daemon, before + sent, f"all {sent} of the longest packets arrive")
            status = daemon.settle(SETTLE_SECONDS)
            assert status["totals"]["received"] == before + sent
            assert status["totals"]["transmitted"] == settled["totals"]["transmitted"] + sent
            status = after_single_packets(daemon, generator)
        assert_balance(lab, status, settled)
        assert_all_sent(status)
    daemon.wait_resolved()
    body = random.Random(7).randbytes(1_000_001)
    assert fetch.fetch(lab, "/upload/million", 26000, "PUT", body).status == 201
    kept = [path for backend in lab.backends
            for path in (lab.node_folder(backend.name) / "upload").glob("million")]
    assert [path.read_bytes() == body for path in kept] == [True]
