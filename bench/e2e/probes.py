"""The probe engine: 10,000 backends, each asked every 2 s, by guidewayd and by HAProxy in turn, on the
same host, of the same addresses of the same server, measured in the same way.

The number of probes is not taken from what either says of itself: the kernel counts the connections
that are begun in the load balancer's namespace (TcpActiveOpens), and the server what it answers."""
import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import sys
import threading
import time

from e2e import meter, site
from support import netns, process
from support.daemon import Daemon
from support.lab import LabError

TARGET_PORT, COUNTS_PORT = 8000, 8001  # the lab's nginx has port 80
INTERVAL = "2s"
BACKENDS = site.POOLS * site.BACKENDS_OF_POOL
KINDS = ("tcp", "http")
PATIENCE_SECONDS = 60
TRIES = 3
ANSWERED_PER_PROBE_AT_LEAST = 0.98  # of a span: what is under way at its ends is in one count only

_HAPROXY = """\
global
    nbthread 1
    maxconn 1000
    spread-checks 10
    log /dev/null local0 emerg
defaults
    mode http
    timeout connect 1s
    timeout client 10s
    timeout server 10s
    timeout check 1s
    default-server check inter {interval} rise 2 fall 3
"""
_HAPROXY_CHECK = {
    "tcp": "",
    "http": ("    option httpchk\n"
             "    http-check send meth GET uri /healthz ver HTTP/1.1 hdr Host bench\n"
             "    http-check expect status 200-299\n"),
}


@dataclasses.dataclass(frozen=True)
class Figures:
    """Of one span of one prober."""
    seconds: float
    usage: meter.Usage
    begun: int      # connections, by the kernel's count
    accepted: int   # connections, by the server's count
    answered: int   # requests, by the server's count
    memory_mib: float

    @property
    def cpu_percent(self):
        return 100 * self.usage.total / self.seconds

    @property
    def user_percent(self):
        return 100 * self.usage.user / self.seconds

    @property
    def probes_per_second(self):
        return self.begun / self.seconds

    @property
    def accepted_percent(self):
        return 100 * self.accepted / self.begun

    @property
    def us_per_probe(self):
        return 1e6 * self.usage.total / self.begun


class Guidewayd:
    name = "guidewayd"

    def __init__(self, lab, kind):
        check = {"type": kind, "port": TARGET_PORT, "interval": INTERVAL, "timeout": "1s"}
        if kind == "http":
            check["path"] = "/healthz"
        self._daemon = Daemon(lab, site.settings(lab, checks=[check]))

    def start(self):
        self._daemon.start().wait_ready(PATIENCE_SECONDS)
        return self._daemon.child.pid

    def all_up(self):
        assert self._daemon.alive(), f"guidewayd ended:\n{self._daemon.log()}"
        asked = self._daemon.client("status", "--json")
        if asked.returncode != 0:
            return False  # it had no time to answer
        return all(backend["health"] == "up" for pool in json.loads(asked.stdout)["pools"][1:]
                   for backend in pool["backends"])

    def stop(self):
        return self._daemon.stop()


class Haproxy:
    name = "haproxy"

    def __init__(self, lab, kind):
        self._lab = lab
        self._folder = lab.folder / "haproxy"
        self._folder.mkdir(exist_ok=True)
        self._socket = self._folder / "stats.sock"
        self._log = self._folder / "haproxy.log"
        self._file = self._folder / "haproxy.cfg"
        self._file.write_text(self._text(kind))
        self._child = None

    def _text(self, kind):
        text = _HAPROXY.format(interval=INTERVAL).replace(
            "defaults", f"    stats socket {self._socket}\ndefaults", 1)
        for pool in site.pools():
            text += f"backend {pool['name']}\n{_HAPROXY_CHECK[kind]}"
            text += "".join(f"    server s{number} {backend['address']}:{TARGET_PORT}\n"
                            for number, backend in enumerate(pool["backends"]))
        return text

    def start(self):
        self._child = process.start(netns.exec_command(self._lab.ns("lb1"), [
            shutil.which("haproxy"), "-db", "-f", self._file]), self._log)
        process.wait_until(lambda: self._socket.exists() or self._child.poll() is not None,
                           "haproxy runs", PATIENCE_SECONDS)
        return self._child.pid

    def all_up(self):
        assert self._child.poll() is None, f"haproxy ended:\n{self._log.read_text()}"
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as asked:
            asked.connect(str(self._socket))
            asked.sendall(b"show stat -1 4 -1\n")  # of servers only
            rows = b"".join(iter(lambda: asked.recv(65536), b"")).decode().splitlines()
        head = rows[0].removeprefix("# ").split(",")
        status, checked = head.index("status"), head.index("check_status")
        servers = [row.split(",") for row in rows[1:] if row]
        return len(servers) == BACKENDS and all(
            row[status] == "UP" and row[checked].removeprefix("* ") in ("L4OK", "L7OK") for row in servers)

    def stop(self):
        self._child.send_signal(signal.SIGTERM)
        self._child.wait(10)
        self._socket.unlink(missing_ok=True)
        return 0


def active_opens(lab):
    """TCP connections that were begun in the load balancer's namespace."""
    with lab.inside("lb1"):
        rows = [line.split() for line in pathlib.Path("/proc/thread-self/net/snmp").read_text().splitlines()
                if line.startswith("Tcp:")]
    return int(dict(zip(*rows, strict=True))["ActiveOpens"])


