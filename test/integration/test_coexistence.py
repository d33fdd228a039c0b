"""Guideway beside another XDP program on one interface, through libxdp's dispatcher: each sees its
packets, and neither is harmed by the other's coming or going. And what is said where they cannot be
there both.

Needs a kernel that takes programs which replace functions of others (freplace)."""
import os
import pathlib
import re
import shutil
import socket
import tempfile

import pytest

from support import clients, fetch, netns, privileges, process, sharing
from support.daemon import config, xdp_programs
from support.doctor import Doctor
from support.lab import INTERFACE, VIP
from support.sharing import FILTER, STEER, names

LAB = {"backends": 2}
PORT = 9  # of UDP: a service of Guideway's, and what the filter drops
DATAGRAMS = 10
SEEN_SECONDS = 10.0
BPF_PROGRAM = "anon_inode:bpf-prog"


@pytest.fixture(scope="module", autouse=True)
def pins(lab):
    if sharing.missing_tools():
        pytest.skip(f"{' and '.join(sharing.missing_tools())} missing: run scripts/deps")
    with sharing.shared_pins(lab) as folder:
        tried = sharing.Filter(lab, PORT).try_load()
        on_it = xdp_programs(lab).get("prog", {}).get("name")
        sharing.clear(lab)
        if on_it != sharing.DISPATCHER:
            pytest.skip("this kernel takes no programs that replace functions of others (freplace), so libxdp "
                        f"has no dispatcher: {on_it or tried.stderr.strip()}")
        shutil.rmtree(folder / "xdp-filter")
        yield folder


@pytest.fixture
def neighbour(lab, pins):
    """Not loaded yet."""
    one = sharing.Filter(lab, PORT)
    yield one
    if one.loaded():
        one.unload()


def served(lab, **more):
    return config(lab, ports=("tcp/80", f"udp/{PORT}"), **more)


def ask(lab):
    """UDP that nobody answers."""
    with lab.inside("client"), socket.socket(type=socket.SOCK_DGRAM) as sock:
        for _ in range(DATAGRAMS):
            sock.sendto(b"?", (VIP, PORT))


def forwarded(daemon, port):
    return next(one["forwarded_packets"] for one in daemon.status()["services"] if one["port"] == port)


def pages_arrive(lab, first_port):
    pages = fetch.fetch_all(lab, range(first_port, first_port + 20))
    assert {page.status for page in pages} == {200}
    assert {fetch.backend_of(page) for page in pages} == {"be1", "be2"}


def the_filter_drops(lab, neighbour):
    before = neighbour.dropped()
    ask(lab)
    process.wait_until(lambda: neighbour.dropped() == before + DATAGRAMS, "the filter drops its port", SEEN_SECONDS)


def one(daemon):
    return daemon.status()["interfaces"][0]


def is_shared(lab, daemon):
    """And both are there in the order of their priorities."""
    assert [(priority, name) for priority, name, _ in sharing.chain(lab)] == [
        (sharing.PRIORITIES[name], name) for name in (FILTER, STEER)]
    assert (one(daemon)["attachment"], one(daemon)["dispatcher"]) == ("native", True)
    assert "by libxdp's dispatcher" in daemon.client("status").stdout


# ---- both are there ------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["filter", "guideway"])
def test_each_sees_its_packets_whoever_came_first(lab, start, neighbour, first):
    if first == "filter":
        neighbour.load()
    daemon = start(served(lab))
    if first == "guideway":
        ask(lab)
        process.wait_until(lambda: forwarded(daemon, PORT) == DATAGRAMS, "Guideway forwards the port", SEEN_SECONDS)
        neighbour.load()
    is_shared(lab, daemon)
    before, passed, redirected = forwarded(daemon, PORT), neighbour.passed(), one(daemon)["steering"]["redirected"]
    the_filter_drops(lab, neighbour)
    pages_arrive(lab, 20000)
    status = daemon.settle()
    assert forwarded(daemon, PORT) == before
    taken = status["interfaces"][0]["steering"]["redirected"] - redirected
    assert 0 < taken <= neighbour.passed() - passed
    assert status["totals"]["dropped"] == 0
    [program] = Doctor(lab, socket=daemon.settings["admin"]["socket"]).ask().found["program"]
    assert program["severity"] == "ok" and "Guideway's program is on it" in program["text"]


