"""The demonstration behind `scripts/demo --fleet`: three load balancers that announce a VIP by BGP,
a router that runs BIRD and spreads over them, and downloads that go on while load balancers are
drained, stopped, killed, and come back."""
import signal
import time

from support import bgp, netns, process
from support.account import Verdict, show, step
from support.daemon import Daemon, config
from support.downloads import Downloads
from support.lab import VIP, Lab
from support.router import RouteWatch, addresses, routes, wait_for_routes

DOWNLOADS = 60
FIRST_PORT = 24000
_CHECK = {"type": "http", "port": 80, "path": "/", "interval": "200ms", "timeout": "200ms", "rise": 1, "fall": 2}


def _settings(lab, node):
    settings = config(lab, node)
    settings["pools"][0]["checks"] = [_CHECK]
    settings["bgp"] = bgp.bgp_config(lab, node, graceful_restart="20s")
    settings["shutdown"] = {"drain": "1s"}
    return settings


class _Fleet:
    def __init__(self, lab, verdict):
        self.lab, self.verdict = lab, verdict
        self.daemons = {lb.name: Daemon(lab, _settings(lab, lb.name), lb.name) for lb in lab.lbs}

    def start(self, *names):
        for name in names:
            self.daemons[name].start().wait_ready()
        for name in names:
            self.daemons[name].wait_resolved()

    def all_announce(self):
        """Until the router spreads over all of them."""
        wait_for_routes(self.lab, VIP, addresses(self.lab))

    def change(self, what, do, back=lambda: None, without=None):
        """One step: `do` something to a load balancer, wait until the router is `without` it (None: it
        must never be), have more bytes on every download, then take it `back`."""
        step(what)
        with RouteWatch(self.lab, VIP) as watch:
            self._restart_pauses()
            begin = time.monotonic()
            do()
            if without:
                left = addresses(self.lab) - addresses(self.lab, without)
                print(f"    the router is without {without} after {watch.wait_for(left) - begin:.2f} s")
            self.running.wait_bytes(100_000)
            back()
            self.all_announce()
            self.running.wait_bytes(100_000)
            if not without:
                self.verdict.check(watch.hops_that_left() == set(), "the router never lost a next hop")
        broken = self.running.broken()
        self.verdict.check(not broken, f"{DOWNLOADS - len(broken)} of {DOWNLOADS} downloads go on; longest "
                                       f"pause {self._restart_pauses():.2f} s")
        for failure in broken[:3]:
            print(f"        {failure}")

    def _restart_pauses(self):
        """The longest pause of all downloads, which is counted anew from here on."""
        longest = self.running.longest_pause_seconds()
        for one in self.running.all:
            one.longest_pause_seconds = 0.0
        return longest

    def run(self):
        step("three load balancers, each with a gobgpd beside it; the router runs BIRD")
        self.start(*self.daemons)
        self.all_announce()
        show(netns.run("ip", "-n", self.lab.ns("router"), "route", "show", VIP))
        show(self.daemons["lb1"].client("bgp").stdout)

        step(f"{DOWNLOADS} downloads, which go on until the end; every byte is compared")
        with Downloads(self.lab, range(FIRST_PORT, FIRST_PORT + DOWNLOADS)) as self.running:
            flows = {name: sum(backend["flows"] for backend in daemon.backends().values())
                     for name, daemon in self.daemons.items()}
            print("    flows: " + ", ".join(f"{name} {number}" for name, number in sorted(flows.items()))
                  + "; backends: " + ", ".join(f"{name} {number}" for name, number in
                                               sorted(self.running.by_backend().items())))
            self.verdict.check(min(flows.values()) > 0, "every load balancer has a share")
            self._changes()
        self.verdict.check(len(self.running.complete()) == DOWNLOADS,
                           f"{len(self.running.complete())} of {DOWNLOADS} downloads complete, "
                           f"{self.running.bytes() // 1000} kB, each from one backend to its end")

    def _changes(self):
        lab, lb1, lb2 = self.lab, self.daemons["lb1"], self.daemons["lb2"]
        self.change("lb1: guideway role drain; then active again", lambda: lb1.client("role", "drain"),
                    without="lb1", back=lambda: lb1.client("role", "active"))
        self.change("lb2: stopped by SIGTERM, as for an upgrade; then started again", lambda: lb2.stop(),
                    without="lb2", back=lambda: self.start("lb2"))
        self.change("lb1: guidewayd killed, and started again", lambda: (lb1.kill(), self.start("lb1")))
        self.change("lb3: gobgpd killed, and started again",
                    lambda: (lab.stop_gobgpd("lb3", signal.SIGKILL), lab.start_gobgpd("lb3")))
        self.change("lb2: dies as a machine does, guidewayd, gobgpd and link; then comes back",
                    self._die, without="lb2", back=self._rise)

    def _die(self):
        self.daemons["lb2"].kill()
        self.lab.stop_gobgpd("lb2", signal.SIGKILL)
        self.lab.ip("lb2", "link set net0 down")

    def _rise(self):
        self.lab.ip("lb2", "link set net0 up", f"route replace default via {self.lab.lb('lb2').gateway}")
        self.lab.start_gobgpd("lb2")
        self.start("lb2")

    def stop(self):
        step("stopping guidewayd on all three")
        codes = [daemon.stop() for daemon in self.daemons.values()]
        self.verdict.check(codes == [0] * len(codes), "all ended cleanly")
        process.wait_until(lambda: routes(self.lab, VIP) == set(), "the router has no route to the VIP")
        self.verdict.check(True, "and the router has no route to the VIP any more")


def lab_of_fleet(prefix):
    return Lab(prefix, lbs=3, bgp=True)


def demonstrate(lab, keep):
    """True: everything was as it should be."""
    verdict = Verdict()
    step("lab: a client, a router, three load balancers and three web servers")
    lab.up()
    print("\n".join(f"    {line}" for line in lab.describe()))
    fleet = _Fleet(lab, verdict)
    fleet.run()
    if not keep:
        fleet.stop()
    return verdict.right
