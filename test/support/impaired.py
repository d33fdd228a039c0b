"""A path that treats packets as real ones do: late, out of order, twice, broken or not at all (netem),
or holds them until it is told to let go (plug). On what a device sends; both ends have to be impaired
for both directions.

The iproute2 of Debian 12 cannot give netem a seed: nothing may depend on which packet is hit, only on
that there are enough of them."""
import contextlib
import json

from support import netns, process

# Some 60 ms from the client to a backend and back.
ROUGH = ("delay", "30ms", "5ms", "reorder", "2%", "loss", "1%", "duplicate", "1%", "corrupt", "0.1%")
LIMIT_PACKETS = 10000  # that wait; what is more is lost


def refusal(lab, kind):
    """Why this kernel cannot do it; empty: it can."""
    try:
        with discipline(lab, "client", "net0", kind):
            return ""
    except netns.CommandFailed as failed:
        return f"this kernel has no {kind} (sch_{kind}): {failed}"


@contextlib.contextmanager
def discipline(lab, node, device, kind, *words):
    """The queueing discipline of a device, for as long as the block runs. What waits in it at the end
    is lost."""
    netns.run("tc", "-n", lab.ns(node), "qdisc", "add", "dev", device, "root", kind, *words)
    try:
        yield
    finally:
        netns.run("tc", "-n", lab.ns(node), "qdisc", "delete", "dev", device, "root")


def netem(lab, node, device, *words):
    return discipline(lab, node, device, "netem", "limit", LIMIT_PACKETS, *words)


def statistics(lab, node, device):
    """What `tc` counts: {"packets": .., "drops": .., "qlen": .., ..}"""
    return json.loads(netns.run("tc", "-n", lab.ns(node), "-s", "-j", "qdisc", "show", "dev", device, "root"))[0]


class RoughPath:
    """Between the client and the router, both ways, for as long as the block runs."""
    _ENDS = (("client", "net0"), ("router", "to-client"))

    def __init__(self, lab, *words):
        self._lab, self._words, self._stack = lab, words or ROUGH, contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            for end in self._ENDS:
                stack.enter_context(netem(self._lab, *end, *self._words))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def lost(self):
        """Packets, on the way there and back."""
        return [statistics(self._lab, *end)["drops"] for end in self._ENDS]


class Held:
    """What the client sends waits, until release()."""

    def __init__(self, lab):
        self._lab, self._stack = lab, contextlib.ExitStack()

    def __enter__(self):
        self._stack.enter_context(discipline(self._lab, "client", "net0", "plug", "limit", "1000000"))
        return self

    def __exit__(self, *_):
        self._stack.close()

    def wait_for(self, packets):
        process.wait_until(lambda: statistics(self._lab, "client", "net0")["qlen"] >= packets,
                           f"{packets} packets wait")

    def release(self):
        netns.run("tc", "-n", self._lab.ns("client"), "qdisc", "change", "dev", "net0", "root", "plug",
                  "release_indefinite")
