"""The lab: network namespaces and multi-queue veth pairs in which Guideway has real packets to
forward and real web servers to forward them to.

    client ────────── router ────────── lb1, lb2, ..          fabric: 10.77.0.0/16, MTU 1600,
    203.0.113.10        │    ECMP: VIP                        so that 24 bytes of GRE fit
    MTU 1500            └────────────── be1, be2, ..
                          back: DSR     198.51.100.1 (VIP) on lo

A namespace is called PREFIX-client, PREFIX-router and so on. In each of them `net0` leads to the
router, whose own ends are `to-client`, `to-lb1`, `to-be1`. The router sends the VIP to the load
balancers; a load balancer reaches a backend through the router as well, and the backend answers
the client directly, from the VIP.

With bgp=True the router has no route for the VIP but those that its BIRD learns from the gobgpd of
each load balancer (support/bgp.py).

Backends decapsulate with the kernel's GRE device, or, where it has none, with `guideway decap`.

The link to lb1 may be two NICs instead of a veth pair (support/links.py).

All that is made is recorded in /run/guideway-lab/PREFIX before it is made. `up` first removes what
a run that crashed has left; `down` leaves nothing.
"""
import contextlib
import dataclasses
import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import time

from support import bgp as bgp_module
from support import links, netns, process, webserver
from support.links import INTERFACE

ROOT = pathlib.Path(__file__).resolve().parents[2]
RUN = pathlib.Path("/run/guideway-lab")
VIP = "198.51.100.1"
CLIENT = "203.0.113.10"
CLIENT_GATEWAY = "203.0.113.1"
CLIENT_MTU = 1500
FABRIC_MTU = 1600
DECAPSULATIONS = ("auto", "kernel", "xdp")


class LabError(Exception):
    """The lab cannot be brought up as asked; says why."""


@dataclasses.dataclass(frozen=True)
class Node:
    """A namespace at the end of one veth pair to the router."""
    name: str
    address: str
    gateway: str
    mtu: int


def programs(preset=None):
    """The folder of the built programs: of $GUIDEWAY_BIN, or of a preset."""
    return pathlib.Path(os.environ.get("GUIDEWAY_BIN") or ROOT / "build" / (preset or "dev") / "bin")


@contextlib.contextmanager
def _locked(prefix, seconds):
    """One user of a prefix at a time. The lock file goes when nothing of the lab is left."""
    path = RUN.with_name(f"{RUN.name}-{prefix}.lock")
    deadline = time.monotonic() + seconds
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever had it may have removed the file: a lock on a file without a name is worthless.
            if path.exists() and os.fstat(fd).st_ino == path.stat().st_ino:
                break
        os.close(fd)
        if time.monotonic() > deadline:
            raise LabError(f"the lab '{prefix}' is in use by another process (lock {path})")
        time.sleep(0.1)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(fd)


