"""A fleet in a lab with bgp=True: a guidewayd on each load balancer, beside the gobgpd of the lab, with
the same seed and the same pool; and the ways in which a load balancer goes and comes.

    fleet = start_fleet(lab, start)                # {"lb1": Daemon, ..}; the router has a route to each
    set_role(fleet["lb1"], "drain")
"""
import contextlib
import os
import signal

from support import bgp, netns, process, router
from support.daemon import config
from support.lab import INTERFACE, VIP
from support.reload import ask


def settings(lab, node, drain="0s", **changes):
    """config() of a node that announces the VIP. `drain`: how long it forwards after a signal to stop.
    `changes`: keys of the section `bgp`."""
    return {**config(lab, node), "bgp": bgp.bgp_config(lab, node, **changes), "shutdown": {"drain": drain}}


def peer(lab, node, **changes):
    """The router, as a node's list `peers` has it."""
    return [{**bgp.bgp_config(lab, node)["peers"][0], **changes}]


def start_fleet(lab, start, *names, **changes):
    """Starts a daemon on each load balancer, or on those named, and waits until the router sends to
    exactly these."""
    names = names or [lb.name for lb in lab.lbs]
    fleet = {name: start(settings(lab, name, **changes), name) for name in names}
    wait_for_hops(lab, *names)
    return fleet


def wait_for_hops(lab, *names, seconds=30.0):
    """Until the router sends packets for the VIP to exactly these load balancers."""
    router.wait_for_routes(lab, VIP, router.addresses(lab, *names) if names else set(), seconds)


def set_role(daemon, role):
    done = daemon.client("role", role)
    assert done.returncode == 0, f"{done.stderr}\n{daemon.log()}"
    return done.stdout


def bgp_status(daemon):
    """What the daemon says of BGP, whether the speaker is in step or not: the object of GET /v1/bgp."""
    answer = ask(daemon, "GET", "/v1/bgp")
    assert answer.status == 200, f"{answer.body}\n{daemon.log()}"
    return answer.body


def route_status(daemon, prefix=f"{VIP}/32"):
    """What the daemon says of one route."""
    return next(route for route in bgp_status(daemon)["routes"] if route["prefix"] == prefix)


def wait_route(daemon, seconds=15.0, prefix=f"{VIP}/32", **wanted):
    """Until the daemon says all of this of a route; returns what it says then."""
    seen = {}

    def reached():
        seen.update(route_status(daemon, prefix))
        return all(seen[key] == value for key, value in wanted.items())
    try:
        process.wait_until(reached, f"the route to {prefix} has {wanted}", seconds)
    except process.DeadlineExpired as expired:
        raise AssertionError(f"{expired}: {seen}\n{daemon.log()}") from None
    return seen


# ---- the end of a machine ------------------------------------------------------------------------


def fall_silent(lab, name):
    """Nothing that the kernel of a load balancer sends reaches the router any more, so that nobody
    hears its connections end; the link stays up, and what workers send is not concerned."""
    lab.ip(name, f"route add blackhole {lab.lb(name).gateway}/32")


def kill_machine(lab, daemon):
    """guidewayd and gobgpd end at once, without a word. What XDP has attached stays, as with a process
    that is killed, and has nobody to give packets to: they are lost, as in a machine that is dead."""
    gobgpd = lab.running(daemon.node, "gobgpd")
    daemon.child.kill()
    os.kill(gobgpd["pid"], signal.SIGKILL)
    daemon.wait(10)
    lab.stop_gobgpd(daemon.node, signal.SIGKILL)


def link_down(lab, name):
    lab.ip(name, f"link set {INTERFACE} down")


def repair_machine(lab, name):
    """Takes back what was done to it: a machine that has booted again, and in which nothing runs but a
    bare gobgpd."""
    lb = lab.lb(name)
    with contextlib.suppress(StopIteration):
        lab.stop_gobgpd(name, signal.SIGKILL)
    # A link that goes down takes routes and addresses of IPv6 with it.
    lab.ip(name, f"link set {INTERFACE} up", f"route replace default via {lb.gateway}",
           f"address replace {bgp.lb_address_6(lb)}/64 dev {INTERFACE} nodad")
    with contextlib.suppress(netns.CommandFailed):  # there was none
        lab.ip(name, f"route delete blackhole {lb.gateway}/32")
    lab.start_gobgpd(name)