def test_connections_go_on_while_a_neighbour_comes_and_goes(lab, start, neighbour):
    daemon = start(served(lab))
    modes = [queue["mode"] for queue in one(daemon)["queues"]]
    with clients.long_sessions(lab, range(21000, 21006)) as sessions:
        traffic = fetch.Traffic(lab)

        def go_on():
            counts = [session.answered for session in sessions]
            process.wait_until(lambda: all(session.failure or session.answered > count + 2
                                           for session, count in zip(sessions, counts, strict=True)),
                               "every session goes on", 30)
        open_programs = daemon.descriptors()[BPF_PROGRAM]
        for _ in range(3):
            neighbour.load()
            go_on()
            neighbour.unload()
            go_on()
        answered, failures = traffic.stop()
    assert failures == [] and answered > 0
    assert [session.failure for session in sessions] == [None] * len(sessions)
    assert {len(session.backends) for session in sessions} == {1}
    assert names(lab) == [STEER]
    assert "no longer attached" not in daemon.log()
    assert daemon.descriptors()[BPF_PROGRAM] == open_programs
    status = daemon.settle()
    assert [queue["mode"] for queue in status["interfaces"][0]["queues"]] == modes
    assert (status["totals"]["dropped"], status["totals"]["flow_moved"]) == (0, 0)


def test_guideway_stops_and_the_neighbour_stays(lab, start, neighbour):
    neighbour.load()
    daemon = start(served(lab))
    pages_arrive(lab, 22000)
    daemon.settle()
    assert daemon.stop() == 0
    assert names(lab) == [FILTER]
    the_filter_drops(lab, neighbour)
    assert "warning" not in daemon.log().partition("stopping")[2]
    neighbour.unload()


def test_a_neighbour_in_generic_mode_is_joined_in_that_mode_and_in_no_other(lab, new_daemon, neighbour):
    neighbour.load("skb")
    daemon = new_daemon(served(lab)).start()
    assert daemon.wait(30) == 1
    assert (f"with {FILTER} behind it, in generic mode, and an interface has one mode: attach what is there in native "
            "mode, or set mode: generic") in daemon.log(), daemon.log()
    note = Doctor(lab, config(lab)).only("program", "note")
    assert f"shared with {FILTER} in generic mode" in note["text"]
    daemon = new_daemon(served(lab, interface={"mode": "generic"})).start().wait_ready().wait_resolved()
    assert names(lab) == [FILTER, STEER]
    pages_arrive(lab, 23000)
    the_filter_drops(lab, neighbour)
    daemon.settle()
    assert daemon.stop() == 0
    assert names(lab) == [FILTER]


# ---- by force ------------------------------------------------------------------------------------


def test_after_sigkill_a_start_takes_over_and_the_neighbour_stays(lab, start, neighbour):
    neighbour.load()
    start(served(lab)).kill()
    left = sharing.chain(lab)[1]
    assert left[1] == STEER
    daemon = start(served(lab))
    assert f"{INTERFACE}: took off {STEER} (id {left[2]}), which an earlier process had left" in daemon.log()
    is_shared(lab, daemon)
    pages_arrive(lab, 24000)
    the_filter_drops(lab, neighbour)


