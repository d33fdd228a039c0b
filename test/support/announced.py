"""What a guidewayd with a `bgp` section says of its announcements, what its gobgpd really holds, and
what the router's BIRD has heard of it: three views, for a test to compare."""
import contextlib
import json
import os
import re
import signal
import subprocess

from support import bgp, netns, process, router
from support import reload as reload_module
from support.lab import VIP

# By which guidewayd knows its own paths in gobgpd's table: userspace/gobgp/speaker.h.
PATH_IDENTIFIER = 0x47570001
# Types of path attributes, as gobgp numbers them.
MED = 4


# ---- guidewayd -----------------------------------------------------------------------------------


def told(daemon):
    """GET /v1/bgp."""
    answer = reload_module.ask(daemon, "GET", "/v1/bgp")
    assert answer.status == 200, answer
    return answer.body


def route_of(status, prefix=f"{VIP}/32"):
    """What of its answer is about one prefix."""
    return next(route for route in status["routes"] if route["prefix"] == prefix)


def route_told(daemon, prefix=f"{VIP}/32"):
    return route_of(told(daemon), prefix)


def wait_told(daemon, condition, what, seconds=15.0):
    """Until `condition` holds of what it says; returns that."""
    last = {}

    def reached():
        last.update(now=told(daemon))
        return condition(last["now"])
    try:
        process.wait_until(reached, what, seconds)
    except process.DeadlineExpired as expired:
        raise AssertionError(f"{expired}\n{json.dumps(last['now'], indent=1)}\n{daemon.log()}") from None
    return last["now"]


def wait_route(daemon, prefix=f"{VIP}/32", seconds=15.0, **wanted):
    """Until it says all of this of a route; returns what it says then."""
    def reached(now):
        route = route_of(now, prefix)
        return all(route[key] == value for key, value in wanted.items())
    return route_of(wait_told(daemon, reached, f"the route to {prefix} has {wanted}", seconds), prefix)


def _succeeded(status):
    return status["calls"] - status["failures"]


def wait_calls(daemon, number=2):
    """Until it has looked at its gobgpd so many times more, and found all right: what there was to
    do is done."""
    goal = _succeeded(told(daemon)) + number
    return wait_told(daemon, lambda now: now["in_step"] and _succeeded(now) >= goal, f"{number} more calls")


def wait_established(daemon, *addresses, seconds=30.0):
    """Until the sessions are, all or those with these peers."""
    def established(now):
        wanted = set(addresses) or {session["peer"] for session in now["sessions"]}
        return wanted and wanted <= {session["peer"] for session in now["sessions"]
                                     if session["state"] == "established"}
    return wait_told(daemon, established, f"sessions {addresses or ''} are established", seconds)


def withdraw(lab, node, path, *options):
    """guidewayd --withdraw: the ended process."""
    command = netns.exec_command(lab.ns(node), [lab.bin_dir / "guidewayd", "--withdraw", path, *options])
    return subprocess.run(command, capture_output=True, text=True)


# ---- gobgpd --------------------------------------------------------------------------------------


def paths(lab, name="lb1"):
    """The table of a gobgpd: {prefix: [attributes of each path, by their type]}."""
    table = json.loads(bgp.gobgp(lab, name, "--json", "global", "rib") or "{}")
    return {prefix: [{attribute["type"]: attribute for attribute in path["attrs"]} for path in found]
            for prefix, found in table.items()}


def peers(lab, name="lb1"):
    """The addresses of the peers of a gobgpd."""
    found = json.loads(bgp.gobgp(lab, name, "--json", "neighbor") or "[]")
    return {peer["conf"]["neighbor_address"] for peer in found or []}


def wait_gobgpd(lab, name, holds, what, seconds=15.0):
    """Until `holds()` is true of a gobgpd, which may refuse an answer meanwhile."""
    def reached():
        with contextlib.suppress(netns.CommandFailed):
            return holds()
    try:
        process.wait_until(reached, f"gobgpd of {name}: {what}", seconds, 0.05)
    except process.DeadlineExpired as expired:
        raise AssertionError(f"{expired}: it has {paths(lab, name)}, peers {peers(lab, name)}") from None


def wait_paths(lab, name, *prefixes, seconds=15.0):
    """Until a gobgpd holds exactly one path to each of these, and nothing else."""
    wanted = {prefix: 1 for prefix in prefixes}
    wait_gobgpd(lab, name, lambda: {prefix: len(found) for prefix, found in paths(lab, name).items()}
                == wanted, f"one path to each of {prefixes}", seconds)


def signal_gobgpd(lab, name, number):
    """What does not end it: SIGSTOP, SIGCONT."""
    os.kill(lab.running(name, "gobgpd")["pid"], number)


@contextlib.contextmanager
def stopped_gobgpd(lab, name):
    """By SIGSTOP: its sockets stay, nobody answers on them."""
    signal_gobgpd(lab, name, signal.SIGSTOP)
    try:
        process.wait_stopped(lab.running(name, "gobgpd")["pid"], "gobgpd")
        yield
    finally:
        signal_gobgpd(lab, name, signal.SIGCONT)


def _runs(lab, node, what):
    with contextlib.suppress(StopIteration):
        return process.alive(lab.running(node, what))
    return False


def start_missing(lab):
    """The router's BIRD, and a gobgpd on each load balancer, where there is none."""
    if not _runs(lab, "router", "bird"):
        lab.start_bird()
    for lb in lab.lbs:
        if not _runs(lab, lb.name, "gobgpd"):
            lab.start_gobgpd(lb.name)


def bare_gobgpd(lab, name):
    """One that knows nothing, whatever there was before."""
    if _runs(lab, name, "gobgpd"):
        lab.stop_gobgpd(name)
    lab.start_gobgpd(name)


# ---- BIRD ----------------------------------------------------------------------------------------


def heard(lab, session="lb1"):
    """How many routes and withdrawals BIRD has got by a session: (updates, withdraws). Counted since
    BIRD began, for IPv4."""
    text = router.bird(lab, f"show protocols all {session}").split("Channel ipv4", 1)[1]
    return tuple(int(re.search(rf"Import {what}: +(\d+)", text)[1]) for what in ("updates", "withdraws"))


def waits_for_restart(lab, session="lb1"):
    """Whether BIRD keeps routes of a speaker that is gone, or has not said again which it has."""
    text = router.bird(lab, f"show protocols all {session}")
    return "Neighbor graceful restart active" in text