class Lab:
    """One lab, up or not. Use `with lab.held():` around all that changes it."""

    def __init__(self, prefix="gwlab", backends=3, lbs=1, queues=2, decapsulation="auto", bin_dir=None,
                 bgp=False):
        if not re.fullmatch(r"[a-z][a-z0-9]{0,15}", prefix):
            raise LabError(f"prefix '{prefix}': up to 16 lower-case letters and digits, a letter first")
        for what, value, most in (("backends", backends, 99), ("lbs", lbs, 99), ("queues", queues, 64)):
            if not 1 <= value <= most:
                raise LabError(f"{what}: {value} is not within 1 to {most}")
        self.prefix, self.decapsulation, self.bgp = prefix, decapsulation, bgp
        self.link = links.of_lb1(queues)
        self.bin_dir = pathlib.Path(bin_dir or programs())
        self.folder = RUN / prefix
        self.pins = self.folder / "bpf"
        self.client = Node("client", CLIENT, CLIENT_GATEWAY, CLIENT_MTU)
        self.lbs = [Node(f"lb{i}", f"10.77.{i}.2", f"10.77.{i}.1", FABRIC_MTU)
                    for i in range(1, lbs + 1)]
        self.backends = [Node(f"be{i}", f"10.77.{100 + i}.2", f"10.77.{100 + i}.1", FABRIC_MTU)
                         for i in range(1, backends + 1)]
        self._state = {"namespaces": [], "processes": []}

    @property
    def nodes(self):
        return [self.client, *self.lbs, *self.backends]

    @property
    def queues(self):
        """Those of lb1's net0, of which the other links have as many."""
        return self.link.queues

    def ns(self, name):
        """The namespace of a node of this lab."""
        return f"{self.prefix}-{name}"

    def inside(self, name):
        return netns.inside(self.ns(name))

    def node_folder(self, name):
        return self.folder / name

    def held(self, seconds=600.0):
        """The lock of this prefix, for as long as the block runs."""
        return _locked(self.prefix, seconds)

    # ---- up ------------------------------------------------------------------------------------

    def up(self, say=lambda text: None):
        """Brings the lab up, after removing what is left of a former one. All or nothing."""
        if os.geteuid() != 0:
            raise LabError("network namespaces need root: run this as root")
        if not os.path.exists(webserver.NGINX):
            raise LabError(f"{webserver.NGINX} is missing: run scripts/deps")
        if self.bgp and bgp_module.missing_programs():
            raise LabError(f"{', '.join(bgp_module.missing_programs())} missing: run scripts/deps")
        self.down()
        try:
            say("namespaces and links")
            self._make_namespaces()
            self._make_links()
            say("routes")
            self._make_routes()
            if self.bgp:
                say("BIRD and gobgpd")
                self._start_bgp()
            say("web servers")
            self._start_web_servers()
            self._start_decapsulation(say)
        except BaseException as failure:
            with contextlib.suppress(netns.CommandFailed):
                self.down()  # what failed first is what is to be said
            if isinstance(failure, links.LinkError):
                raise LabError(str(failure)) from failure
            raise

    def _make_namespaces(self):
        self.folder.mkdir(parents=True)
        self._state = {"namespaces": [self.ns(name) for name in
                                      ["router", *(node.name for node in self.nodes)]],
                       "processes": []}
        self._save()
        netns.ip_batch(f"netns add {name}" for name in self._state["namespaces"])
        for name in self._state["namespaces"]:
            router = name == self.ns("router")
            netns.set_sysctls(name, {
                # Before there are interfaces: `default` is what they start with.
                "net.ipv6.conf.all.disable_ipv6": 1,
                "net.ipv6.conf.default.disable_ipv6": 1,
                "net.ipv4.ip_forward": int(router),
                # The way back is not the way there: answers come from the VIP on another link.
                "net.ipv4.conf.all.rp_filter": 0,
                "net.ipv4.conf.default.rp_filter": 0,
                # A router that changes its MAC address says so, as routers do when they fail over.
                "net.ipv4.conf.default.arp_notify": int(router),
                # ECMP by addresses and ports, so that one client reaches all load balancers.
                "net.ipv4.fib_multipath_hash_policy": 1,
                # A connection keeps to the queue that it began on, also after a time-out.
                "net.core.txrehash": 0,
            })

    def _make_links(self):
        """Queues everywhere but at the client. The kernel chooses a queue by the flow's hash, and behind
        a veth takes the sender's queue for the one that a packet came in on: with two of them on two
        links in a row, every flow would end on the first. So only the router chooses."""
        for node in self.nodes:
            link = links.Veth(1) if node is self.client else self._link_of(node)
            link.make(self.ns("router"), f"to-{node.name}", self.ns(node.name), node.mtu)

    def _link_of(self, node):
        return self.link if node.name == "lb1" else links.Veth(self.queues)

    def _make_routes(self):
        router = []
        for node in self.nodes:
            router += [f"address add {node.gateway}/24 dev to-{node.name}", f"link set to-{node.name} up"]
        router += ["link set lo up"]
        if not self.bgp:
            hops = " ".join(f"nexthop via {lb.address}" for lb in self.lbs)
            router += [f"route add {VIP}/32 {hops}"]
        self.ip("router", *router)
        for node in self.nodes:
            self.ip(node.name, "link set lo up", f"address add {node.address}/24 dev {INTERFACE}",
                    f"link set {INTERFACE} up", f"route add default via {node.gateway}")
        self.link.wait_carrier(self.ns("router"), "to-lb1", self.ns("lb1"))
        for backend in self.backends:
            self.ip(backend.name, f"address add {VIP}/32 dev lo")

    def ip(self, name, *lines):
        """`ip` commands inside the namespace of a node."""
        return netns.run("ip", "-n", self.ns(name), "-batch", "-", stdin="\n".join(lines) + "\n")

    def _start_bgp(self):
        bgp_module.enable_ipv6(self)
        bgp_module.write_bird_config(self)
        self.start_bird()
        for lb in self.lbs:
            self.start_gobgpd(lb.name)

    def start_bird(self, *options):
        """BIRD of the router, with the file router/bird.conf of this lab, until it answers."""
        bgp_module.launch_bird(self, options)

    def stop_bird(self, number=signal.SIGTERM):
        """Ends it by a signal, and returns when it is gone."""
        bgp_module.end(self, "router", "bird", number)

    def start_gobgpd(self, name, *options):
        """gobgpd of a load balancer, bare but for `options`, until its API answers."""
        bgp_module.launch_gobgpd(self, name, options)

    def stop_gobgpd(self, name, number=signal.SIGTERM):
        """Ends it by a signal, and returns when it is gone."""
        bgp_module.end(self, name, "gobgpd", number)

    def _start_web_servers(self):
        for backend in self.backends:
            self.node_folder(backend.name).mkdir()
            self._launch_web_server(backend)
        for backend in self.backends:
            self._wait_for_web_server(backend)

    def _launch_web_server(self, backend):
        folder = self.node_folder(backend.name)
        command = webserver.write_site(folder, backend.name)
        self._start(backend.name, command, folder / "error.log", "nginx")

    def start_web_server(self, name):
        """That of a backend whose web server was ended."""
        self._launch_web_server(self.backend(name))
        self._wait_for_web_server(self.backend(name))

    def backend(self, name):
        return next(backend for backend in self.backends if backend.name == name)

    def lb(self, name):
        return next(lb for lb in self.lbs if lb.name == name)

    def running(self, name, what):
        """The record of the process of this kind ("nginx", "decap") that a node has; it was started
        as the first of its process group."""
        return next(entry for entry in reversed(self._state["processes"])
                    if entry["node"] == name and entry["what"] == what)

    def stop_decapsulation(self, name):
        """The backend does not know what to do with GRE any more."""
        if self._state["decapsulation"] == "kernel":
            self.ip(name, "link set gre-in down")
        else:
            process.end_all([self.running(name, "decap")])

    def start_decapsulation(self, name):
        """Takes stop_decapsulation() back."""
        if self._state["decapsulation"] == "kernel":
            self.ip(name, "link set gre-in up")
        else:
            (self.node_folder(name) / "decap.log").write_bytes(b"")
            self._start_xdp_decapsulation(self.backend(name))
            self._wait_for_xdp_decapsulation(self.backend(name))

    def _wait_for_web_server(self, backend):
        def answers():
            with contextlib.suppress(OSError), self.inside(backend.name):
                socket.create_connection((VIP, 80), timeout=1).close()
                return True
        try:
            process.wait_until(answers, "nginx answers")
        except process.DeadlineExpired as expired:
            log = (self.node_folder(backend.name) / "error.log").read_text()
            raise LabError(f"nginx of {backend.name} does not answer: {log}") from expired

    def _start_decapsulation(self, say):
        method = self.decapsulation
        if method == "auto":
            method = "kernel" if self._kernel_has_gre() else "xdp"
        say("decapsulation by " + ("the kernel's GRE device" if method == "kernel" else "guideway decap"))
        self._state["decapsulation"] = method
        self._save()
        for backend in self.backends:
            if method == "kernel":
                self.ip(backend.name, f"link add gre-in type gre local {backend.address} remote any",
                        "link set gre-in up")
            else:
                self._start_xdp_decapsulation(backend)
        if method == "xdp":
            for backend in self.backends:
                self._wait_for_xdp_decapsulation(backend)

    def _kernel_has_gre(self):
        """Tries in a namespace that is ours: `ip link` loads the module where there is one."""
        try:
            self.ip(self.backends[0].name, "link add gre-probe type gre local 127.0.0.1 remote any",
                    "link delete gre-probe")
            return True
        except netns.CommandFailed:
            return False

    def _start_xdp_decapsulation(self, backend):
        client = self.bin_dir / "guideway"
        if not os.access(client, os.X_OK):
            raise LabError(f"{client} is missing: this kernel has no GRE device, so backends need it to "
                           "decapsulate; run scripts/build")
        self._start(backend.name, [client, "decap", "--interface", INTERFACE],
                    self.node_folder(backend.name) / "decap.log", "decap")

    def _wait_for_xdp_decapsulation(self, backend):
        log = self.node_folder(backend.name) / "decap.log"
        entry = self.running(backend.name, "decap")

        def ready():
            if "decapsulating GRE on" in log.read_text():
                return True
            if not process.alive(entry):
                raise LabError(f"guideway decap ended on {backend.name}: {log.read_text().strip()}")
        try:
            process.wait_until(ready, "guideway decap is ready")
        except process.DeadlineExpired as expired:
            raise LabError(f"guideway decap on {backend.name}: {expired}: {log.read_text()}") from expired

    def _start(self, node, command, log, what):
        child = process.start(netns.exec_command(self.ns(node), command), log)
        self._state["processes"].append({**process.record(child.pid, what), "node": node})
        self._save()
        return child

    def launch(self, node, command, log, what):
        """Starts a process on a node, which `down` ends; returns its record. That of a former one of
        the kind, which has ended, is struck."""
        self._state["processes"] = [entry for entry in self._state["processes"] if process.alive(entry)
                                    or (entry["node"], entry["what"]) != (node, what)]
        self._start(node, command, log, what)
        return self._state["processes"][-1]

    # ---- down ----------------------------------------------------------------------------------

    def down(self):
        """Removes every process, namespace and file of this lab, also of one that crashed."""
        state = self._load()
        process.end_all(state["processes"])
        pattern = re.compile(re.escape(self.prefix) + r"-(client|router|lb\d+|be\d+)")
        present = [name for name in netns.names() if pattern.fullmatch(name)]
        process.end_all([process.record(pid, "left over") for name in present for pid in netns.pids(name)])
        # Links first, as a namespace lives on, without a name, while anybody has a socket in it.
        self.link.take_back(self.ns("router"), "to-lb1", self.ns("lb1"))
        if self.ns("router") in present:
            with netns.inside(self.ns("router")):
                ends = [name for _, name in socket.if_nameindex() if name.startswith("to-")]
            self.ip("router", *(f"link delete {end}" for end in ends))
        for name in present:
            netns.ip("netns", "delete", name)
        while os.path.ismount(self.pins):  # of a run that was killed (support/sharing.py)
            netns.run("umount", self.pins)
        shutil.rmtree(self.folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            RUN.rmdir()
        self._state = {"namespaces": [], "processes": []}

    # ---- state ---------------------------------------------------------------------------------

    def _save(self):
        path = self.folder / "state.json"
        path.with_suffix(".new").write_text(json.dumps(self._state, indent=2) + "\n")
        path.with_suffix(".new").replace(path)

    def _load(self):
        try:
            return json.loads((self.folder / "state.json").read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return {"namespaces": [], "processes": []}

    def describe(self):
        """What is up, in lines for a person to read; empty when the lab is down."""
        state = self._load()
        lines = []
        for name in state["namespaces"]:
            node = name.removeprefix(f"{self.prefix}-")
            running = [f"{entry['what']} ({entry['pid']}{'' if process.alive(entry) else ', ended'})"
                       for entry in state["processes"] if entry["node"] == node]
            lines.append(f"{name:<18}{self._addresses(name):<34}{', '.join(running)}".rstrip())
        if lines:
            lines.append(f"decapsulation: {state.get('decapsulation', 'none')}")
        return lines

    @staticmethod
    def _addresses(name):
        if not netns.exists(name):
            return "gone"
        found = [address["local"] for link in json.loads(netns.ip("-n", name, "-4", "-j", "address"))
                 for address in link["addr_info"] if not address["local"].startswith("127.")]
        return " ".join(found) if len(found) <= 2 else f"{len(found)} addresses"