def test_what_was_left_behind_a_dispatcher_is_found_and_the_command_leaves_the_neighbour(lab, start, neighbour):
    neighbour.load()
    daemon = start(served(lab))
    daemon.kill()
    doctor = Doctor(lab, config(lab))
    finding = doctor.only("program", "warning")
    assert f"its program (id {sharing.chain(lab)[1][2]}) behind xdp_dispatcher" in finding["text"]
    doctor.mend(finding)
    assert names(lab) == [FILTER]
    assert "shared with" in doctor.only("program", "note")["text"]
    neighbour.unload()


@pytest.mark.parametrize("how", ["unloaded", "unpinned"])
def test_a_program_that_was_taken_off_is_missed_and_attached_again(lab, start, pins, how):
    daemon = start(served(lab))
    if how == "unloaded":
        netns.run(*netns.exec_command(lab.ns("lb1"), ["xdp-loader", "unload", INTERFACE, "--all"]))
    else:
        for path in pins.glob("xdp/dispatch-*/prog0-*"):
            path.unlink()
    process.wait_until(lambda: one(daemon)["attachment"] == "lost", "the program is missed", SEEN_SECONDS)
    assert "no longer attached" in daemon.log() and not daemon.status()["node"]["ready"]
    daemon.reload()
    assert (one(daemon)["attachment"], names(lab)) == ("native", [STEER])
    pages_arrive(lab, 25000)


# ---- who is refused, and how ---------------------------------------------------------------------


def refused(daemon, *words):
    assert daemon.wait(30) == 1
    for text in words:
        assert text in daemon.log(), daemon.log()


def test_a_neighbour_that_does_not_share_is_named(lab, new_daemon):
    log = lab.node_folder("lb1") / "alone.log"
    alone = process.start(netns.exec_command(lab.ns("lb1"), [
        lab.bin_dir / "guideway", "decap", "--interface", INTERFACE]), log,
        {**os.environ, "LIBXDP_SKIP_DISPATCHER": "1"})
    try:
        process.wait_until(lambda: "decapsulating GRE on" in log.read_text(), "it is there")
        number = xdp_programs(lab)["prog"]["id"]
        refused(new_daemon().start(),
                f"cannot start: attaching {STEER} to {INTERFACE} in native mode: Device or resource busy",
                f"the XDP program guideway_decap (id {number}) is there already and does not share; "
                f"take it off with: ip link set dev {INTERFACE} xdpdrv off")
        assert "does not share" in Doctor(lab, config(lab)).only("program", "error")["text"]
        assert xdp_programs(lab)["prog"]["id"] == number
    finally:
        alone.terminate()
        alone.wait(process.patient(10))
        sharing.clear(lab)


def test_a_neighbour_that_is_pinned_elsewhere_is_told_from_one_that_does_not_share(lab, new_daemon, neighbour,
                                                                                   monkeypatch):
    neighbour.load()
    with monkeypatch.context() as patch:
        patch.delenv("LIBXDP_BPFFS")
        daemon = new_daemon().start()
    refused(daemon, f"with {FILTER} behind it, and is pinned in another BPF file system than this process sees",
            "LIBXDP_BPFFS")
    assert names(lab) == [FILTER]


def kernel_version():
    """(6, 12), say."""
    return tuple(map(int, re.match(r"(\d+)\.(\d+)", os.uname().release).groups()))


def test_decap_shares_before_linux_6_12_and_is_there_by_itself_from_then_on(lab, start):
    """It moves the beginning of packets, which newer kernels refuse behind libxdp's dispatcher. That is
    told by nothing but the attempt, which is decap's: so by the version, what has to come of it."""
    start(served(lab))
    log = lab.node_folder("be1") / "beside.log"
    lab.stop_decapsulation("be1")
    child = process.start(netns.exec_command(lab.ns("be1"), [
        lab.bin_dir / "guideway", "decap", "--interface", INTERFACE]), log)
    try:
        process.wait_until(lambda: "decapsulating GRE on" in log.read_text(), "decap is ready")
        shares = kernel_version() < (6, 12)
        by_dispatcher = xdp_programs(lab, "be1")["prog"]["name"] == sharing.DISPATCHER
        assert by_dispatcher == shares, log.read_text()
        assert f"dispatcher {'yes' if shares else 'no'}" in log.read_text()
        pages_arrive(lab, 26000)
    finally:
        child.terminate()
        code = child.wait(process.patient(10))
        left = xdp_programs(lab, "be1")
        lab.start_decapsulation("be1")
    assert (code, left) == (0, {}), log.read_text()


