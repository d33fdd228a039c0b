"""What tests ask the router of a lab with bgp=True: what the kernel does with a VIP, what BIRD knows
of it, and every change of the kernel's route while a block of the test runs.

    with router.RouteWatch(lab, VIP) as watch:
        ..                                             # kill something
    assert watch.hops_that_left() == set()             # not even for a moment
"""
import contextlib
import dataclasses
import os
import re
import signal

from support import bgp, netns, process
from support.route_watch import RouteWatch, routes

__all__ = ["BgpRoute", "RouteWatch", "addresses", "bgp_routes", "bird", "changed_bird", "configure_bird", "paused",
           "routes", "sessions", "wait_for_routes", "wait_for_session"]


@dataclasses.dataclass(frozen=True)
class BgpRoute:
    """A route as BIRD has learnt it from one session. None, or nothing: the peer did not say it."""
    prefix: str
    session: str
    next_hop: str              # where packets go
    best: bool
    as_path: tuple = ()
    origin: str | None = None
    local_pref: int | None = None
    med: int | None = None
    communities: tuple = ()        # ((65535, 0), ..)
    large_communities: tuple = ()  # ((64512, 1, 2), ..)


@contextlib.contextmanager
def paused(lab, what, node="router"):
    """A daemon ("bird", "bgpd", "gobgpd") that does nothing for as long as the block runs."""
    pid = lab.running(node, what)["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        process.wait_stopped(pid, what)
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


# ---- the kernel ------------------------------------------------------------------------------------


def addresses(lab, *names):
    """The addresses of load balancers, all or those named, as routes() has them."""
    return {lb.address for lb in lab.lbs if not names or lb.name in names}


def wait_for_routes(lab, prefix, hops, seconds=30.0):
    """Until the kernel has exactly these next hops for the prefix."""
    with _explained(lab):
        process.wait_until(lambda: routes(lab, prefix) == set(hops),
                           f"the router's route to {prefix} has the next hops {sorted(hops)}", seconds)


# ---- BIRD ------------------------------------------------------------------------------------------


def bird(lab, command):
    """What BIRD answers to a command such as "show route all"."""
    return bgp.birdc(lab, command)


def configure_bird(lab, *changes):
    """BIRD goes on with the lab's configuration, in which each (pattern, new) is replaced. Sessions that
    it does not concern stay."""
    text = bgp.bird_config(lab)
    for pattern, new in changes:
        text = bgp.replace_one(text, pattern, new)
    (lab.node_folder("router") / "bird.conf").write_text(text)
    assert "Reconfigur" in bgp.birdc(lab, "configure")
    process.wait_until(lambda: "Reconfiguration in progress" not in bird(lab, "show status"),
                       "BIRD has taken its file", 30)


@contextlib.contextmanager
def changed_bird(lab, *changes):
    """configure_bird() for as long as the block runs."""
    try:
        configure_bird(lab, *changes)
        yield
    finally:
        configure_bird(lab)


def sessions(lab):
    """{"lb1": "Established", "lb1_6": "Active", ..}: BIRD's state of each session."""
    rows = (line.split(None, 5) for line in bird(lab, "show protocols").splitlines())
    return {row[0]: row[5].split()[0] if len(row) > 5 else "" for row in rows
            if len(row) >= 5 and row[1] == "BGP"}


def wait_for_session(lab, name, state="Established", seconds=30.0):
    """Until BIRD has the session in this state."""
    with _explained(lab):
        process.wait_until(lambda: sessions(lab)[name] == state, f"session {name} is {state}", seconds)


@contextlib.contextmanager
def _explained(lab):
    try:
        yield
    except process.DeadlineExpired as expired:
        raise AssertionError(f"{expired}; sessions {sessions(lab)}\n{bird(lab, 'show route all')}") from None


_HEAD = re.compile(r"(?P<prefix>\S+)?\s+unicast \[(?P<session>\w+) [^\]]*\](?P<best> \*)? ")
_HOP = re.compile(r"\tvia (\S+) on ")
_ATTRIBUTE = re.compile(r"\tBGP\.(\w+): *(.*)")


def bgp_routes(lab, prefix=None):
    """The BgpRoutes of all sessions that BIRD has accepted, of one prefix or of all."""
    try:
        return parse_routes(bird(lab, f"show route {'for ' + prefix if prefix else ''} all"))
    except netns.CommandFailed as failed:
        if "Network not found" in str(failed):  # to BIRD, a prefix without a route is an error
            return []
        raise


def parse_routes(text):
    """What `show route all` printed, as BgpRoutes."""
    found, prefix = [], None
    for line in text.splitlines():
        if head := _HEAD.match(line):
            prefix = head["prefix"] or prefix
            found.append({"prefix": prefix, "session": head["session"], "best": bool(head["best"])})
        elif hop := _HOP.match(line):
            found[-1]["next_hop"] = hop[1]
        elif (attribute := _ATTRIBUTE.match(line)) and attribute[1] in _READERS:
            name, read = _READERS[attribute[1]]
            found[-1][name] = read(attribute[2])
    return [BgpRoute(**values) for values in found]


def _tuples(text):
    return tuple(tuple(int(number) for number in group.split(","))
                 for group in re.findall(r"\(([\d, ]+)\)", text))


_READERS = {
    "as_path": ("as_path", lambda text: tuple(int(number) for number in text.split())),
    "origin": ("origin", str),
    "local_pref": ("local_pref", int),
    "med": ("med", int),
    "community": ("communities", _tuples),
    "large_community": ("large_communities", _tuples),
}
