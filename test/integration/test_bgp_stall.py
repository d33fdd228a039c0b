"""A load balancer that cannot forward: a worker is stalled, or the steering program is gone. It
leaves the router's route, the others take over, and it comes back when it can again."""
import time

from support import announced, fetch, fleet, router
from support.downloads import PIECE, unbroken_downloads
from support.hold_thread import HeldThread
from support.lab import INTERFACE, VIP
from support.reload import workers

LAB = {"bgp": True, "lbs": 2}


def test_a_worker_that_stalls_takes_its_load_balancer_out_of_the_route_until_it_goes_on(lab, start):
    two = fleet.start_fleet(lab, start)
    thread, name = min(workers(two["lb1"]).items())
    with unbroken_downloads(lab, "a worker stalls", 20000, 40, patience_seconds=60) as running, \
            router.RouteWatch(lab, VIP) as watch:
        held_at = time.monotonic()
        with HeldThread(thread):
            gone = watch.wait_for(router.addresses(lab, "lb2"))
            route = announced.wait_route(two["lb1"], held=False)
            assert (route["state"], route["why"]) == ("withdrawn", f"worker {name} is stalled")
            running.wait_bytes(PIECE, 60)
            assert {page.status for page in fetch.fetch_all(lab, range(21000, 21030))} == {200}
        released = time.monotonic()
        back = watch.wait_for(router.addresses(lab), after=released)
    print(f"a worker stalls: out of the route after {gone - held_at:.2f} s; back {back - released:.2f} s after "
          "it goes on")
    assert announced.wait_route(two["lb1"], held=True)["withdrawals"] == 1


def test_one_whose_program_was_taken_off_is_out_of_the_route_until_a_reload_attaches_it(lab, start):
    two = fleet.start_fleet(lab, start)
    with unbroken_downloads(lab, "the program is taken off", 22000, 40) as running, \
            router.RouteWatch(lab, VIP) as watch:
        taken_at = time.monotonic()
        lab.ip("lb1", f"link set {INTERFACE} xdp off")
        gone = watch.wait_for(router.addresses(lab, "lb2"))
        route = announced.wait_route(two["lb1"], held=False)
        assert (route["state"], route["why"]) == ("withdrawn", f"interface {INTERFACE} has lost its program")
        running.wait_bytes(PIECE)
        asked = time.monotonic()
        two["lb1"].reload()
        back = watch.wait_for(router.addresses(lab), after=asked)
    print(f"the program is taken off: out of the route after {gone - taken_at:.2f} s; back {back - asked:.2f} s "
          "after the reload")
    assert {page.status for page in fetch.fetch_all(lab, range(23000, 23030))} == {200}
