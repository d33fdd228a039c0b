"""The links of a lab: between the router's `to-NODE` and the node's `net0`.

Each is a veth pair; but the one to lb1 may be two NICs instead, which are joined somewhere outside,
such as by the hub of a virtual machine. $GUIDEWAY_LAB_NICS names them ("nic0 nic1": the router's, that
of lb1); the lab takes them into its namespaces under its own names, and gives them back in the end."""
import contextlib
import json
import os
import re

from support import netns, process

INTERFACE = "net0"
_FINISHED_BY_THE_KERNEL = ("tx", "tso", "gso", "gro")


class LinkError(Exception):
    """The NICs that were named cannot be used; says why."""


def finish_checksums(namespace, device):
    """A veth claims to compute checksums and to cut large segments, and passes both on undone:
    its peer is the same memory. Guideway would then wrap a packet whose inner checksum is
    unfinished, or one of 64 KiB, and no backend could mend that."""
    netns.run("ip", "netns", "exec", namespace,
              "ethtool", "-K", device, *(word for name in _FINISHED_BY_THE_KERNEL for word in (name, "off")))


class Veth:
    """A pair of virtual devices of the kernel. Deleting one end deletes the other."""
    driver = "veth"

    def __init__(self, queues):
        self.queues = queues

    def make(self, router, end, namespace, mtu):
        queues = f"numrxqueues {self.queues} numtxqueues {self.queues}"
        netns.ip_batch([f"link add {end} netns {router} mtu {mtu} {queues} type veth "
                        f"peer name {INTERFACE} netns {namespace} mtu {mtu} {queues}"])
        finish_checksums(router, end)
        finish_checksums(namespace, INTERFACE)

    def wait_carrier(self, router, end, namespace):
        """It is there as soon as both ends are up."""

    def take_back(self, router, end, namespace):
        """Removes what is left of it."""
        if netns.exists(router) and _has(router, end):
            netns.ip("-n", router, "link", "delete", end)


class NicPair:
    """Two NICs of this machine."""

    def __init__(self, names):
        self.names = names
        here = not self._missing()  # else they are in a lab that is up
        self.driver = _driver(names[1]) if here else "unknown"
        self.queues = _queues(names[1], self.driver) if here else 1

    def _missing(self):
        return set(self.names) - {link["ifname"] for link in json.loads(netns.ip("-j", "link"))}

    def make(self, router, end, namespace, mtu):
        if missing := self._missing():
            raise LinkError(f"GUIDEWAY_LAB_NICS: no interface {' or '.join(sorted(missing))} here")
        for name, where, called in zip(self.names, (router, namespace), (end, INTERFACE), strict=True):
            netns.ip_batch([f"link set {name} down", f"link set {name} mtu {mtu}",
                            f"link set {name} netns {where} name {called}"])
            for feature in _FINISHED_BY_THE_KERNEL:
                with contextlib.suppress(netns.CommandFailed):  # fixed in some drivers
                    netns.run("ip", "netns", "exec", where, "ethtool", "-K", called, feature, "off")
        with contextlib.suppress(netns.CommandFailed):  # some hash the ports of UDP only when told, some never
            netns.run("ip", "netns", "exec", namespace, "ethtool", "-N", INTERFACE, "rx-flow-hash", "udp4", "sdfn")

    def wait_carrier(self, router, end, namespace):
        for where, called in ((router, end), (namespace, INTERFACE)):
            process.wait_until(lambda where=where, called=called: has_carrier(where, called),
                               f"{called} in {where} has a carrier")

    def take_back(self, router, end, namespace):
        """To where they came from, under their names. One whose namespace has gone is there already."""
        for name, where, called in zip(self.names, (router, namespace), (end, INTERFACE), strict=True):
            if netns.exists(where) and _has(where, called):
                netns.ip("-n", where, "link", "set", called, "down")
                netns.ip("-n", where, "link", "set", called, "netns", os.getpid(), "name", name)


def of_lb1(queues):
    """The link between router and lb1, as the environment has it."""
    names = os.environ.get("GUIDEWAY_LAB_NICS", "").split()
    if not names:
        return Veth(queues)
    if len(names) != 2:
        raise LinkError(f"GUIDEWAY_LAB_NICS: '{' '.join(names)}' is not the names of two NICs")
    return NicPair(names)


def has_carrier(namespace, device):
    return "LOWER_UP" in json.loads(netns.ip("-n", namespace, "-j", "link", "show", "dev", device))[0]["flags"]


def _has(namespace, device):
    return any(link["ifname"] == device for link in json.loads(netns.ip("-n", namespace, "-j", "link")))


def _driver(name):
    return re.search(r"^driver: (\S+)", netns.run("ethtool", "-i", name), re.MULTILINE)[1]


def _queues(name, driver):
    """As the driver has them: one for each CPU, in most cases. Of virtio all, as its device gives packets
    to every queue that there is."""
    try:
        numbers = re.findall(r"^Combined:\s+(\d+)", netns.run("ethtool", "-l", name), re.MULTILINE)
    except netns.CommandFailed:  # one queue, in most cases
        return 1
    most, used = (int(number) for number in numbers)
    if driver == "virtio_net" and used != most:
        netns.run("ethtool", "-L", name, "combined", most)
        return most
    return used
