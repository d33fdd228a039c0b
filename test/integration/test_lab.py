"""The lab itself: the other tests are worth what it is worth."""
import os
import signal
import subprocess

import pytest

from support import fetch, lab as lab_module, netns, process, webserver
from support.daemon import xdp_programs
from support.lab import Lab


def of_this_lab(lab):
    return [name for name in netns.names() if name.startswith(f"{lab.prefix}-")]


def test_up_after_a_crash_removes_what_was_left(lab):
    left = lab._state["processes"]
    netns.ip("netns", "add", lab.ns("be77"))
    (lab.folder / "state.json").unlink()
    again = Lab(lab.prefix)
    again.up()
    assert not any(process.alive(entry) for entry in left)
    assert not netns.exists(lab.ns("be77"))
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
