"""A second interface of lb1: another veth pair to the router, with a VIP and a backend of its own."""
import contextlib

from support import netns
from support.lab import FABRIC_MTU

DEVICE, ROUTER_END, VIP = "net1", "to-lb1-second", "198.51.100.2"


@contextlib.contextmanager
def second_link(lab):
    """Packets to VIP come by it, and those to be3, which serves it, leave by it."""
    queues = f"numrxqueues {lab.queues} numtxqueues {lab.queues}"
    netns.ip_batch([f"link add {ROUTER_END} netns {lab.ns('router')} mtu {FABRIC_MTU} {queues} type veth "
                    f"peer name {DEVICE} netns {lab.ns('lb1')} mtu {FABRIC_MTU} {queues}"])
    for node, device in (("router", ROUTER_END), ("lb1", DEVICE)):
        netns.run("ip", "netns", "exec", lab.ns(node), "ethtool", "-K", device,
                  "tx", "off", "tso", "off", "gso", "off", "gro", "off")
    lab.ip("router", f"address add 10.77.11.1/24 dev {ROUTER_END}", f"link set {ROUTER_END} up")
    lab.ip("lb1", f"address add 10.77.11.2/24 dev {DEVICE}", f"link set {DEVICE} up",
           f"route add {lab.backend('be3').address}/32 via 10.77.11.1")
    lab.ip("router", f"route add {VIP}/32 via 10.77.11.2")
    lab.ip("be3", f"address add {VIP}/32 dev lo")
    yield
    lab.ip("router", f"link delete {ROUTER_END}")


def add_to(settings, port):
    """be3 moves to a pool of its own, behind the second VIP; both interfaces are served."""
    third = settings["pools"][0]["backends"].pop()
    settings["pools"].append({"name": "third", "backends": [third]})
    settings["services"].append({"name": "second", "vip": VIP, "ports": [port], "pool": "third"})
    settings["interfaces"].append({"name": DEVICE})
    return settings
