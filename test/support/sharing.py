"""XDP programs of others beside Guideway's, on one interface: xdp-tools' filter as the neighbour, and
the BPF file system in which libxdp pins what is behind its dispatcher.

`ip netns exec` gives each process a /sys of its own, and so a /sys/fs/bpf of its own. What is to share
an interface is told by LIBXDP_BPFFS to use one in the lab's folder."""
import contextlib
import os
import re
import shutil
import subprocess

from support import netns
from support.daemon import xdp_programs
from support.lab import INTERFACE

DISPATCHER = "xdp_dispatcher"
FILTER = "xdpfilt_alw_all"  # the program of xdp-filter that knows all rules and lets pass what none names
STEER = "guideway_steer"
PRIORITIES = {FILTER: 10, STEER: 20}
TOOLS = ("xdp-filter", "xdp-loader")


def missing_tools():
    return [tool for tool in TOOLS if shutil.which(tool) is None]


@contextlib.contextmanager
def shared_pins(lab):
    """One BPF file system for all that is started meanwhile. What a run that is killed leaves mounted,
    lab.down() unmounts."""
    folder = lab.pins
    folder.mkdir()
    netns.run("mount", "-t", "bpf", "bpf", folder)
    os.environ["LIBXDP_BPFFS"] = str(folder)
    try:
        yield folder
    finally:
        del os.environ["LIBXDP_BPFFS"]
        netns.run("umount", folder)
        folder.rmdir()


def run(lab, *words):
    """A command on lb1, ended, for the caller to judge."""
    return subprocess.run(netns.exec_command(lab.ns("lb1"), words), capture_output=True, text=True)


def chain(lab):
    """[(priority, name, id), ..] behind the dispatcher, in the order in which they see a packet."""
    text = netns.run(*netns.exec_command(lab.ns("lb1"), ["xdp-loader", "status", INTERFACE]))
    return [(int(priority), name, int(number))
            for priority, name, number in re.findall(r"=>\s+(\d+)\s+(\S+)\s+(\d+)\s", text)]


def names(lab):
    return [name for _, name, _ in chain(lab)]


def clear(lab):
    """Nothing is on the interface any more, whoever has left it there."""
    for mode in ("xdpdrv", "xdpgeneric"):
        run(lab, "ip", "link", "set", "dev", INTERFACE, mode, "off")


class Filter:
    """xdp-filter on lb1, which drops UDP to one port."""

    def __init__(self, lab, port):
        self._lab, self._port = lab, port

    def try_load(self, mode="native"):
        """The ended command."""
        return run(self._lab, "xdp-filter", "load", INTERFACE, "-m", mode, "-f", "tcp,udp,ipv4", "-p", "allow")

    def load(self, mode="native"):
        done = self.try_load(mode)
        assert done.returncode == 0, done.stderr
        netns.run(*netns.exec_command(self._lab.ns("lb1"), ["xdp-filter", "port", str(self._port),
                                                           "-m", "dst", "-p", "udp"]))
        return self

    def unload(self):
        done = run(self._lab, "xdp-filter", "unload", INTERFACE)
        assert done.returncode == 0, done.stderr

    def loaded(self):
        name = xdp_programs(self._lab).get("prog", {}).get("name")
        return name == FILTER or name == DISPATCHER and FILTER in names(self._lab)

    def dropped(self):
        """Packets to its port."""
        return int(re.search(rf"^\s+{self._port}\s+dst,udp\s+(\d+)", self._status(), re.MULTILINE)[1])

    def passed(self):
        """Packets that it has let go on."""
        return int(re.search(r"XDP_PASS\s+(\d+) pkts", self._status())[1])

    def _status(self):
        return netns.run(*netns.exec_command(self._lab.ns("lb1"), ["xdp-filter", "status"]))
