"""guidewayd in a lab: its configuration, its life, and what it says about itself."""
import collections
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import time

from support import lab as lab_module
from support import netns, process

READY = "guidewayd is ready"


def config(lab, node="lb1", weights=None, ports=("tcp/80",), interface=None):
    """A configuration as plain values, for a test to change before it is written: one pool of all
    backends behind the VIP. `weights`: of be1, be2, ..; None: 1 each."""
    me = next(lb for lb in lab.lbs if lb.name == node)
    weights = weights or [1] * len(lab.backends)
    return {
        "node": {"name": f"{lab.prefix}-{node}", "fleet_seed": "a lab of its own"},
        "interfaces": [{"name": lab_module.INTERFACE, **(interface or {})}],
        "encapsulation": {"source": me.address},
        "pools": [{"name": "web",
                   "backends": [{"address": backend.address, "weight": weight}
                                for backend, weight in zip(lab.backends, weights, strict=True)]}],
        "services": [{"vip": lab_module.VIP, "ports": list(ports), "pool": "web"}],
        "flow_table": {"entries": 65536},
        "log": {"level": "info"},
        "admin": {"socket": str(lab.node_folder(node) / "guidewayd.sock")},
    }


def to_yaml(value, indent=""):
    """Plain values as block YAML. Scalars are written as JSON, which YAML contains."""
    if isinstance(value, dict):
        return "".join(f"{indent}{key}:{_behind(item, indent)}" for key, item in value.items())
    items = (f"{indent}- {to_yaml(item, indent + '  ').lstrip()}" if _nested(item)
             else f"{indent}- {json.dumps(item)}\n" for item in value)
    return "".join(items)


def _nested(value):
    return isinstance(value, (dict, list)) and bool(value)


def _behind(item, indent):
    return "\n" + to_yaml(item, indent + "  ") if _nested(item) else f" {json.dumps(item)}\n"


def xdp_programs(lab, node="lb1", device=lab_module.INTERFACE):
    """The XDP programs that hang on a device, as `ip` shows them; empty: none."""
    link = json.loads(netns.ip("-n", lab.ns(node), "-j", "link", "show", "dev", device))[0]
    return link.get("xdp", {})


def _takes_flows(pool, backend):
    up = backend["health"] in ("up", "unchecked") or (pool["empty"] and pool["on_empty"] == "all")
    return up and backend["weight"] > 0 and not backend["drain"]


def laws(status):
    """The conservation laws of a daemon at rest: (law, left side, right side), equal in each."""
    totals = status["totals"]
    queues = [queue for interface in status["interfaces"] for queue in interface["queues"]]
    backends = [backend for pool in status["pools"] for backend in pool["backends"]]
    for interface in status["interfaces"]:
        taken = sum(queue["worker"]["received"] + queue["socket"]["rx_dropped"]
                    + queue["socket"]["rx_ring_full"] for queue in interface["queues"])
        yield (f"redirected on {interface['name']} = received + refused by its sockets",
               interface["steering"]["redirected"], taken)
    yield ("received = transmitted + dropped",
           totals["received"], totals["transmitted"] + totals["dropped"])
    yield "dropped = sum over all reasons", totals["dropped"], sum(totals["drops"].values())
    yield "in flight = nothing", totals["in_flight"], 0
    yield "transmitted = completed", totals["transmitted"], totals["completed"]
    yield ("transmitted = sum over services",
           totals["transmitted"], sum(service["forwarded_packets"] for service in status["services"]))
    yield ("transmitted = sum over backends",
           totals["transmitted"], sum(backend["forwarded_packets"] for backend in backends))
    for name in ("received", "transmitted", "completed", "flow_inserted", "flow_hits"):
        yield (f"{name} = retired + sum over workers", totals[name],
               status["retired"][name] + sum(queue["worker"][name] for queue in queues))
    for pool in status["pools"]:
        filled = any(_takes_flows(pool, backend) for backend in pool["backends"])
        yield (f"table of pool {pool['name']} = sum over its backends", pool["table_size"] * filled,
               sum(backend["table_entries"] for backend in pool["backends"]))


def violations(status):
    """The laws that do not hold; empty: every packet is accounted for."""
    return [f"{what}: {left} is not {right}" for what, left, right in laws(status) if left != right]


def count(status, reason):
    """How often a verdict or a drop reason was counted, by the eBPF program or by a worker."""
    return (status["totals"]["drops"].get(reason, 0)
            + sum(interface["steering"].get(reason, 0) for interface in status["interfaces"]))


