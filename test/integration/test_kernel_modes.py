"""What the doctor foretells of a kernel and a driver is what the daemon then gets and says, mode by
mode. Runs on whatever the lab's link is made of: a veth pair, or NICs (GUIDEWAY_LAB_NICS)."""
import json
import os
import re

import pytest

from support import fetch, netns, process
from support.daemon import config
from support.doctor import Doctor
from support.lab import FABRIC_MTU, INTERFACE
from support.links import has_carrier

LAB = {"backends": 1}
KERNEL = tuple(int(number) for number in re.match(r"(\d+)\.(\d+)", os.uname().release).groups())

# From worst to best: what the file calls it, what the daemon says that it has got.
RUNGS = {"generic": ("generic", "copy"), "copy": ("native", "copy"), "zero-copy": ("native", "zero-copy")}

# By driver: the first kernel that has it, and the best rung from there on. As seen in virtual
# machines on Debian's kernels 6.1, 6.12 and 7.3.
BEST = {
    "veth": [((0, 0), "copy")],
    "e1000e": [((0, 0), "generic")],
    "igb": [((0, 0), "copy"), ((6, 14), "zero-copy")],
    "virtio_net": [((0, 0), "copy"), ((6, 13), "zero-copy")],  # with iommu_platform=on
}
# What the doctor says of a rung that it expects: how bad that is, and a part of the words.
FORETOLD = {"zero-copy": ("ok", "zero-copy, natively, is to be expected"),
            "copy": ("note", "each packet is copied"),
            "generic": ("warning", "generic mode, which is some times slower")}


@pytest.fixture(scope="module")
def driver(lab):
    if lab.link.driver not in BEST:
        pytest.skip(f"nobody has written down what the driver {lab.link.driver} gives")
    return lab.link.driver


@pytest.fixture(scope="module")
def best(driver):
    return [rung for since, rung in BEST[driver] if since <= KERNEL][-1]


def version_text(version):
    return ".".join(str(number) for number in version)


def later(driver):
    """The kernel from which on the driver gives more than this one; None: there is none."""
    return next((version_text(since) for since, _ in BEST[driver] if since > KERNEL), None)


def in_mode(lab, mode):
    return config(lab, interface={"mode": mode})


def foretold(lab, settings, check="mode"):
    """The one finding of this check."""
    found = Doctor(lab, settings).ask().found[check]
    assert len(found) == 1, found
    return found[0]


def interface_facts(lab):
    return json.loads(Doctor(lab, config(lab)).run("--facts").stdout)["interfaces"][0]


def obtained(lab, daemon):
    interface = daemon.status()["interfaces"][0]
    modes = [queue["mode"] for queue in interface["queues"]]
    assert len(modes) == lab.queues and len(set(modes)) == 1, modes
    return interface["attachment"], modes[0]


def pages_arrive(lab, first_port):
    ports = range(first_port, first_port + 8)
    assert [page.status for page in fetch.fetch_all(lab, ports)] == [200] * len(ports)


def refused(new_daemon, settings):
    """The last line of a daemon that does not start."""
    daemon = new_daemon(settings).start()
    assert daemon.wait(20.0) == 1, daemon.log()
    return daemon.log().strip().splitlines()[-1]


def test_auto_obtains_what_the_doctor_expects_and_the_doctor_finds_it_right(lab, start, best):
    severity, words = FORETOLD[best]
    before = foretold(lab, config(lab))
    assert before["severity"] == severity and words in before["text"], before
    daemon = start()
    assert obtained(lab, daemon) == RUNGS[best], daemon.log()
    assert foretold(lab, config(lab), "obtained")["severity"] == "ok"
    assert foretold(lab, config(lab)) == before
    pages_arrive(lab, 30000)


def test_doctor_and_daemon_name_the_kernel_that_gives_more_or_none(lab, start, driver, best):
    log, text = start().log(), foretold(lab, config(lab))["text"]
    if version := later(driver):
        assert f"from Linux {version} on" in text
        assert f"from Linux {version} on, and this is {version_text(KERNEL)}; trying the next mode" in log
    else:
        assert "from Linux" not in text and "from Linux" not in log
    assert ("trying the next mode" in log) == (best != "zero-copy")


def test_the_log_says_why_it_is_no_better_mode(lab, start, driver, best):
    log = start().log()
    steps = re.findall(r"in (zero-copy|native) mode: (.*); trying the next mode", log)
    assert [step for step, _ in steps] == {"zero-copy": [], "copy": ["zero-copy"], "generic": ["native"]}[best]
    for _, why in steps:
        assert why.startswith("Operation not supported") and f"the driver {driver} has " in why, why


