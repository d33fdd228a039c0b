"""A start that cannot succeed: a clear error, exit 1, and an interface as it was."""
import re
import subprocess

import pytest

from support import fetch
from support.daemon import config, to_yaml, xdp_programs
from support.lab import INTERFACE


@pytest.fixture
def refused(lab, new_daemon):
    """Starts a daemon that must not come up; returns what it said, in lower case."""
    def attempt(settings=None, wrapper=()):
        daemon = new_daemon(settings).start(wrapper)
        assert daemon.wait() == 1, daemon.log()
        assert "ready" not in daemon.log()
        return daemon.log().lower()
    return attempt


@pytest.fixture(autouse=True)
def clean_interface(lab):
    yield
    assert xdp_programs(lab) == {}


def says(text, *words):
    missing = [word for word in words if not re.search(word, text)]
    assert missing == [], text


def test_a_wrong_file_is_told_with_all_its_errors_and_their_places(lab, refused):
    settings = config(lab)
    settings["encapsulation"]["source"] = "10.77.1"
    settings["pools"][0]["backends"][1]["weight"] = -3
    settings["services"][0]["pool"] = "nowhere"
    settings["flow_tabel"] = settings.pop("flow_table")
    text = refused(settings)
    place = r"guidewayd\.yaml:\d+:\d+: "
    says(text, place + r"encapsulation\.source: ", place + r"pools\[0\]\.backends\[1\]\.weight: ",
         place + r"services\[0\]\.pool: .*nowhere", place + r"flow_tabel: ")


def test_check_tells_a_right_file_from_a_wrong_one_and_needs_no_privilege(lab, tmp_path):
    def check(settings):
        path = tmp_path / "guideway.yaml"
        path.write_text(to_yaml(settings))
        return subprocess.run(["setpriv", "--bounding-set", "-all", "--inh-caps", "-all",
                               lab.bin_dir / "guidewayd", "--check", path], capture_output=True, text=True)
    settings = config(lab)
    assert check(settings).returncode == 0
    settings["services"][0]["ports"] = ["tcp/80", "tcp/eighty"]
    wrong = check(settings)
    assert wrong.returncode == 1
    says(wrong.stderr, r"guideway\.yaml:\d+:\d+: services\[0\]\.ports\[1\]: .*eighty")


def test_a_missing_file_is_named(lab, new_daemon):
    done = subprocess.run([lab.bin_dir / "guidewayd", "/nonexistent/guideway.yaml"], capture_output=True, text=True)
    assert done.returncode == 1
    says(done.stderr, "/nonexistent/guideway.yaml", "No such file")


def test_a_missing_interface_is_named(lab, refused):
    says(refused(config(lab, interface={"name": "nosuch0"})), "interface nosuch0: there is no such interface", f"there are: .*{INTERFACE}")


def test_a_mode_that_the_driver_lacks_is_an_error_when_it_is_required(lab, refused):
    says(refused(config(lab, interface={"mode": "zero-copy"})), INTERFACE, "zero-copy", "the driver veth has no zero-copy", "set mode: auto or copy")


def test_a_queue_that_the_interface_lacks_is_an_error(lab, refused):
    says(refused(config(lab, interface={"queues": [0, 7]})), INTERFACE, "receive queue 7", "it has 2, counted from 0|only 2")


@pytest.mark.parametrize("wrapper", [
    ("setpriv", "--bounding-set", "-all", "--inh-caps", "-all"),
    ("setpriv", "--bounding-set", "-bpf,-sys_admin", "--inh-caps", "-all"),
], ids=["none", "no BPF"])
def test_without_privilege_it_says_which_is_missing(lab, refused, wrapper):
    says(refused(wrapper=wrapper), "cannot start: .*not permitted", "run as root, or with cap_net_admin, cap_net_raw, cap_bpf and cap_perfmon")


def test_an_mtu_beyond_the_drivers_limit_is_told_with_what_to_set(lab, refused, new_daemon):
    # Both ends, as a veth refuses XDP for the sake of its peer's MTU.
    lab.ip("lb1", f"link set {INTERFACE} mtu 3600")
    lab.ip("router", "link set to-lb1 mtu 3600")
    try:
        text = refused()
        says(text, INTERFACE, "mtu of 3600", f"ip link set dev {INTERFACE} mtu \\d+")
        # What it says to set is what mends it.
        hinted = re.search(r"mtu (\d+),", text)[1]
        lab.ip("router", f"link set to-lb1 mtu {hinted}")
        lab.ip("lb1", f"link set {INTERFACE} mtu {hinted}")
        daemon = new_daemon().start().wait_ready()
        assert daemon.stop() == 0
    finally:
        lab.ip("router", "link set to-lb1 mtu 1600")
        lab.ip("lb1", f"link set {INTERFACE} mtu 1600")


def test_an_interface_that_another_guidewayd_serves_is_refused_and_goes_on(lab, start, new_daemon):
    first = start()
    settings = config(lab)
    settings["admin"]["socket"] += ".second"
    second = new_daemon(settings)
    second.config_path = second.folder / "second.yaml"
    second.log_path = second.folder / "second.log"
    assert second.start().wait() == 1
    says(second.log().lower(), f"taking interface {INTERFACE}: it is served already")
    assert fetch.fetch(lab).status == 200
    first.settle()
    assert first.stop() == 0


def test_an_admin_socket_that_another_guidewayd_serves_is_refused(lab, start, new_daemon):
    first = start()
    second = new_daemon(config(lab))
    second.log_path = second.folder / "second.log"
    assert second.start().wait() == 1
    says(second.log().lower(), r"guidewayd\.sock|net0", "already|another|in use|busy")
    assert first.status()["totals"]["in_flight"] == 0
    assert first.stop() == 0
