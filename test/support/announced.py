"""What a guidewayd with a `bgp` section says of its announcements, what its gobgpd really holds, and
what the router's BIRD has heard of it: three views, for a test to compare."""
import contextlib
import json
import os
import re
import signal
import subprocess

from support import bgp, metrics, netns, process, router
from support import reload as reload_module
from support.daemon import config
from support.lab import VIP
from support.load import measured

# By which guidewayd knows its own paths in gobgpd's table: userspace/gobgp/speaker.h.
PATH_IDENTIFIER = 0x47570001
# Types of path attributes, as gobgp numbers them.
MED = 4


# ---- settings ------------------------------------------------------------------------------------


def settings(lab, node="lb1", vips=(VIP,), drain="0s", hold_time="30s", **changes):
    """Of a guidewayd that announces `vips` by the gobgpd beside it, and has a metrics port. The long
    hold time: no session ends by itself. `changes` are of the section bgp."""
    made = config(lab, node)
    made["services"] = [{"vip": vip, "ports": ["tcp/80"], "pool": "web"} for vip in vips]
    made["shutdown"] = {"drain": drain}
    made["metrics"] = {"listen": f"127.0.0.1:{metrics.PORT}"}
    made["bgp"] = bgp.bgp_config(lab, node, **changes)
    for peer in made["bgp"].get("peers", []):
        peer["hold_time"] = hold_time
    return made


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


def start_fleet(lab, start, drain="0s", **changes):
    """Starts all load balancers, with changes of their section bgp, until the router spreads over them
    and has heard all that there is. Returns the first, which alone has a drain time."""
    daemons = [start(settings(lab, lb.name, drain=drain if lb is lab.lbs[0] else "0s", **changes), lb.name)
               for lb in lab.lbs]
    router.wait_for_routes(lab, VIP, router.addresses(lab))
    for daemon in daemons:
        wait_established(daemon)
    process.wait_until(lambda: not any(waits_for_restart(lab, lb.name) for lb in lab.lbs),
                       "the router has heard all", 30)
    return daemons[0]


def withdraw(lab, node, path, *options):
    """guidewayd --withdraw: the ended process."""
    command = netns.exec_command(lab.ns(node), [lab.bin_dir / "guidewayd", "--withdraw", path, *options])
    return subprocess.run(command, capture_output=True, text=True)


def measure_absence(lab, watch, what, since):
    """Tells when the router lost the first of two load balancers from its route, and had it again."""
    gone = watch.wait_for(router.addresses(lab, "lb2"), after=since)
    back = watch.wait_for(router.addresses(lab), after=gone)
    measured(f"{what}: off the router's route after", gone - since)
    measured(f"{what}: on it again after", back - since)


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
        yield
    finally:
        signal_gobgpd(lab, name, signal.SIGCONT)


def has_gobgpd(lab, name):
    with contextlib.suppress(StopIteration):
        return process.alive(lab.running(name, "gobgpd"))
    return False


def start_missing_gobgpd(lab):
    """On each load balancer that has none."""
    for lb in lab.lbs:
        if not has_gobgpd(lab, lb.name):
            lab.start_gobgpd(lb.name)


def bare_gobgpd(lab, name):
    """One that knows nothing, whatever there was before."""
    if has_gobgpd(lab, name):
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


def configure_bird(lab, pattern, new):
    """Changes one place of BIRD's file, and has BIRD take it; sessions that it does not concern stay."""
    path = lab.node_folder("router") / "bird.conf"
    path.write_text(bgp.replace_one(path.read_text(), pattern, new))
    assert "Reconfigur" in bgp.birdc(lab, "configure")
    process.wait_until(lambda: "Reconfiguration in progress" not in router.bird(lab, "show status"),
                       "BIRD has taken its file", 10)
