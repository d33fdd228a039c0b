"""FRR on the router of a lab with bgp=True, in the place of BIRD: zebra and bgpd with the example
configs/routers/frr.conf, its addresses and AS numbers replaced by the lab's.

All its files are in the folder router/frr/. Nothing of the machine's own FRR is touched: neither
/etc/frr, nor its sockets, nor its services."""
import contextlib
import re
import shutil

from support import bgp, netns, process

FOLDER = "/usr/lib/frr"
_DAEMONS = ("zebra", "bgpd")


def installed():
    return bool(shutil.which(f"{FOLDER}/bgpd") and shutil.which("vtysh"))


def config(lab):
    """The example with the addresses and AS numbers of this lab."""
    text = (bgp.EXAMPLES / "frr.conf").read_text()
    text = bgp.replace_one(text, r"^router bgp \d+$", f"router bgp {bgp.ROUTER_AS}")
    text = bgp.replace_one(text, r"^ bgp router-id .*$", f" bgp router-id {lab.client.gateway}")
    text = re.sub(r"^( neighbor load-balancers\S* remote-as) \d+$", rf"\1 {bgp.LOAD_BALANCER_AS}", text,
                  flags=re.MULTILINE)
    text = _neighbors(text, "load-balancers", [lb.address for lb in lab.lbs])
    return _neighbors(text, "load-balancers-6", [bgp.lb_address_6(lb) for lb in lab.lbs])


def _neighbors(text, group, addresses):
    """The lines of the members of a peer group, replaced by others."""
    lines = rf"(^ neighbor [\da-f.:]+ peer-group {group}\n)+"
    return bgp.replace_one(text, lines, "".join(f" neighbor {address} peer-group {group}\n"
                                                for address in addresses))


class Frr:
    """zebra and bgpd in the router's namespace, from start() on; lab.down() ends them as well."""

    def __init__(self, lab):
        self._lab, self._folder = lab, lab.node_folder("router") / "frr"

    def start(self):
        """Starts both, and has them take the configuration. BIRD must not run."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        self._folder.parent.chmod(0o755)
        shutil.chown(self._folder, "frr", "frr")
        for daemon in _DAEMONS:
            self._launch(daemon)
        path = self._folder / "frr.conf"
        path.write_text(config(self._lab).replace("log syslog", f"log file {self._folder}/frr.log"))
        netns.run("vtysh", "--vty_socket", self._folder, "-f", path)
        return self

    def _launch(self, daemon):
        command = [f"{FOLDER}/{daemon}", "-f", "/dev/null", "-i", self._folder / f"{daemon}.pid",
                   "-z", self._folder / "zserv.api", "--vty_socket", self._folder, "-P", "0"]
        entry = self._lab.launch("router", command, self._folder / f"{daemon}.out", daemon)

        def answers():
            assert process.alive(entry), (self._folder / f"{daemon}.out").read_text()
            with contextlib.suppress(netns.CommandFailed):
                return netns.run("vtysh", "--vty_socket", self._folder, "-d", daemon, "-c", "show version")
        process.wait_until(answers, f"{daemon} answers")

    def show(self, command):
        return netns.run("vtysh", "--vty_socket", self._folder, "-c", command)

    def stop(self):
        for daemon in reversed(_DAEMONS):
            bgp.end(self._lab, "router", daemon)
