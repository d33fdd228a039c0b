"""`guideway explain` where it matters by which interface, and which of its queues, a packet comes in."""
import pytest

from support import second_link as second
from support.daemon import config
from support.lab import INTERFACE
from test_explain import PORTS, Flow, explain


def test_queues_without_a_worker_are_told(lab, start):
    daemon = start(config(lab, ports=PORTS, interface={"queues": [0]}))
    answer = explain(daemon, Flow("tcp", 5000))
    assert answer["verdict"] == "forwarded"
    [steering] = answer["steering"]
    assert (steering["queues"], steering["unserved_queues"]) == (lab.queues, lab.queues - 1)
    assert "(no_socket)" in daemon.client("explain", *Flow("tcp", 5000).words).stdout.replace("\n", " ")


@pytest.fixture
def two_interfaces(lab, start):
    with second.second_link(lab):
        yield start(second.add_to(config(lab, ports=PORTS), "tcp/80"))


def test_an_interface_by_which_the_backend_is_not_reached_is_told(lab, two_interfaces):
    by_first = explain(two_interfaces, Flow("tcp", 5001))
    assert (by_first["verdict"], by_first["interface"]) == ("forwarded", INTERFACE)
    assert by_first["elsewhere"] == [{"interface": second.DEVICE, "reason": "no_next_hop"}]
    by_second = explain(two_interfaces, Flow("tcp", 5001, vip=second.VIP))
    assert (by_second["verdict"], by_second["interface"]) == ("forwarded", second.DEVICE)
    assert by_second["elsewhere"] == [{"interface": INTERFACE, "reason": "no_next_hop"}]
    named = two_interfaces.client("explain", *Flow("tcp", 5001).words, "--interface", second.DEVICE)
    assert named.stdout.splitlines()[-1].startswith("dropped: no_next_hop: ")
