"""Reload at scale: how long POST /v1/reload takes for a file of 1,000 services over 100 pools with
10,000 backends, under traffic, and what it costs the daemon.

The lab's client fetches pages through one more pool, and numbered packets of 32 UDP flows pass,
through all of it; that none is lost and no flow moves is checked at the end."""
import argparse
import copy
import signal
import sys
import time

from e2e import meter, site
from support import netns, process
from support.daemon import Daemon
from support.fetch import Traffic
from support.lab import LabError
from support.reload import ask, write
from support.stream import Stream

FEWER_SERVICES = site.SERVICES // 2
START_SECONDS = 120


def scenarios(base):
    """What is changed: (title, file with the change, file without it); both are reloaded, in turn."""
    one = copy.deepcopy(base)
    one["pools"][1]["backends"][0]["weight"] = 2
    every = copy.deepcopy(base)
    for pool in every["pools"]:
        pool["backends"][0]["weight"] = 2
    fewer = copy.deepcopy(base)
    fewer["services"] = base["services"][:1] + site.services(FEWER_SERVICES)
    fewer_backends = copy.deepcopy(base)
    fewer_backends["pools"][1:] = [{**pool, "backends": pool["backends"][:50]} for pool in base["pools"][1:]]
    return (
        ("nothing changed", base, base),
        ("one backend of one pool: its weight", one, base),
        ("all pools: the weight of one backend each", every, base),
        (f"{site.SERVICES - FEWER_SERVICES} services removed, and added again", fewer, base),
        ("5,000 backends removed, and added again", fewer_backends, base),
    )


def timed_reload(daemon, content):
    """(ms until the answer, CPU time of the daemon meanwhile)."""
    write(daemon, content)
    before, begin = meter.Usage.of(daemon.child.pid), time.monotonic()
    answer = ask(daemon, "POST", "/v1/reload", timeout=120)
    taken_ms = (time.monotonic() - begin) * 1000
    used = meter.Usage.of(daemon.child.pid) - before
    if answer.status != 200 or not answer.body["succeeded"]:
        raise AssertionError(f"a reload that had to succeed: {answer}")
    return taken_ms, used


def start(lab):
    """A daemon with the site's file, ready; ms that it took."""
    daemon = Daemon(lab, site.settings(lab))
    begin = time.monotonic()
    daemon.start().wait_ready(START_SECONDS)
    return daemon, (time.monotonic() - begin) * 1000


def wait_resolved(daemon):
    """Until every next hop is known."""
    def resolved():
        return all(backend["next_hop"] == "resolved" for pool in daemon.status()["pools"]
                   for backend in pool["backends"])
    process.wait_until(resolved, "next hops are resolved", START_SECONDS, interval=0.5)


def measure(daemon, repetitions):
    """All scenarios in turn, so that what disturbs one disturbs all: {title: [(ms, Usage)]}."""
    cases = scenarios(daemon.settings)
    taken = {title: [] for title, _, _ in cases}
    for repetition in range(-1, repetitions):  # the first round is a warm-up
        for title, there, back in cases:
            for content in (there, back):
                figures = timed_reload(daemon, content)
                if repetition >= 0:
                    taken[title].append(figures)
    return taken


def report(taken, start_ms, memory):
    rows = [[title, meter.spread([ms for ms, _ in figures], 0),
             meter.spread([1000 * used.control for _, used in figures], 0),
             meter.spread([1000 * used.total for _, used in figures], 0)]
            for title, figures in taken.items()]
    print(meter.table(["reload of a file in which .. changed", "answer, ms", "CPU of control threads, ms",
                       "CPU of the daemon, ms"], rows))
    print(f"\nstart until ready: {start_ms:.0f} ms; resident memory: {memory[0]:.0f} MiB after the start, "
          f"{memory[1]:.0f} MiB after the reloads, {memory[2]:.0f} MiB at most")


def judge(traffic, stream):
    """Whether clients noticed; the benchmark of a daemon that loses packets is worth nothing."""
    answered, failures = traffic.stop()
    stream.stop()
    lost, moved = stream.lost(), stream.moved()
    print(f"clients meanwhile: {answered} pages fetched, {len(failures)} failed; {stream.total()} UDP packets "
          f"of {len(stream.sent)} flows, {len(lost)} flows with losses, {len(moved)} moved")
    for problem in [*failures, *lost, *moved][:5]:
        print(f"    {problem}")
    return not failures and not lost and not moved


def run(lab, repetitions):
    lab.up()
    site.route_site(lab)
    daemon, start_ms = start(lab)
    try:
        pid = daemon.child.pid
        wait_resolved(daemon)
        traffic, stream = Traffic(lab), Stream(lab, 53)
        first = meter.memory_mib(pid, "VmRSS")
        taken = measure(daemon, repetitions)
        memory = (first, meter.memory_mib(pid, "VmRSS"), meter.memory_mib(pid))
        report(taken, start_ms, memory)
        right = judge(traffic, stream)
    finally:
        daemon.stop()
    return right


def main(arguments):
    parser = argparse.ArgumentParser(prog="bench/e2e/reload.py", description=__doc__)
    parser.add_argument("--repetitions", type=int, default=9, metavar="N")
    options = parser.parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: sys.exit(f"ended by {signal.Signals(received).name}"))
    lab = site.lab(backends=3)
    with lab.held():
        try:
            right = run(lab, options.repetitions)
        finally:
            lab.down()
    return 0 if right else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (LabError, netns.CommandFailed, process.DeadlineExpired, AssertionError) as failure:
        sys.exit(f"bench/e2e/reload.py: {failure}")
