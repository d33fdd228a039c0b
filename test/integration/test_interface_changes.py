"""What others do to the interface while the daemon serves it, and what the daemon makes of it."""
import pytest

from support import fetch, netns, process
from support.daemon import config, xdp_programs
from support.lab import INTERFACE


def test_a_link_that_goes_down_and_comes_back_forwards_again(lab, start):
    daemon = start()
    assert fetch.fetch(lab, port=40000).status == 200
    lab.ip("lb1", f"link set {INTERFACE} down", f"link set {INTERFACE} up",
           f"route replace default via {lab.lbs[0].gateway}")
    daemon.wait_resolved()
    assert fetch.fetch(lab, port=40001).status == 200


def test_a_program_that_is_taken_off_is_noticed(lab, new_daemon):
    daemon = new_daemon().start().wait_ready()
    lab.ip("lb1", f"link set {INTERFACE} xdp off")
    process.wait_until(lambda: daemon.status()["interfaces"][0]["attachment"] == "lost", "the loss is shown", 10.0)
    assert f"{INTERFACE}: the steering program is no longer attached" in daemon.log()
    assert daemon.stop() == 0
    assert "warning" not in daemon.log().partition("no longer attached")[2]


def test_an_mtu_that_outgrows_the_frames_is_noticed(lab, start):
    if lab.link.driver == "igb":
        pytest.skip("the driver igb refuses an MTU beyond the buffers that it has")
    daemon = start()
    try:
        lab.ip("lb1", f"link set {INTERFACE} mtu 3000")
        process.wait_until(lambda: "its MTU was raised to 3000" in daemon.log(), "the MTU is noticed", 10.0)
        assert daemon.status()["interfaces"][0]["mtu"] == 3000
    finally:
        lab.ip("lb1", f"link set {INTERFACE} mtu 1600")


@pytest.fixture
def spare(lab):
    """Another interface of the load balancer: four receive queues, one transmit queue."""
    lab.ip("lb1", "link add spare0 numrxqueues 4 numtxqueues 1 type veth peer name spare1 "
           "numrxqueues 1 numtxqueues 4", "link set spare0 up", "link set spare1 up")
    yield "spare0"
    if "spare0" in netns.ip("-n", lab.ns("lb1"), "link", "show"):
        lab.ip("lb1", "link delete spare0")


def test_an_interface_that_is_deleted_is_noticed_and_the_end_is_orderly(lab, new_daemon, spare):
    daemon = new_daemon(config(lab, interface={"name": spare, "queues": [0]})).start().wait_ready()
    lab.ip("lb1", f"link delete {spare}")
    process.wait_until(lambda: daemon.status()["interfaces"][0]["attachment"] == "lost", "the loss is shown", 10.0)
    assert daemon.stop() == 0


def test_a_receive_queue_that_nothing_can_be_sent_from_is_refused(lab, new_daemon, spare):
    daemon = new_daemon(config(lab, interface={"name": spare})).start()
    assert daemon.wait() == 1
    assert "receive queue 1 has no transmit queue beside it" in daemon.log()
    assert xdp_programs(lab, device=spare) == {}


def test_another_name_of_a_served_interface_is_refused_and_the_first_goes_on(lab, start, new_daemon):
    first = start()
    lab.ip("lb1", f"link property add dev {INTERFACE} altname other0")
    try:
        settings = config(lab, interface={"name": "other0"})
        settings["admin"]["socket"] += ".second"
        second = new_daemon(settings)
        second.config_path = second.folder / "second.yaml"
        second.log_path = second.folder / "second.log"
        assert second.start().wait() == 1
        assert "it is served already" in second.log()
    finally:
        lab.ip("lb1", f"link property del dev {INTERFACE} altname other0")
    assert fetch.fetch(lab, port=41000).status == 200
    assert first.settle()["interfaces"][0]["attachment"] == "native"