class Daemon:
    """One guidewayd on a load balancer of the lab."""

    def __init__(self, lab, settings=None, node="lb1"):
        self.lab, self.node = lab, node
        self.settings = settings or config(lab, node)
        self.folder = lab.node_folder(node)
        self.folder.mkdir(exist_ok=True)
        self.config_path = self.folder / "guidewayd.yaml"
        self.log_path = self.folder / "guidewayd.log"
        self.program = lab.bin_dir / "guidewayd"
        self.child = None

    def start(self, wrapper=()):
        """Starts the daemon, behind the words of `wrapper` (such as setpriv), and does not wait."""
        self.config_path.write_text(to_yaml(self.settings))
        self.log_path.write_bytes(b"")
        command = [*wrapper, self.program, self.config_path]
        self.child = process.start(netns.exec_command(self.lab.ns(self.node), command), self.log_path)
        return self

    def wait_ready(self, seconds=15.0):
        def ready():
            assert self.alive(), f"guidewayd ended with {self.child.returncode}:\n{self.log()}"
            return READY in self.log()
        process.wait_until(ready, f"guidewayd is ready\n{self.log()}", seconds)
        return self

    def wait_resolved(self, seconds=15.0):
        """Until the next hop of every backend is known."""
        process.wait_until(lambda: set(self.next_hops().values()) == {"resolved"},
                           "next hops are resolved", seconds)
        return self

    def alive(self):
        return self.child is not None and self.child.poll() is None

    def log(self):
        return self.log_path.read_text(errors="replace")

    def client(self, *words, wrapper=()):
        """`guideway WORDS` with this daemon: the ended process, for the caller to judge."""
        command = [*wrapper, self.lab.bin_dir / "guideway", *words,
                   "--socket", self.settings["admin"]["socket"]]
        return subprocess.run([str(word) for word in command], capture_output=True, text=True)

    def reload(self, settings=None):
        """Has the daemon read its file again, with other settings in it; it must succeed."""
        self.settings = settings or self.settings
        self.config_path.write_text(to_yaml(self.settings))
        done = self.client("reload")
        assert done.returncode == 0, f"{done.stderr}\n{self.log()}"

    def status(self):
        done = self.client("status", "--json")
        assert done.returncode == 0, f"guideway status: {done.stderr or done.stdout}\n{self.log()}"
        return json.loads(done.stdout)

    def backends(self):
        """What the daemon says of each backend, by the name that it has in the lab."""
        names = {backend.address: backend.name for backend in self.lab.backends}
        return {names[backend["address"]]: backend
                for pool in self.status()["pools"] for backend in pool["backends"]}

    def backend(self, name, pool="web"):
        """What the daemon says of one backend in one pool."""
        address = next(backend.address for backend in self.lab.backends if backend.name == name)
        return next(backend for one in self.status()["pools"] if one["name"] == pool
                    for backend in one["backends"] if backend["address"] == address)

    def wait_backend(self, name, pool="web", seconds=15.0, **wanted):
        """Until the daemon says all of this of a backend; returns what it says then."""
        seen = {}

        def reached():
            seen.update(self.backend(name, pool))
            return all(seen[key] == value for key, value in wanted.items())
        try:
            process.wait_until(reached, f"{name} in pool {pool} has {wanted}", seconds)
        except process.DeadlineExpired as expired:
            raise AssertionError(f"{expired}: {seen}\n{self.log()}") from None
        return seen

    def next_hops(self):
        return {name: backend["next_hop"] for name, backend in self.backends().items()}

    def count(self, reason):
        return count(self.status(), reason)

    def settle(self, seconds=5.0):
        """Waits until nothing moves and every packet is accounted for; returns that status."""
        deadline = time.monotonic() + process.patient(seconds)
        before = None
        while True:
            now = self.status()
            broken = violations(now)
            if not broken and before is not None and now["totals"]["received"] == before:
                return now
            before = now["totals"]["received"]
            assert time.monotonic() < deadline, (
                "packets unaccounted for: " + "; ".join(broken or ["traffic does not end"])
                + f"\n{json.dumps(now, indent=1)}\n{self.log()}")
            time.sleep(0.05)

    def descriptors(self):
        """What the process has open, by kind: {"socket": 9, "anon_inode:bpf-map": 3, ..}."""
        kinds = collections.Counter()
        for entry in os.scandir(f"/proc/{self.child.pid}/fd"):
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                kinds[os.readlink(entry.path).partition(":[")[0]] += 1
        return kinds

    def resident_kib(self):
        """Memory that the process has in use."""
        status = pathlib.Path(f"/proc/{self.child.pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)[1])

    def stop(self, seconds=10.0):
        """SIGTERM; returns the exit code."""
        if self.alive():
            self.child.send_signal(signal.SIGTERM)
        return self.wait(seconds)

    def kill(self):
        """SIGKILL: no farewell of any kind."""
        self.child.kill()
        return self.wait(10.0)

    def wait(self, seconds=15.0):
        """The exit code of a daemon that ends by itself; one that does not is killed."""
        seconds = process.patient(seconds)
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise AssertionError(f"guidewayd did not end within {seconds:g} s:\n{self.log()}") from None
