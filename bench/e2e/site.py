"""A lab with a site of 10,000 backends behind it: addresses of 10.99.0.0/16, all of them on the lab's
first backend, as a local route; the router knows the way."""
import os

from support.daemon import config
from support.lab import ROOT, Lab

PREFIX = "gwbench"
NETWORK = "10.99.0.0/16"
POOLS = 100
BACKENDS_OF_POOL = 100
SERVICES = 1000


def lab(backends):
    """Of the release build, or of $GUIDEWAY_BIN."""
    return Lab(PREFIX, backends=backends,
               bin_dir=os.environ.get("GUIDEWAY_BIN") or ROOT / "build" / "release" / "bin")


def route_site(lab_):
    """The way to the 10,000 addresses, once the lab is up."""
    first = lab_.backends[0]
    lab_.ip("router", f"route add {NETWORK} via {first.address}")
    lab_.ip(first.name, f"route add local {NETWORK} dev lo")


def host(number):
    return f"{number // 250}.{number % 250 + 1}"


def pools(checks=None, weights=lambda pool, backend: 1):
    """`weights`: of a backend in its pool, both numbers from 0."""
    return [{"name": f"pool-{pool}",
             **({"checks": checks} if checks else {}),
             "backends": [{"address": f"10.99.{host(pool * BACKENDS_OF_POOL + backend)}",
                           "weight": weights(pool, backend)}
                          for backend in range(BACKENDS_OF_POOL)]}
            for pool in range(POOLS)]


def services(number=SERVICES):
    return [{"name": f"service-{service}", "vip": f"198.18.{host(service)}", "ports": ["tcp/443"],
             "pool": f"pool-{service % POOLS}"}
            for service in range(number)]


def settings(lab_, **of_pools):
    """The lab's own file (pool `web`, the VIP with tcp/80 and udp/53), and the site beside it."""
    site = config(lab_, ports=("tcp/80", "udp/53"))
    site["pools"] += pools(**of_pools)
    site["services"] += services()
    return site
