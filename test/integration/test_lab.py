"""The lab itself: the other tests are worth what it is worth."""
import json
import os
import signal
import subprocess

import pytest

from support import fetch, lab as lab_module, links, netns, process, webserver
from support.daemon import xdp_programs
from support.lab import Lab


def of_this_lab(lab):
    return [name for name in netns.names() if name.startswith(f"{lab.prefix}-")]


def test_up_after_a_crash_removes_what_was_left(lab):
    left = lab._state["processes"]
    netns.ip("netns", "add", lab.ns("be77"))
    (lab.folder / "state.json").unlink()
    lab.pins.mkdir()
    netns.run("mount", "-t", "bpf", "bpf", lab.pins)
    again = Lab(lab.prefix)
    again.up()
    assert not any(process.alive(entry) for entry in left)
    assert not netns.exists(lab.ns("be77")) and not lab.pins.exists()
    assert sorted(of_this_lab(lab)) == sorted(lab.ns(node.name) for node in lab.nodes) + [lab.ns("router")]


def test_down_leaves_nothing_and_touches_no_other_lab():
    one, other = Lab("gwt1", backends=1), Lab("gwt10", backends=1)
    with one.held(), other.held():
        try:
            one.up()
            other.up()
            one.down()
            assert of_this_lab(one) == [] and not one.folder.exists()
            assert len(of_this_lab(other)) == 4
            assert all(process.alive(entry) for entry in other._state["processes"])
        finally:
            one.down()
            other.down()
    assert of_this_lab(other) == [] and not other.folder.exists()


def test_a_process_that_only_has_a_recorded_pid_is_left_alone():
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        process.end_all([{"pid": bystander.pid, "start_time": process.start_time(bystander.pid) - 1}])
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_second_user_of_a_prefix_is_refused_while_it_is_held():
    with Lab("gwt2").held():
        with pytest.raises(lab_module.LabError, match="in use"):
            with Lab("gwt2").held(seconds=0.2):
                pass


def test_every_backend_serves_its_own_name_and_the_same_large_file(lab):
    for backend in lab.backends:
        with lab.inside("client"):
            done = subprocess.run(["curl", "-sf", f"http://{backend.address}/"], capture_output=True)
            large = subprocess.run(["curl", "-sf", f"http://{backend.address}/large.bin"], capture_output=True)
        assert done.stdout.decode() .startswith(f"backend {backend.name}\nclient {lab_module.CLIENT}:")
        assert large.stdout == webserver.large_file()


def test_without_a_load_balancer_nobody_answers_for_the_vip(lab):
    with pytest.raises(OSError):
        fetch.fetch(lab, timeout=0.5)


def test_the_decapsulator_goes_with_its_process(lab):
    """`guideway decap` on a device of its own: attached while it runs, gone after SIGTERM."""
    lab.ip("lb1", "link add decap0 type veth peer name decap1", "address add 192.0.2.1/24 dev decap0",
           "link set decap0 up", "link set decap1 up")
    log = lab.folder / "decap-test.log"
    child = process.start(netns.exec_command(lab.ns("lb1"), [
        lab.bin_dir / "guideway", "decap", "--interface", "decap0"]), log)
    try:
        process.wait_until(lambda: "decapsulating GRE on" in log.read_text(), "decap is ready")
        assert xdp_programs(lab, "lb1", "decap0")
        os.kill(child.pid, signal.SIGTERM)
        assert child.wait(10) == 0, log.read_text()
        assert not xdp_programs(lab, "lb1", "decap0")
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
        lab.ip("lb1", "link delete decap0")


# ---- NICs instead of a veth pair -----------------------------------------------------------------


@pytest.fixture
def nics():
    """Two that are joined, in a namespace of their own in which the test is too; and two to take them to."""
    home, router, node = names = [f"gwt3-{name}" for name in ("home", "router", "lb1")]
    with Lab("gwt3").held():
        netns.ip_batch(f"netns delete {name}" for name in names if netns.exists(name))
        netns.ip_batch(f"netns add {name}" for name in names)
        try:
            with netns.inside(home):
                netns.ip_batch(["link add nic0 mtu 1400 type veth peer name nic1 mtu 1300", "link set nic1 up"])
                yield links.NicPair(["nic0", "nic1"]), (router, "to-lb1", node)
        finally:
            netns.ip_batch(f"netns delete {name}" for name in names)


def as_they_are(namespace):
    """{name: (MTU, up, alias)}"""
    return {link["ifname"]: (link["mtu"], "UP" in link["flags"], link.get("ifalias", ""))
            for link in json.loads(netns.ip("-n", namespace, "-j", "link")) if link["ifname"] != "lo"}


NICS_BEFORE = {"nic0": (1400, False, ""), "nic1": (1300, True, "")}


def test_nics_that_a_lab_took_come_back_as_they_were(nics):
    pair, places = nics
    pair.make(*places, 1600)
    assert [list(as_they_are(name)) for name in ("gwt3-home", "gwt3-router", "gwt3-lb1")] == [[], ["to-lb1"], ["net0"]]
    assert as_they_are("gwt3-lb1")["net0"][0] == 1600
    pair.take_back(*places)
    assert as_they_are("gwt3-home") == NICS_BEFORE


def test_a_nic_that_the_kernel_put_back_under_the_labs_name_is_found_and_given_its_own(nics):
    """As it does when the namespace ends first."""
    pair, places = nics
    pair.make(*places, 1600)
    netns.ip("-n", "gwt3-lb1", "link", "set", "net0", "netns", "gwt3-home")
    pair.take_back(*places)
    assert as_they_are("gwt3-home") == NICS_BEFORE
    pair.make(*places, 1600)
    netns.ip("-n", "gwt3-lb1", "link", "set", "net0", "netns", "gwt3-home")
    netns.ip("-n", "gwt3-router", "link", "set", "to-lb1", "netns", "gwt3-home")
    again = links.NicPair(["nic0", "nic1"])
    assert (again.driver, again.queues) == ("veth", 1)
    again.make(*places, 1600)
    again.take_back(*places)
    assert as_they_are("gwt3-home") == NICS_BEFORE


def test_a_nic_that_is_not_there_is_said_before_anything_is_changed(nics):
    with pytest.raises(links.LinkError, match="no interface nic9 here"):
        links.NicPair(["nic0", "nic9"]).make(*nics[1], 1600)
    assert as_they_are("gwt3-home") == NICS_BEFORE


@pytest.mark.parametrize("most, now, channels", [
    ("RX:\t\tn/a\nCombined:\t4\n", "RX:\t\tn/a\nCombined:\t2\n", links.Channels(2, 4, 2)),
    ("RX:\t\t3\nCombined:\tn/a\n", "RX:\t\t3\nCombined:\tn/a\n", links.Channels(0, 0, 3)),
    ("RX:\t\t0\nCombined:\t1\n", "RX:\t\t0\nCombined:\t1\n", links.Channels(1, 1, 1)),
    ("", "", links.Channels(0, 0, 1))], ids=["combined", "apart", "one", "not told"])
def test_the_number_of_queues_is_read_as_every_driver_tells_it(most, now, channels):
    text = f"Channel parameters for nic1:\nPre-set maximums:\n{most}Current hardware settings:\n{now}"
    assert links.parse_channels(text) == channels
