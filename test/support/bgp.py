"""The BGP half of a lab with bgp=True: BIRD 2 in the router's namespace, which learns the VIP, and
gobgpd in the namespace of each load balancer, which announces what it is told to over its API.

    router   AS 64500   10.77.N.1   fd00:77:N::1      bird.conf, bird.log, bird.ctl in the folder router/
    lbN      AS 64512   10.77.N.2   fd00:77:N::2      gobgp.sock, gobgpd.log in the folder lbN/

BIRD runs the example that operators are given, configs/routers/bird.conf: its definitions are
replaced by the lab's, its load balancers by those of the lab. For each there is a session over IPv4
(`lbN`) and one over IPv6 (`lbN_6`), which BIRD waits for and asks for in vain until a gobgpd has them.
gobgpd is bare: no file, no AS, no neighbour, no port 179, until somebody configures it."""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket

from support import netns, process

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "configs" / "routers"
ROUTER_AS = 64500
LOAD_BALANCER_AS = 64512
PROGRAMS = ("bird", "birdc", "gobgpd", "gobgp")
_LINK = "fd00:77:{}::{}"


class ExampleChanged(Exception):
    """The example has not, or more than once, what the lab replaces in it."""


def missing_programs():
    return [name for name in PROGRAMS if not shutil.which(name)]


def _number(lb):
    return int(lb.name.removeprefix("lb"))


def router_address_6(lb):
    """The router's address on the link to this load balancer."""
    return _LINK.format(_number(lb), 1)


def lb_address_6(lb):
    return _LINK.format(_number(lb), 2)


# ---- IPv6 between the router and the load balancers ----------------------------------------------


def enable_ipv6(lab):
    """Between the router and the load balancers only, and quiet: every packet is a test's own."""
    quiet = {"accept_dad": 0, "accept_ra": 0, "router_solicitations": 0, "disable_ipv6": 0}
    netns.set_sysctls(lab.ns("router"), {"net.ipv6.conf.all.forwarding": 1})
    for lb in lab.lbs:
        for node, device in (("router", f"to-{lb.name}"), (lb.name, "net0"), (lb.name, "lo")):
            netns.set_sysctls(lab.ns(node), {f"net.ipv6.conf.{device}.{key}": value
                                             for key, value in quiet.items()})
        lab.ip("router", f"address add {router_address_6(lb)}/64 dev to-{lb.name} nodad")
        lab.ip(lb.name, f"address add {lb_address_6(lb)}/64 dev net0 nodad")


# ---- BIRD ----------------------------------------------------------------------------------------


def replace_one(text, pattern, new):
    """`text` with what matches replaced; it must be there once."""
    changed, times = re.subn(pattern, lambda _: new, text, flags=re.MULTILINE)
    if times != 1:
        raise ExampleChanged(f"'{pattern}' is there {times} times, and not once")
    return changed


_NEIGHBOR = r"^protocol bgp \w+ from load_balancer\w* \{.*\}\n"


def bird_config(lab):
    """The example with the addresses and AS numbers of this lab, and a log of every change."""
    text = (EXAMPLES / "bird.conf").read_text()
    if not re.search(_NEIGHBOR, text, re.MULTILINE):
        raise ExampleChanged("no 'protocol bgp .. from load_balancer' is there")
    text = re.sub(_NEIGHBOR, "", text, flags=re.MULTILINE)
    text = replace_one(text, r"^router id .*$", f"router id {lab.client.gateway};")
    text = replace_one(text, r"^define ROUTER_AS = .*$", f"define ROUTER_AS = {ROUTER_AS};")
    text = replace_one(text, r"^define LOAD_BALANCER_AS = .*$",
                       f"define LOAD_BALANCER_AS = {LOAD_BALANCER_AS};")
    text = replace_one(text, r"^log syslog all;$",
                       f'log "{lab.node_folder("router")}/bird.log" all;\n'
                       "timeformat log iso long ms;\ndebug protocols { states, routes, events };")
    return text + "".join(
        f"protocol bgp {lb.name} from load_balancer {{ neighbor {lb.address} as LOAD_BALANCER_AS; }}\n"
        f"protocol bgp {lb.name}_6 from load_balancer_6 "
        f"{{ neighbor {lb_address_6(lb)} as LOAD_BALANCER_AS; }}\n" for lb in lab.lbs)


