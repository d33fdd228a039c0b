"""A running daemon is given another file: by SIGHUP, over its API, by `guideway reload`; and what
can be seen from outside of it stays or changes."""
import collections
import contextlib
import http.client
import json
import pathlib
import re
import signal
import socket
import subprocess
import threading

from support import process
from support.daemon import to_yaml, xdp_programs
from support.lab import INTERFACE

# What the daemon answers over HTTP.
Answer = collections.namedtuple("Answer", "status body")
# What `guideway` did.
Done = collections.namedtuple("Done", "code output errors")
PATIENCE_SECONDS = 60.0


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("guidewayd", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(process.patient(self.timeout))
        self.sock.connect(self._path)


def ask(daemon, method, target, timeout=PATIENCE_SECONDS):
    """One request to the local API. A body that is JSON comes as plain values."""
    with contextlib.closing(_UnixConnection(daemon.settings["admin"]["socket"], timeout)) as connection:
        connection.request(method, target)
        response = connection.getresponse()
        body = response.read().decode()
    with contextlib.suppress(json.JSONDecodeError):
        body = json.loads(body)
    return Answer(response.status, body)


def write(daemon, content):
    """Puts the daemon's file in place, in one step: settings, text or bytes."""
    if isinstance(content, dict):
        content = to_yaml(content)
    new = daemon.config_path.with_suffix(f".{threading.get_ident()}")  # each client has its own
    new.write_bytes(content if isinstance(content, bytes) else content.encode())
    new.replace(daemon.config_path)


def post(daemon, content=None):
    """POST /v1/reload; `content`: what is written into the file before."""
    if content is not None:
        write(daemon, content)
    return ask(daemon, "POST", "/v1/reload")


def reload(daemon, content=None):
    """A reload that has to succeed; returns its outcome."""
    answer = post(daemon, content)
    assert answer.status == 200 and answer.body["succeeded"], answer
    return answer.body


def hang_up(daemon, content=None):
    """SIGHUP; returns what the reload logged, as soon as it has ended."""
    if content is not None:
        write(daemon, content)
    before, logged = ended(daemon), len(daemon.log())
    daemon.child.send_signal(signal.SIGHUP)
    process.wait_until(lambda: ended(daemon) > before, "the reload has ended", PATIENCE_SECONDS)
    return daemon.log()[logged:]


def ended(daemon):
    """How many reloads have ended."""
    reloads = daemon.status()["reloads"]
    return reloads["succeeded"] + reloads["failed"]


def guideway(daemon, *words):
    """The command-line client."""
    done = subprocess.run([daemon.lab.bin_dir / "guideway", *words, "--socket",
                           daemon.settings["admin"]["socket"]], capture_output=True, text=True)
    return Done(done.returncode, done.stdout, done.stderr)


def workers(daemon):
    """The worker threads: {thread id: name}."""
    found = {}
    for task in pathlib.Path(f"/proc/{daemon.child.pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            name = (task / "comm").read_text().strip()
            if name.startswith("gw-"):
                found[int(task.name)] = name
    return found


def program_id(lab, device=INTERFACE):
    """Of the XDP program on a device of lb1; None: there is none."""
    return xdp_programs(lab, device=device).get("prog", {}).get("id")


def lasting(status):
    """The part of a status document that only a reload changes: no clocks, no counters."""
    def part(value, keys):
        return {key: value[key] for key in keys}
    return {
        "generation": status["generation"],
        "node": {key: value for key, value in status["node"].items()
                 if not key.startswith("uptime_")},
        "interfaces": [{**part(interface, ("name", "mtu", "attachment", "dispatcher")),
                        "queues": [part(queue, ("queue", "mode", "cpu")) for queue in interface["queues"]]}
                       for interface in status["interfaces"]],
        "services": [part(service, ("name", "vip", "protocol", "port", "pool"))
                     for service in status["services"]],
        "pools": [{**{key: value for key, value in pool.items() if key != "backends"},
                   "backends": [part(backend, ("address", "weight", "health", "drain", "table_entries",
                                               "usable", "next_hop"))
                                for backend in pool["backends"]]} for pool in status["pools"]],
    }


def places(problems):
    """The lines of the file that problems point at; None: one that points at none."""
    found = [re.search(r"guidewayd\.yaml:(\d+):\d+: ", problem) for problem in problems]
    return [int(place[1]) if place else None for place in found]
