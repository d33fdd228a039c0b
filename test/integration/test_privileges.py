"""The daemon with the user and the capabilities of its unit: it does all that it does as root, has no
others, and hands none on."""
import os
import pathlib
import re
import shutil
import tempfile

import pytest

from support import fetch, netns, privileges, process
from support.daemon import config, xdp_programs
from support.lab import INTERFACE
from support.reload import post, program_id, workers

LAB = {"backends": 2}
SECOND = "net1"


@pytest.fixture(scope="module", autouse=True)
def a_second_interface(lab):
    netns.ip("-n", lab.ns("lb1"), "link", "add", SECOND, "type", "veth", "peer", "name", "net1-peer")
    lab.ip("lb1", f"link set {SECOND} up", "link set net1-peer up")
    yield
    lab.ip("lb1", f"link delete {SECOND}")


@pytest.fixture
def open_folder():
    """One that every user may enter."""
    with tempfile.TemporaryDirectory(prefix="guideway-privileges-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture
def unprivileged(lab, new_daemon, open_folder):
    """Starts daemons as the unit does; their programs, files and sockets are where their user may go."""
    folder = open_folder
    shutil.copy(lab.bin_dir / "guidewayd", folder / "guidewayd")
    (folder / "guidewayd").chmod(0o755)
    own = folder / "run"
    own.mkdir()
    os.chown(own, privileges.USER, privileges.USER)

    def begin(settings=None, capabilities=None):
        settings = settings or config(lab)
        settings["admin"]["socket"] = str(own / "guidewayd.sock")
        daemon = new_daemon(settings)
        daemon.config_path = folder / "guidewayd.yaml"
        daemon.program = folder / "guidewayd"
        return daemon.start(privileges.wrapper(capabilities))
    return begin


@pytest.fixture
def served(lab, unprivileged):
    daemons = []

    def begin(settings=None):
        daemons.append(unprivileged(settings).wait_ready().wait_resolved())
        return daemons[-1]
    yield begin
    for daemon in daemons:
        if daemon.alive():
            assert daemon.stop() == 0, daemon.log()
        assert "permitted" not in daemon.log() and "denied" not in daemon.log(), daemon.log()
    assert (xdp_programs(lab), xdp_programs(lab, device=SECOND)) == ({}, {})


def kept():
    """What the daemon has: the unit's, and what stands for its LimitMEMLOCK=, if it is needed."""
    return privileges.mask(privileges.of_the_unit())


def test_it_forwards_and_reloads_and_leaves_nothing(lab, served):
    daemon = served()
    assert daemon.status()["node"]["user"] == str(privileges.USER)
    pages = fetch.fetch_all(lab, range(20000, 20030))
    assert {fetch.backend_of(page) for page in pages} == {"be1", "be2"}
    settings = daemon.settings
    settings["pools"][0]["backends"].pop()
    daemon.reload(settings)
    pages = fetch.fetch_all(lab, range(21000, 21030))
    assert {fetch.backend_of(page) for page in pages} == {"be1"}
    assert daemon.stop() == 0
    assert not pathlib.Path(settings["admin"]["socket"]).exists()


def test_a_reload_adds_an_interface_and_takes_it_out(lab, served):
    daemon = served()
    settings = daemon.settings
    settings["interfaces"].append({"name": SECOND})
    daemon.reload(settings)
    assert program_id(lab, SECOND) and daemon.status()["interfaces"][1]["attachment"] == "native"
    settings["interfaces"].pop()
    daemon.reload(settings)
    assert xdp_programs(lab, device=SECOND) == {}


def test_a_program_that_was_taken_off_is_missed_and_attached_again(lab, served):
    daemon = served()
    lab.ip("lb1", f"link set {INTERFACE} xdp off")
    process.wait_until(lambda: not daemon.status()["node"]["ready"], "it is not ready", 10)
    daemon.reload()
    assert daemon.status()["node"]["ready"] and program_id(lab)


def test_checks_through_the_tunnel_come_with_a_reload_and_go_with_the_daemon(lab, served):
    daemon = served()
    settings = daemon.settings
    settings["pools"][0]["checks"] = [{"type": "http", "port": 80, "via": "tunnel", "rise": 1,
                                       "interval": process.paced("200ms")}]
    daemon.reload(settings)
    daemon.wait_backend("be1", health="up")
    assert daemon.stop() == 0
    assert "gwprobe" not in netns.ip("-n", lab.ns("lb1"), "link")


def keeping(run):
    """As privileges.wrapper(), with the folder `run` in the place of /run/guideway."""
    run.mkdir(parents=True, exist_ok=True)
    os.chown(run, privileges.USER, privileges.USER)
    as_the_unit = privileges.wrapper()
    return ["unshare", "--mount", "sh", "-c", f'mount --bind {run} /run/guideway && exec "$@"', "sh",
            *as_the_unit[as_the_unit.index("setpriv"):]]


def test_what_a_killed_one_has_left_is_no_obstacle_to_the_next(lab, unprivileged):
    """It may not look programs up by their ids, and knows what it has left by its note."""
    run = lab.node_folder("lb1") / "notes"
    keep = keeping(run)
    settings = config(lab)
    first = unprivileged(settings)
    first.kill()
    for number in range(2):
        first.start(keep)
        first.wait_ready()
        if number == 0:
            left = program_id(lab)
            first.kill()
            assert program_id(lab) == left
    assert f"{INTERFACE}: took off guideway_steer (id {left}), which an earlier process had left" in first.log()
    assert first.stop() == 0
    assert xdp_programs(lab) == {} and list(run.iterdir()) == []


def test_what_one_could_not_take_off_is_known_to_the_next(lab, unprivileged):
    """Capabilities of another user namespace than the interface's look like the unit's, and are not."""
    run = lab.node_folder("lb1") / "notes"
    keep = keeping(run)
    daemon = unprivileged()
    daemon.kill()
    daemon.start(keep).wait_ready()
    left = program_id(lab)
    daemon.kill()
    daemon.start([*keep, "unshare", "--user", "--map-current-user", "--keep-caps"])
    assert daemon.wait() == 1
    assert (f"cannot start: taking the left-over program guideway_steer off {INTERFACE}: Operation not permitted"
            in daemon.log()), daemon.log()
    assert program_id(lab) == left
    daemon.start(keep).wait_ready()
    assert f"{INTERFACE}: took off guideway_steer (id {left}), which an earlier process had left" in daemon.log()
    assert daemon.stop() == 0
    assert xdp_programs(lab) == {} and list(run.iterdir()) == []


def test_it_has_the_capabilities_of_the_unit_and_its_workers_have_none(lab, served):
    daemon = served()
    own = privileges.sets_of(f"/proc/{daemon.child.pid}/status")
    assert own["CapEff"] & ~privileges.mask(["cap_ipc_lock"]) == kept()
    assert own["CapPrm"] == own["CapEff"]
    assert (own["CapInh"], own["CapAmb"], own["NoNewPrivs"], own["Uid"]) == (0, 0, 1, privileges.USER)
    assert set(daemon.status()["node"]["capabilities"]) - {"cap_ipc_lock"} == set(privileges.of_the_unit())
    threads = workers(daemon)
    assert len(threads) == 2
    for thread in threads:
        sets = privileges.sets_of(f"/proc/{daemon.child.pid}/task/{thread}/status")
        assert (sets["CapPrm"], sets["CapEff"], sets["CapAmb"]) == (0, 0, 0)


@pytest.mark.parametrize("user", ["unit", "root"])
def test_a_program_of_an_exec_check_has_no_capability(lab, request, open_folder, user):
    """Not even root's, which would get all of the bounding set."""
    written = open_folder / "written"
    written.mkdir()
    written.chmod(0o777)
    program = open_folder / "check"
    program.write_text(f"#!/bin/sh\ncat /proc/self/status > {written}/$$ && mv {written}/$$ {written}/seen\n")
    program.chmod(0o755)
    settings = config(lab)
    settings["pools"][0]["checks"] = [{"type": "exec", "command": [str(program)], "interval": process.paced("1s")}]
    daemon = request.getfixturevalue("served" if user == "unit" else "start")(settings)
    daemon.wait_backend("be1", health="up")
    sets = privileges.sets_of(written / "seen")
    assert {name: value for name, value in sets.items() if name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {
        "CapInh": 0, "CapPrm": 0, "CapEff": 0, "CapAmb": 0}
    assert (sets["NoNewPrivs"], sets["Uid"]) == (1, privileges.USER if user == "unit" else 0)


def test_root_gives_away_what_it_does_not_need(lab, start):
    daemon = start()
    sets = privileges.sets_of(f"/proc/{daemon.child.pid}/status")
    assert sets["CapEff"] & kept() == kept()
    allowed = {"cap_sys_admin", "cap_dac_override", "cap_net_bind_service", "cap_ipc_lock"}
    assert set(daemon.status()["node"]["capabilities"]) - set(privileges.of_the_unit()) <= allowed
    assert (sets["CapPrm"], sets["CapBnd"], sets["CapInh"], sets["NoNewPrivs"]) == (sets["CapEff"], 0, 0, 1)


@pytest.mark.parametrize("missing", privileges.of_the_unit())
def test_a_missing_capability_is_named(lab, unprivileged, missing):
    daemon = unprivileged(capabilities=[name for name in privileges.of_the_unit() if name != missing])
    assert daemon.wait() == 1
    assert re.search(rf"cannot start: without {missing}: Operation not permitted \(run as root, or with cap_net_admin, "
                     "cap_net_raw, cap_bpf and cap_perfmon", daemon.log()), daemon.log()
    assert xdp_programs(lab) == {}
