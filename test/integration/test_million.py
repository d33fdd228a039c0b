"""A million frames, and each is accounted for: none is lost on its way round the rings, whatever the
driver and the way that it hands packets over."""
import pytest

from support import netns, pktgen, process
from support.daemon import config
from support.lab import FABRIC_MTU, INTERFACE

FRAMES = 1_000_000
SLICE = 50_000
PORT = 53
SETTLE_SECONDS = 30.0  # of what is queued before a slow NIC
RINGS = ("receive", "transmit", "completion")


@pytest.fixture(scope="module", autouse=True)
def generator_is_there():
    if reason := pktgen.missing():
        pytest.skip(reason)


@pytest.fixture
def generator(lab):
    """The router drops what comes back in the tunnels: backends have enough to do without."""
    routes = [f"{backend.address}/32" for backend in lab.backends]
    lab.ip("router", *(f"route add blackhole {route}" for route in routes))
    with pktgen.Generator(lab, PORT) as generator:
        yield generator
    lab.ip("router", *(f"route del blackhole {route}" for route in routes))


def start_with_udp(lab, start):
    return start(config(lab, ports=("tcp/80", f"udp/{PORT}")))


def nic_ring(lab):
    """Frames that the driver may hold in a ring of its own, for each queue."""
    try:
        text = netns.run("ip", "netns", "exec", lab.ns("lb1"), "ethtool", "-g", INTERFACE)
    except netns.CommandFailed:
        return 0
    numbers = [line.split()[1] for line in text.partition("Current")[2].splitlines() if line.startswith("RX:")]
    return int(numbers[0])


def assert_balance(lab, status, frames=4096):
    """Every frame is free again: in the FILL ring, or in the driver's, for what comes next."""
    held = nic_ring(lab)
    for queue in status["interfaces"][0]["queues"]:
        entries = {name: ring["entries"] for name, ring in queue["rings"].items()}
        assert [entries[name] for name in RINGS] == [0, 0, 0], queue
        least = frames - held if queue["mode"] == "zero-copy" else frames
        assert least <= entries["fill"] <= frames, (held, queue)
        for name in ("rx_invalid_descs", "tx_invalid_descs"):
            assert queue["socket"][name] == 0, queue


def test_a_million_frames_leave_fill_and_completion_in_balance(lab, start, generator):
    daemon = start_with_udp(lab, start)
    while daemon.status()["totals"]["received"] < FRAMES:
        before = daemon.status()["totals"]["received"]
        generator.send(SLICE)
        assert daemon.status()["totals"]["received"] > before, "nothing arrives any more"
    status = daemon.settle(SETTLE_SECONDS)
    assert_balance(lab, status)
    assert status["totals"]["transmitted"] > FRAMES / 2  # the others: no room in the ring of a slow link
    assert status["totals"]["dropped"] == status["totals"]["drops"]["tx_ring_full"]
    print("\n   ", {name: status["totals"][name] for name in ("received", "transmitted", "dropped",
                                                             "transmit_wakeups", "batches", "sleeps")})


def test_a_link_that_goes_down_under_load_gives_all_frames_back(lab, start, generator):
    daemon = start_with_udp(lab, start)
    for _ in range(3):
        with generator.sending():
            before = daemon.status()["totals"]["received"]
            process.wait_until(lambda before=before: daemon.status()["totals"]["received"] > before + 1000,
                               "packets are coming", 20.0)
            lab.ip("lb1", f"link set {INTERFACE} down")
        lab.ip("lb1", f"link set {INTERFACE} up", f"route replace default via {lab.lbs[0].gateway}")
        daemon.wait_resolved()
        assert_balance(lab, daemon.settle(SETTLE_SECONDS))


def test_the_longest_packets_of_the_fabric_arrive_whole_after_the_load(lab, start, generator):
    """An upload in full segments, on frames that all have been round many times."""
    daemon = start_with_udp(lab, start)
    with pktgen.Generator(lab, PORT, packet_bytes=FABRIC_MTU - 24 + 14) as longest:
        longest.send(5000)
    status = daemon.settle(SETTLE_SECONDS)
    assert status["totals"]["dropped"] == status["totals"]["drops"]["tx_ring_full"]
    assert_balance(lab, status)