def write_bird_config(lab):
    folder = lab.node_folder("router")
    folder.mkdir(exist_ok=True)
    (folder / "bird.conf").write_text(bird_config(lab))


def birdc(lab, command):
    """What BIRD answers, on its control socket; raises CommandFailed where it does not."""
    return netns.run("birdc", "-r" if command.startswith("show") else "-v",
                     "-s", lab.node_folder("router") / "bird.ctl", command)


def launch_bird(lab, options):
    """Starts BIRD and waits until it answers."""
    folder = lab.node_folder("router")
    command = ["bird", "-f", "-c", folder / "bird.conf", "-s", folder / "bird.ctl",
               "-P", folder / "bird.pid", *options]
    entry = lab.launch("router", command, folder / "bird.out", "bird")

    def answers():
        with contextlib.suppress(netns.CommandFailed):
            return "Daemon is up and running" in birdc(lab, "show status")
    _wait_for(entry, answers, folder / "bird.out")


# ---- gobgpd --------------------------------------------------------------------------------------


def gobgp_socket(lab, name):
    return lab.node_folder(name) / "gobgp.sock"


def launch_gobgpd(lab, name, options):
    """Starts gobgpd and waits until its API accepts connections."""
    folder, path = lab.node_folder(name), gobgp_socket(lab, name)
    folder.mkdir(exist_ok=True)
    # With a socket's file in its way gobgpd warns, and goes on without an API.
    path.unlink(missing_ok=True)
    command = ["gobgpd", "--api-hosts", f"unix://{path}", "--pprof-disable", "--log-plain", *options]
    entry = lab.launch(name, command, folder / "gobgpd.log", "gobgpd")

    def accepts():
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            return True
    _wait_for(entry, accepts, folder / "gobgpd.log")


def gobgp(lab, name, *words):
    """The command gobgp with the gobgpd of a load balancer; what it printed."""
    return netns.run("gobgp", "--target", f"unix://{gobgp_socket(lab, name)}", *words)


# ---- guidewayd -----------------------------------------------------------------------------------


def bgp_config(lab, node, **changes):
    """The section `bgp` of a guidewayd that drives the gobgpd beside it, with one session to the
    router over IPv4: as plain values, for a test to change. `changes`: keys of the section, in the
    place of those here; None leaves one out."""
    lb = lab.lb(node)
    section = {
        "api": f"unix:{gobgp_socket(lab, node)}",
        "local_asn": LOAD_BALANCER_AS,
        "graceful_restart": "0s",
        "peers": [{"address": lb.gateway, "asn": ROUTER_AS, "hold_time": "9s"}],
        **changes,
    }
    return {key: value for key, value in section.items() if value is not None}


# ---- both ----------------------------------------------------------------------------------------


def _wait_for(entry, ready, log):
    """Until what was just started is ready. One that ends instead is an error at once."""
    def reached():
        if not process.alive(entry):
            raise process.DeadlineExpired(f"{entry['what']} ended: {log.read_text()}")
        return ready()
    process.wait_until(reached, f"{entry['what']} of {entry['node']} answers (log {log})")


def end(lab, name, what, number=signal.SIGTERM, seconds=10.0):
    """Ends a process of a node by a signal, and waits until it is gone; one that has ended is no error."""
    entry = lab.running(name, what)
    if process.alive(entry):
        os.kill(entry["pid"], number)
    process.wait_until(lambda: not process.alive(entry),
                       f"{what} of {name} ends after {signal.Signals(number).name}", seconds)