def counts(lab):
    """What the server counts: {"accepted": N, "answered": N}. Asked on its own host, so that asking
    is not counted."""
    with lab.inside(lab.backends[0].name):
        sock = socket.create_connection(("127.0.0.1", COUNTS_PORT), 10)
    with contextlib.closing(sock):
        text = b"".join(iter(lambda: sock.recv(4096), b"")).decode()
    return {name: int(value) for name, value in (line.split() for line in text.splitlines())}


def start_target(lab):
    """The server of all 10,000 addresses."""
    node = lab.backends[0].name
    program = site.ROOT / "build" / "release" / "bin" / "bench_target"
    if not os.access(program, os.X_OK):
        raise LabError(f"{program} is missing: run scripts/build --preset release bench_target")
    log = lab.node_folder(node) / "target.log"
    child = process.start(netns.exec_command(lab.ns(node), [program, TARGET_PORT, COUNTS_PORT]), log)

    def answers():
        assert child.poll() is None, f"bench_target ended: {log.read_text()}"
        with contextlib.suppress(OSError):
            return counts(lab)
    process.wait_until(answers, "bench_target answers")
    return child


def span(lab, pid, seconds):
    """What a prober uses in so many seconds."""
    before, opens, told, begin = meter.Usage.of(pid), active_opens(lab), counts(lab), time.monotonic()
    threading.Event().wait(seconds)
    used = meter.Usage.of(pid) - before
    passed = time.monotonic() - begin
    begun = active_opens(lab) - opens
    seen = {name: count - told[name] for name, count in counts(lab).items()}
    return Figures(passed, used, begun, memory_mib=meter.memory_mib(pid), **seen)


def measure(lab, prober, seconds):
    """One life of a prober, and a span in the middle of it with all backends up at both ends."""
    pid = prober.start()
    try:
        for _ in range(TRIES):
            process.wait_until(prober.all_up, f"{prober.name}: all {BACKENDS} backends are up",
                               PATIENCE_SECONDS, interval=1)
            # A whole round more, so that what asking for the state has cost is over.
            threading.Event().wait(2)
            figures = span(lab, pid, seconds)
            if prober.all_up():
                return figures
            print(f"{prober.name}: a backend went down in a span, which is measured again: the machine has "
                  "too much else to do", file=sys.stderr)
        raise AssertionError(f"{prober.name}: backends went down in each of {TRIES} spans")
    finally:
        prober.stop()


def report(kind, taken):
    rows = []
    for name, figures in taken.items():
        rows.append([kind, name, meter.spread([f.cpu_percent for f in figures]),
                     meter.spread([f.user_percent for f in figures]),
                     meter.spread([f.probes_per_second for f in figures], 0),
                     f"{statistics.median(f.accepted_percent for f in figures):.0f} %",
                     meter.spread([f.us_per_probe for f in figures]),
                     meter.spread([f.memory_mib for f in figures], 0)])
    return rows


def judge(kind, figures):
    """An http prober that connects and does not ask is not one."""
    if kind == "http" and figures.answered < ANSWERED_PER_PROBE_AT_LEAST * figures.begun:
        raise AssertionError(f"{figures.begun} connections, but only {figures.answered} requests answered")


def run(lab, options):
    lab.up()
    site.route_site(lab)
    probers = [Guidewayd]
    if shutil.which("haproxy"):
        probers.append(Haproxy)
    else:
        print("haproxy is missing: guidewayd is measured without its peer (apt-get install haproxy)\n")
    target = start_target(lab)
    rows, ratios = [], []
    try:
        for kind in KINDS:
            taken = {prober.name: [] for prober in probers}
            for repetition in range(options.repetitions):
                # Each begins every second time.
                for prober in probers if repetition % 2 == 0 else reversed(probers):
                    figures = measure(lab, prober(lab, kind), options.seconds)
                    judge(kind, figures)
                    taken[prober.name].append(figures)
            rows += report(kind, taken)
            if len(probers) == 2:
                ours, theirs = ([f.us_per_probe for f in taken[prober.name]] for prober in probers)
                ratio = meter.spread([a / b for a, b in zip(ours, theirs, strict=True)], 2)
                ratios.append(f"{kind}: guidewayd / haproxy, CPU for each probe: {ratio}")
    finally:
        process.end_all([process.record(target.pid, "bench_target")])
    print(meter.table(["check", "prober", "CPU, % of a core", "of which user", "probes/s",
                       "accepted", "µs of CPU a probe", "MiB at most"], rows))
    print("", *ratios, sep="\n")


def main(arguments):
    parser = argparse.ArgumentParser(prog="bench/e2e/probes.py", description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5, metavar="N")
    parser.add_argument("--seconds", type=float, default=20.0, metavar="S", help="of each span (20)")
    options = parser.parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: sys.exit(f"ended by {signal.Signals(received).name}"))
    lab = site.lab(backends=1)
    with lab.held():
        try:
            run(lab, options)
        finally:
            lab.down()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (LabError, netns.CommandFailed, process.DeadlineExpired, AssertionError) as failure:
        sys.exit(f"bench/e2e/probes.py: {failure}")
