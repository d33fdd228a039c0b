"""A fleet in a lab with bgp=True: a guidewayd on each load balancer, beside the gobgpd of the lab, with
the same seed and the same pool; and the ways in which a load balancer goes and comes. What each says
of itself: support.announced.

    fleet = start_fleet(lab, start)                # {"lb1": Daemon, ..}; the router has a route to each
    set_role(fleet["lb1"], "drain")
"""
import contextlib
import os
import signal

from support import announced, bgp, metrics, netns, process, router
from support.daemon import config
from support.lab import INTERFACE, VIP
from support.load import measured

HOLD_SECONDS = 30  # no session ends by itself, unless a test says otherwise


def settings(lab, node="lb1", vips=(VIP,), drain="0s", hold_time=f"{HOLD_SECONDS}s", **changes):
    """Of a guidewayd that announces `vips` by the gobgpd beside it, and has a metrics port. `drain`: how
    long it forwards after a signal to stop. `hold_time`: of every peer. `changes` are of the section
    `bgp`; None leaves a key out."""
    made = config(lab, node)
    made["services"] = [{"vip": vip, "ports": ["tcp/80"], "pool": "web"} for vip in vips]
    made["shutdown"] = {"drain": drain}
    made["metrics"] = {"listen": f"127.0.0.1:{metrics.PORT}"}
    made["bgp"] = bgp.bgp_config(lab, node, **changes)
    for peer in made["bgp"].get("peers", []):
        peer["hold_time"] = hold_time
    return made


def start_fleet(lab, start, *names, drain="0s", **changes):
    """Starts a daemon on each load balancer, or on those named, until the router sends to exactly these
    and has heard all that there is. `drain` is of the first alone; `changes` are as in settings()."""
    names = names or [lb.name for lb in lab.lbs]
    fleet = {name: start(settings(lab, name, drain=drain if name == names[0] else "0s", **changes), name)
             for name in names}
    wait_for_hops(lab, *names)
    for daemon in fleet.values():
        announced.wait_established(daemon)
    process.wait_until(lambda: not any(announced.waits_for_restart(lab, name) for name in names),
                       "the router has heard all", 30)
    return fleet


def wait_for_hops(lab, *names, seconds=30.0):
    """Until the router sends packets for the VIP to exactly these load balancers."""
    router.wait_for_routes(lab, VIP, router.addresses(lab, *names) if names else set(), seconds)


def set_role(daemon, role):
    done = daemon.client("role", role)
    assert done.returncode == 0, f"{done.stderr}\n{daemon.log()}"
    return done.stdout


def measure_absence(lab, watch, what, since):
    """Tells when the router lost the first of two load balancers from its route, and had it again."""
    gone = watch.wait_for(router.addresses(lab, "lb2"), after=since)
    back = watch.wait_for(router.addresses(lab), after=gone)
    measured(f"{what}: off the router's route after", gone - since)
    measured(f"{what}: on it again after", back - since)


# ---- the end of a machine ------------------------------------------------------------------------


@contextlib.contextmanager
def repaired_in_the_end(lab, name):
    """A block in which a load balancer may be done anything of the following. Behind it, it is as one
    that has booted again, and in which nothing runs but a bare gobgpd; also if the block fails."""
    try:
        yield
    finally:
        _repair_machine(lab, name)


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


def _repair_machine(lab, name):
    lb = lab.lb(name)
    # A link that goes down takes routes and addresses of IPv6 with it.
    lab.ip(name, f"link set {INTERFACE} xdp off", f"link set {INTERFACE} up",
           f"route replace default via {lb.gateway}",
           f"address replace {bgp.lb_address_6(lb)}/64 dev {INTERFACE} nodad")
    with contextlib.suppress(netns.CommandFailed):  # there was none
        lab.ip(name, f"route delete blackhole {lb.gateway}/32")
    announced.bare_gobgpd(lab, name)