# ---- the unit ------------------------------------------------------------------------------------


@pytest.fixture
def unit(lab, new_daemon):
    """Makes daemons with the user and the capabilities of the unit."""
    pathlib.Path("/run/guideway").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="guideway-coexistence-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        shutil.copy(lab.bin_dir / "guidewayd", folder / "guidewayd")
        own = folder / "run"
        own.mkdir()
        os.chown(own, privileges.USER, privileges.USER)

        def begin():
            settings = served(lab)
            settings["admin"]["socket"] = str(own / "guidewayd.sock")
            daemon = new_daemon(settings)
            daemon.config_path, daemon.program = folder / "guidewayd.yaml", folder / "guidewayd"
            return daemon.start(privileges.wrapper())
        yield begin


def test_the_unit_is_there_by_itself_and_a_neighbour_is_refused(lab, unit, neighbour):
    daemon = unit().wait_ready().wait_resolved()
    assert xdp_programs(lab)["prog"]["name"] == STEER
    assert "not shared" in daemon.client("status").stdout
    tried = neighbour.try_load()
    assert tried.returncode != 0 and "Existing program is not using a dispatcher" in tried.stderr, tried.stderr
    assert (one(daemon)["attachment"], one(daemon)["dispatcher"]) == ("native", False)
    pages_arrive(lab, 27000)
    daemon.settle()
    assert daemon.stop() == 0
    assert xdp_programs(lab) == {}


def test_the_unit_is_refused_where_a_neighbour_is(lab, unit, neighbour):
    neighbour.load()
    number = xdp_programs(lab)["prog"]["id"]
    refused(unit(), f"an XDP program (id {number}) is there already, and to share with one takes cap_sys_admin")
    assert names(lab) == [FILTER]


def capabilities_of_the_drop_in():
    """What docs/operations.md has the unit given to share an interface, beside its own."""
    manual = (privileges.ROOT / "docs/operations.md").read_text()
    more = re.search(r"^    CapabilityBoundingSet=(CAP_SYS_ADMIN .*)$", manual, re.MULTILINE)[1]
    return [*privileges.of_the_unit(), *more.lower().split()]


# As the unit's ExecStartPre= leaves it, in a mount namespace of its own.
FOLDER_OF_THE_UNIT = 'mount -t tmpfs -o mode=755 run /run/guideway && chown {0}:{0} /run/guideway && exec "$@"'


def test_with_the_drop_in_of_the_manual_the_unit_shares(lab, new_daemon, neighbour):
    """CAP_IPC_LOCK stands for LimitMEMLOCK=."""
    pathlib.Path("/run/guideway").mkdir(exist_ok=True)
    neighbour.load()
    given = [*capabilities_of_the_drop_in(), "cap_ipc_lock"]
    bounding = ",".join(["-all", *(f"+{name.removeprefix('cap_')}" for name in given)])
    daemon = new_daemon(served(lab)).start([
        "unshare", "--mount", "sh", "-c", FOLDER_OF_THE_UNIT.format(privileges.USER), "sh",
        "setpriv", f"--bounding-set={bounding}", "--inh-caps=-all"])
    daemon.wait_ready().wait_resolved()
    is_shared(lab, daemon)
    assert set(daemon.status()["node"]["capabilities"]) <= set(given)
    pages_arrive(lab, 28000)
    daemon.settle()
    assert daemon.stop() == 0
    assert names(lab) == [FILTER]
