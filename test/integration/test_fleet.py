"""Two load balancers with the same seed decide alike, whatever the order in their files."""
from support import fetch
from support.daemon import config
from support.lab import VIP

LAB = {"lbs": 2}


def route_all_to(lab, *lbs):
    hops = " ".join(f"nexthop via {lb.address}" for lb in lbs)
    lab.ip("router", f"route replace {VIP}/32 {hops}")


def test_the_router_spreads_over_both_and_pages_arrive(lab, start):
    daemons = [start(node="lb1"), start(node="lb2")]
    ports = range(20000, 20100)
    assert {page.status for page in fetch.fetch_all(lab, ports)} == {200}
    flows = [daemon.settle()["totals"]["flow_inserted"] for daemon in daemons]
    assert min(flows) > 10 and sum(flows) == len(ports)


def test_a_flow_has_the_same_backend_through_either(lab, start):
    reversed_file = config(lab, "lb2")
    reversed_file["pools"][0]["backends"].reverse()
    start(node="lb1")
    start(reversed_file, node="lb2")
    chosen = []
    for lb in lab.lbs:
        route_all_to(lab, lb)
        chosen.append([fetch.backend_of(page) for page in fetch.fetch_all(lab, range(21000, 21100))])
    route_all_to(lab, *lab.lbs)
    assert chosen[0] == chosen[1]
    assert set(chosen[0]) == {"be1", "be2", "be3"}


def test_a_connection_survives_a_move_to_the_other_load_balancer(lab, start):
    start(node="lb1")
    start(node="lb2")
    route_all_to(lab, lab.lbs[0])
    sessions = [fetch.Session(lab, port) for port in range(22000, 22010)]
    before = [session.request() for session in sessions]
    route_all_to(lab, lab.lbs[1])
    after = [session.request(close=True) for session in sessions]
    fetch.close_all(lab, sessions)
    route_all_to(lab, *lab.lbs)
    assert [page.body for page in after] == [page.body for page in before]
