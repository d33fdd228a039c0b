"""The links of a lab: between the router's `to-NODE` and the node's `net0`.

Each is a veth pair; but the one to lb1 may be two NICs instead, which are joined somewhere outside,
such as by the hub of a virtual machine. $GUIDEWAY_LAB_NICS names them ("nic0 nic1": the router's, that
of lb1); the lab takes them into its namespaces under its own names, and gives them back in the end.

What such a NIC was before is written into its alias, which goes where it goes: whoever removes the lab
can give it back as it was, also one whose namespace ended first, and which the kernel has put here under
the lab's name for it."""
import contextlib
import json
import os
import re
import typing

from support import netns, process

INTERFACE = "net0"
_FINISHED_BY_THE_KERNEL = ("tx", "tso", "gso", "gro")
_MARK = "guideway-lab "  # an alias that begins so is ours; then JSON


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
    """Two NICs of this machine. Only make() and take_back() change anything of them."""

    def __init__(self, names):
        self.names = names
        self._look_at(self._here())

    def _look_at(self, here):
        of_lb1 = here.get(self.names[1])  # None: in a lab that is up; make() looks again
        self.driver = _driver(of_lb1["ifname"]) if of_lb1 else "unknown"
        self.queues = _wanted_queues(of_lb1["ifname"], self.driver) if of_lb1 else 1

    def _here(self):
        """The two, as `ip` shows them, by their own names, whatever they are called now."""
        links = _links()
        found = {link["ifname"]: link for link in links}
        found.update({was["name"]: link for link in links if (was := _was(link))})
        return {name: found[name] for name in self.names if name in found}

    def make(self, router, end, namespace, mtu):
        here = self._here()
        if missing := sorted(set(self.names) - set(here)):
            raise LinkError(f"GUIDEWAY_LAB_NICS: no interface {' or '.join(missing)} here, nor one that the kernel "
                            "has put here when the namespace of another lab ended (its alias would tell)")
        self._look_at(here)
        places = self._places(router, end, namespace)
        for name, _, _ in places:
            _mark(name, here[name])
        self._use_all_queues(here[self.names[1]]["ifname"])
        for name, where, called in places:
            device = here[name]["ifname"]
            netns.ip_batch([f"link set {device} down", f"link set {device} mtu {mtu}",
                            f"link set {device} netns {where} name {called}"])
            for feature in _FINISHED_BY_THE_KERNEL:
                with contextlib.suppress(netns.CommandFailed):  # fixed in some drivers
                    netns.run("ip", "netns", "exec", where, "ethtool", "-K", called, feature, "off")
        with contextlib.suppress(netns.CommandFailed):  # some hash the ports of UDP only when told, some never
            netns.run("ip", "netns", "exec", namespace, "ethtool", "-N", INTERFACE, "rx-flow-hash", "udp4", "sdfn")

    def _places(self, router, end, namespace):
        """[(the NIC's own name, the namespace where it goes, what it is called there), ..]"""
        return [(self.names[0], router, end), (self.names[1], namespace, INTERFACE)]

    def _use_all_queues(self, device):
        if self.driver == "virtio_net" and _channels(device).combined != self.queues:
            netns.run("ethtool", "-L", device, "combined", self.queues)

    def wait_carrier(self, router, end, namespace):
        for _, where, called in self._places(router, end, namespace):
            process.wait_until(lambda where=where, called=called: has_carrier(where, called),
                               f"{called} in {where} has a carrier")

    def take_back(self, router, end, namespace):
        """To where they came from, under their names, as they were; but for offloads and hashes, which
        stay as the lab had them."""
        for name, where, called in self._places(router, end, namespace):
            link = next((link for link in _links(where) if link["ifname"] == called), {})
            if _was(link):
                netns.ip("-n", where, "link", "set", called, "down")
                netns.ip("-n", where, "link", "set", called, "netns", os.getpid(), "name", name)
        for link in self._here().values():
            if was := _was(link):
                _restore(link["ifname"], was)


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


def _links(namespace=None):
    """Those of a namespace, of this one by default; none where it has gone."""
    if namespace is not None and not netns.exists(namespace):
        return []
    return json.loads(netns.ip(*(("-n", namespace) if namespace else ()), "-j", "link"))


def _has(namespace, device):
    return any(link["ifname"] == device for link in _links(namespace))


def _was(link):
    """What a NIC was before a lab took it; None: no lab has."""
    alias = link.get("ifalias", "")
    return json.loads(alias.removeprefix(_MARK)) if alias.startswith(_MARK) else None


def _mark(name, link):
    """Writes down what it is now, if that is not what another lab has made of it."""
    if _was(link) is None:
        now = {"name": name, "mtu": link["mtu"], "up": "UP" in link["flags"],
               "combined": _channels(link["ifname"]).combined}
        netns.ip("link", "set", link["ifname"], "alias", _MARK + json.dumps(now))


def _restore(device, was):
    netns.ip("link", "set", device, "down")
    if device != was["name"]:
        netns.ip("link", "set", device, "name", was["name"])
    if _channels(was["name"]).combined != was["combined"]:
        netns.run("ethtool", "-L", was["name"], "combined", was["combined"])
    netns.ip("link", "set", was["name"], "mtu", was["mtu"], "up" if was["up"] else "down")
    netns.ip("link", "set", was["name"], "alias", "")


def _driver(device):
    return re.search(r"^driver: (\S+)", netns.run("ethtool", "-i", device), re.MULTILINE)[1]


class Channels(typing.NamedTuple):
    """What `ethtool -l` says: queue pairs in use, as many as there can be, and all that receive."""
    combined: int
    most_combined: int
    receiving: int


def parse_channels(text):
    """What a driver does not have is "n/a", or 0."""
    def number(part, name):
        found = re.search(rf"^{name}:\s+(\d+)", part, re.MULTILINE)
        return int(found[1]) if found else 0
    most, _, now = text.partition("Current hardware settings")
    combined = number(now, "Combined")
    return Channels(combined, number(most, "Combined"), max(1, combined + number(now, "RX")))


def _channels(device):
    try:
        return parse_channels(netns.run("ethtool", "-l", device))
    except netns.CommandFailed:  # it does not say: one queue, in most cases
        return Channels(0, 0, 1)


def _wanted_queues(device, driver):
    """As the driver has them: one for each CPU, in most cases. Of virtio all, as its device gives packets
    to every queue that there is."""
    channels = _channels(device)
    return channels.most_combined or channels.receiving if driver == "virtio_net" else channels.receiving
