"""A listing goes on over a reload that takes an interface out of service, or brings one."""
import copy

import pytest

from support import second_link as second
from support.daemon import config
from support.lab import INTERFACE
from support.many_flows import ManyFlows
from support.reload import ask, reload

PORT = 5300
EACH = 200


@pytest.fixture(scope="module", autouse=True)
def second_link(lab):
    with second.second_link(lab):
        yield


@pytest.fixture
def both(lab, new_daemon):
    """A daemon with flows on two interfaces: (daemon, {interface: flows})."""
    settings = second.add_to(config(lab, ports=[f"udp/{PORT}"]), f"udp/{PORT}")
    settings["flow_table"]["timeouts"] = {"opening": "600s"}
    daemon = new_daemon(settings).start().wait_ready().wait_resolved()
    flows = {}
    with ManyFlows(lab) as first:
        flows[INTERFACE] = set(first.send((f"10.9.0.{1 + number % 50}", 23000 + number, PORT)
                                          for number in range(EACH)))
    with ManyFlows(lab, second.ROUTER_END, second.DEVICE) as other:
        flows[second.DEVICE] = set(other.send(((f"10.9.1.{1 + number % 50}", 23000 + number, PORT)
                                               for number in range(EACH)), second.VIP))
    yield daemon, flows
    assert daemon.stop() == 0, daemon.log()


def without(daemon, interface):
    settings = copy.deepcopy(daemon.settings)
    settings["interfaces"] = [one for one in settings["interfaces"] if one["name"] != interface]
    return settings


def listed(daemon, between):
    """The flows of a listing in small pages, with `between(interface of the page)` behind each."""
    found, after = [], ""
    while True:
        answer = ask(daemon, "GET", f"/v1/flows?limit=20{after}")
        assert answer.status == 200, answer
        found += answer.body["flows"]
        if answer.body["next"] == "":
            assert len({(flow["client"], flow["destination"]) for flow in found}) == len(found)
            return found
        between(answer.body["flows"][-1]["interface"])
        after = f"&after={answer.body['next']}"


def of(interface, found):
    return {(flow["client"], flow["destination"]) for flow in found if flow["interface"] == interface}


def once(when, action):
    """Calls `action` the first time that it is called with `when`."""
    done = []

    def call(interface):
        if interface == when and not done:
            done.append(True)
            action()
    return call


def test_the_listing_of_two_interfaces_has_both(both):
    daemon, flows = both
    found = listed(daemon, lambda interface: None)
    assert {interface: of(interface, found) for interface in flows} == flows


def test_an_interface_that_goes_while_it_is_listed_gives_way_to_the_next(both):
    daemon, flows = both
    found = listed(daemon, once(INTERFACE, lambda: reload(daemon, without(daemon, INTERFACE))))
    assert of(second.DEVICE, found) == flows[second.DEVICE]
    assert 0 < len(of(INTERFACE, found)) < EACH and of(INTERFACE, found) < flows[INTERFACE]


def test_an_interface_that_goes_before_it_is_listed_is_left_out(both):
    daemon, flows = both
    found = listed(daemon, once(INTERFACE, lambda: reload(daemon, without(daemon, second.DEVICE))))
    assert of(INTERFACE, found) == flows[INTERFACE] and of(second.DEVICE, found) == set()


def test_the_last_interface_that_goes_while_it_is_listed_ends_the_listing(both):
    daemon, flows = both
    found = listed(daemon, once(second.DEVICE, lambda: reload(daemon, without(daemon, second.DEVICE))))
    assert of(INTERFACE, found) == flows[INTERFACE]
    assert 0 < len(of(second.DEVICE, found)) < EACH


def test_an_interface_that_goes_and_comes_again_begins_with_an_empty_table(both):
    daemon, flows = both

    def go_and_come():
        reload(daemon, without(daemon, INTERFACE))
        reload(daemon, daemon.settings)
    found = listed(daemon, once(INTERFACE, go_and_come))
    assert of(second.DEVICE, found) == flows[second.DEVICE]
    assert 0 < len(of(INTERFACE, found)) < EACH
    assert of(INTERFACE, listed(daemon, lambda interface: None)) == set()
