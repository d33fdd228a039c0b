"""gobgpd of a load balancer of a lab with bgp=True, told by its own command and by a file what to do:
for tests of the lab and of routers, in which no guidewayd drives it."""
import json

from support import bgp
from support.lab import VIP


def configure(lab, name):
    """An AS, and a session to the router over IPv4, without graceful restart. The command cannot say
    that gobgpd is not to listen: it listens on a port that nobody asks. The session is there when
    gobgpd has tried for the first time, after 5 to 9 s; it draws lots."""
    lb = lab.lb(name)
    bgp.gobgp(lab, name, "global", "as", bgp.LOAD_BALANCER_AS, "router-id", lb.address,
              "listen-port", 1790)
    bgp.gobgp(lab, name, "neighbor", "add", lb.gateway, "as", bgp.ROUTER_AS)


def announce(lab, name, prefix=f"{VIP}/32", *words):
    """Announces a prefix, with its own address as next hop; `words` such as "med", 10."""
    bgp.gobgp(lab, name, "global", "rib", "add", prefix, "nexthop", lab.lb(name).address, *words)


def withdraw(lab, name, prefix=f"{VIP}/32"):
    bgp.gobgp(lab, name, "global", "rib", "del", prefix)


def neighbor(lab, name, address=None):
    """What gobgpd knows of its session to the router."""
    return json.loads(bgp.gobgp(lab, name, "--json", "neighbor", address or lab.lb(name).gateway))


def write_file(lab, name, listen=False, restart_seconds=None, hold_seconds=90, over_ipv6=False):
    """A configuration file with one session to the router; returns the options that have gobgpd read
    it. `restart_seconds`: graceful restart, for so long; gobgpd is then to be started again with
    "--graceful-restart" as well, without which it tells the router to forget what it had announced."""
    lb = lab.lb(name)
    families = ["ipv4-unicast"] + ["ipv6-unicast"] * over_ipv6
    graceful = restart_seconds is not None
    settings = {
        "global": {"config": {"as": bgp.LOAD_BALANCER_AS, "router-id": lb.address,
                              "port": 179 if listen else -1}},
        "neighbors": [{
            "config": {"neighbor-address": bgp.router_address_6(lb) if over_ipv6 else lb.gateway,
                       "peer-as": bgp.ROUTER_AS},
            "timers": {"config": {"hold-time": hold_seconds, "keepalive-interval": hold_seconds / 3,
                                  # The least that it takes. Its own choice is 120 s, and up to twice that.
                                  "connect-retry": 5}},
            "graceful-restart": {"config": {"enabled": graceful, "restart-time": restart_seconds or 0}},
            "afi-safis": [{"config": {"afi-safi-name": family},
                           "mp-graceful-restart": {"config": {"enabled": graceful}}}
                          for family in families],
        }],
    }
    path = lab.node_folder(name) / "gobgpd.json"
    path.write_text(json.dumps(settings, indent=1) + "\n")
    return ["--config-file", path, "--config-type", "json"]