@pytest.mark.parametrize("mode", RUNGS)
def test_a_mode_that_the_file_names_is_obtained_or_refused_as_the_doctor_says(lab, start, new_daemon, driver, best,
                                                                              mode):
    ladder = list(RUNGS)
    finding = foretold(lab, in_mode(lab, mode))
    if ladder.index(mode) <= ladder.index(best):
        assert finding["severity"] != "error", finding
        daemon = start(in_mode(lab, mode))
        assert obtained(lab, daemon) == RUNGS[mode]
        assert "trying the next mode" not in daemon.log()
        assert foretold(lab, in_mode(lab, mode), "obtained")["severity"] == "ok"
        pages_arrive(lab, 31000 + 100 * ladder.index(mode))
        return
    assert finding["severity"] == "error" and "which the file demands" in finding["text"], finding
    assert "mode: auto" in finding["mend"]
    error = refused(new_daemon, in_mode(lab, mode))
    assert "Operation not supported" in error and f"the driver {driver} has " in error
    assert "mode: auto" in error
    if version := later(driver):
        assert f"from Linux {version} on" in finding["text"]
        assert f"from Linux {version} on, and this is {version_text(KERNEL)}" in error


def test_the_doctor_reads_of_the_kernel_what_newer_ones_tell_and_of_its_table_before(lab, driver, best):
    source = "kernel" if KERNEL >= (6, 3) else "table"
    xdp = interface_facts(lab)["xdp"]
    assert xdp["source"] == source
    assert (xdp["native"] and xdp["redirect"], xdp["zero_copy"]) == (best != "generic", best == "zero-copy")


@pytest.fixture
def mtu(lab):
    """Sets the MTU of both ends; it is as before in the end."""
    def change(mtu_bytes):
        for node, device in (("router", "to-lb1"), ("lb1", INTERFACE)):
            lab.ip(node, f"link set {device} mtu {mtu_bytes}")
        for node, device in (("router", "to-lb1"), ("lb1", INTERFACE)):
            process.wait_until(lambda node=node, device=device: has_carrier(lab.ns(node), device),
                               f"{device} has a carrier")
    yield change
    change(FABRIC_MTU)


def test_an_mtu_is_taken_up_to_the_limit_of_the_driver_and_refused_beyond(lab, start, new_daemon, best, mtu):
    limit = interface_facts(lab)["native_mtu_limit_bytes"]
    if best == "generic":
        assert limit == 0
        return
    mtu(limit)
    assert foretold(lab, config(lab), "frame_size")["severity"] == "ok"
    daemon = start()
    assert obtained(lab, daemon) == RUNGS[best], daemon.log()
    pages_arrive(lab, 32000)
    daemon.settle()
    assert daemon.stop() == 0
    mtu(limit + 1)
    finding = foretold(lab, config(lab), "native_mtu")
    assert finding["severity"] == "error" and finding["mend"] == f"ip link set dev {INTERFACE} mtu {limit}"
    error = refused(new_daemon, config(lab))
    assert f"its MTU of {limit + 1} is more than native XDP" in error and f"mtu {limit}" in error


@pytest.fixture
def two_queues(lab, driver):
    """Of a virtio_net that has more of them to spare than there are CPUs: for XDP it would use those."""
    if driver != "virtio_net" or lab.queues < 2 + os.cpu_count():
        pytest.skip("no virtio_net with queues to spare")
    combined = ["ip", "netns", "exec", lab.ns("lb1"), "ethtool", "-L", INTERFACE, "combined"]
    netns.run(*combined, 2)
    yield
    netns.run(*combined, lab.queues)


def test_queues_that_a_driver_takes_for_xdp_make_it_generic_mode_and_the_doctor_says_so(lab, two_queues, start,
                                                                                       new_daemon):
    assert foretold(lab, config(lab), "spare_queues")["severity"] == "warning"
    daemon = start()
    [interface] = daemon.status()["interfaces"]
    assert interface["attachment"] == "generic" and len(interface["queues"]) == 2
    assert "receives on 4 queues" in daemon.log()
    pages_arrive(lab, 33000)
    daemon.settle()
    assert daemon.stop() == 0
    for mode in ("copy", "zero-copy"):
        assert foretold(lab, in_mode(lab, mode), "spare_queues")["severity"] == "error"
        assert f"ethtool -L {INTERFACE} combined" in refused(new_daemon, in_mode(lab, mode))
