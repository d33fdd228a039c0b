"""What `guideway doctor --facts` reads of a host is what the host is like, with and without
privilege, and reading changes nothing."""
import json
import os
import pathlib
import stat
import subprocess

import pytest

from support import netns, process
from support.daemon import config, to_yaml, xdp_programs
from support.lab import FABRIC_MTU, INTERFACE

LAB = {"backends": 2}
NOBODY = ("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups",
          "--bounding-set", "-all", "--inh-caps", "-all")


@pytest.fixture
def facts(lab):
    """Reads the facts of lb1 for a configuration."""
    folder = lab.node_folder("lb1")
    folder.mkdir(exist_ok=True)

    def read(settings=None, wrapper=()):
        path = folder / "doctor.yaml"
        path.write_text(to_yaml(settings or config(lab)))
        command = [*wrapper, lab.bin_dir / "guideway", "doctor", path, "--facts"]
        done = subprocess.run(netns.exec_command(lab.ns("lb1"), command), capture_output=True, text=True)
        assert done.returncode == 0 and done.stderr == "", done.stderr
        return json.loads(done.stdout)
    return read


@pytest.fixture
def interface(facts):
    return lambda **how: facts(**how)["interfaces"][0]


@pytest.fixture(scope="module")
def for_nobody(lab):
    """A wrapper that runs a command without privilege, if that can reach the program."""
    reach = [path for path in (lab.bin_dir / "guideway").resolve().parents
             if not path.stat().st_mode & stat.S_IXOTH]
    if reach:
        pytest.skip(f"{reach[0]} is closed to others: nobody cannot run {lab.bin_dir}/guideway")
    return NOBODY


def on_lb1(lab, *command):
    return netns.run(*netns.exec_command(lab.ns("lb1"), command))


def test_link_queues_and_driver_are_what_the_kernel_says(lab, interface):
    link = json.loads(netns.ip("-n", lab.ns("lb1"), "-j", "link", "show", "dev", INTERFACE))[0]
    read = interface()
    assert (read["exists"], read["up"], read["carrier"]) == (True, True, True)
    assert (read["mtu_bytes"], read["mac"], read["index"]) == (FABRIC_MTU, link["address"], link["ifindex"])
    assert read["driver"]["name"] == "veth"
    assert (read["receive_queues"], read["transmit_queues"]) == (lab.queues, lab.queues)
    assert read["channels"]["receive"] == lab.queues
    assert read["served_queues"] == lab.queues
    assert read["umem_bytes"] == lab.queues * 4096 * read["frame_bytes"]
    assert read["rings"]["why"] == "not_supported"
    assert read["interrupts"]["why"] == "not_there"
    assert read["numa_node"] is None


def test_queues_can_be_fewer_than_there_may_be(lab, interface):
    on_lb1(lab, "ethtool", "-L", INTERFACE, "rx", "1", "tx", "1")
    try:
        read = interface()
        assert (read["channels"]["receive"], read["channels"]["max_receive"]) == (1, lab.queues)
        assert read["served_queues"] == 1
    finally:
        on_lb1(lab, "ethtool", "-L", INTERFACE, "rx", lab.queues, "tx", lab.queues)


@pytest.mark.parametrize("feature, word", [("rx-gro", "gro"), ("tx-checksum-ip-generic", "tx-checksum-ip-generic")])
def test_an_offload_follows_ethtool(lab, interface, feature, word):
    assert interface()["offloads"][feature] == {"on": False, "fixed": False, "wanted_on": False}
    on_lb1(lab, "ethtool", "-K", INTERFACE, word, "on")
    try:
        assert interface()["offloads"][feature]["on"] is True
    finally:
        on_lb1(lab, "ethtool", "-K", INTERFACE, word, "off")


def test_all_offloads_are_those_that_ethtool_shows(lab, interface):
    shown = on_lb1(lab, "ethtool", "-k", INTERFACE).splitlines()
    fixed = {line.split(":")[0].strip() for line in shown if "[fixed]" in line}
    read = interface()["offloads"]
    # Names that ethtool does not replace by older ones of its own.
    same = {name for name in read if any(line.strip().startswith(f"{name}:") for line in shown)}
    assert len(same) > 20
    assert {name for name in same if read[name]["fixed"]} == same & fixed


def test_the_mtu_decides_the_frame(lab, interface):
    lab.ip("lb1", f"link set {INTERFACE} mtu 3000")
    try:
        read = interface()
        assert (read["mtu_bytes"], read["frame_bytes"]) == (3000, 4096)
        lab.ip("lb1", f"link set {INTERFACE} mtu 9000")
        assert "MTU of 9000 does not fit" in interface()["frame_bytes"]["unknown"]
    finally:
        lab.ip("lb1", f"link set {INTERFACE} mtu {FABRIC_MTU}")


def test_rp_filter_is_that_of_all_and_of_the_interface(lab, facts):
    names = {"net.ipv4.conf.all.rp_filter": 2, f"net.ipv4.conf.{INTERFACE}.rp_filter": 1}
    netns.set_sysctls(lab.ns("lb1"), names)
    try:
        read = facts()
        assert (read["host"]["rp_filter_all"], read["interfaces"][0]["rp_filter"]) == (2, 1)
    finally:
        netns.set_sysctls(lab.ns("lb1"), dict.fromkeys(names, 0))


def test_an_interface_that_is_down_is_told_as_such(lab, facts):
    lab.ip("lb1", "link add spare0 type veth peer name spare1", "link set spare1 up")
    try:
        read = facts(config(lab, interface={"name": "spare0"}))["interfaces"][0]
        assert read["up"] is False and "unknown" in read["carrier"]
        lab.ip("lb1", "link set spare0 up", "link set spare1 down")
        read = facts(config(lab, interface={"name": "spare0"}))["interfaces"][0]
        assert (read["up"], read["carrier"]) == (True, False)
        assert [lower["name"] for lower in read["lower"]] == []
    finally:
        lab.ip("lb1", "link delete spare0")


def test_an_alternative_name_leads_to_the_same_interface(lab, facts):
    lab.ip("lb1", f"link property add dev {INTERFACE} altname uplink0")
    try:
        read = facts(config(lab, interface={"name": "uplink0"}))["interfaces"][0]
        assert (read["name"], read["kernel_name"]) == ("uplink0", INTERFACE)
        assert read["offloads"]["rx-gro"]["on"] is False
    finally:
        lab.ip("lb1", f"link property del dev {INTERFACE} altname uplink0")


def test_the_port_of_a_bridge_knows_its_master(lab, facts):
    try:
        lab.ip("lb1", "link add bridge0 type bridge")
    except netns.CommandFailed as failed:
        pytest.skip(f"this kernel has no bridges: {failed}")
    lab.ip("lb1", "link add spare0 type veth peer name spare1", "link set spare0 master bridge0")
    try:
        read = facts(config(lab, interface={"name": "spare0"}))["interfaces"][0]
        assert read["master"] == {"name": "bridge0", "kind": "bridge"}
        assert read["upper"] == [{"name": "bridge0", "kind": "bridge"}]
    finally:
        lab.ip("lb1", "link delete spare0", "link delete bridge0")


def test_the_way_to_backends_and_the_state_of_neighbours(lab, facts):
    me = lab.lbs[0]
    near = "10.77.1.77"
    lab.ip("lb1", f"neighbour flush dev {INTERFACE}")
    settings = config(lab)
    settings["pools"][0]["backends"].append({"address": near})

    def backend(address):
        return next(one for one in facts(settings)["backends"] if one["address"] == address)
    far = backend(lab.backends[0].address)
    assert (far["route"]["kind"], far["route"]["device"]) == ("unicast", INTERFACE)
    assert (far["route"]["gateway"], far["route"]["source"]) == (me.gateway, me.address)
    assert (far["route"]["mtu_bytes"], far["route"]["from_source"]) == (FABRIC_MTU, True)
    # Nobody has asked for it, nor has the doctor.
    assert far["neighbour"] == {"address": me.gateway, "state": "none", "mac": None}
    assert backend(lab.backends[0].address)["neighbour"]["state"] == "none"

    mac = "02:00:00:00:00:77"
    lab.ip("lb1", f"neighbour add {near} dev {INTERFACE} lladdr {mac} nud permanent")
    try:
        assert backend(near)["route"]["gateway"] is None
        assert backend(near)["neighbour"] == {"address": near, "state": "permanent", "mac": mac}
        lab.ip("lb1", f"neighbour change {near} dev {INTERFACE} lladdr {mac} nud stale")
        assert backend(near)["neighbour"]["state"] == "stale"
        lab.ip("lb1", f"neighbour change {near} dev {INTERFACE} nud failed")
        assert backend(near)["neighbour"]["state"] == "failed"
    finally:
        lab.ip("lb1", f"neighbour flush to {near} dev {INTERFACE} nud all")


def test_a_backend_without_a_way_and_one_by_a_route_of_a_smaller_mtu(lab, facts):
    first, second = lab.backends
    lab.ip("lb1", f"route add unreachable {first.address}/32",
           f"route add {second.address}/32 via {lab.lbs[0].gateway} mtu 1400")
    try:
        ways = {one["address"]: one["route"] for one in facts()["backends"]}
        assert ways[first.address]["kind"] == "none"
        assert ways[second.address]["mtu_bytes"] == 1400
    finally:
        lab.ip("lb1", f"route del unreachable {first.address}/32", f"route del {second.address}/32")


def test_a_source_that_is_not_the_hosts_is_told_apart(lab, facts):
    settings = config(lab)
    settings["encapsulation"]["source"] = "10.77.1.99"
    read = facts(settings)
    assert {one["route"]["from_source"] for one in read["backends"]} == {False}
    assert read["backends"][0]["route"]["kind"] == "unicast"
    own = {entry["address"]: entry["interface"] for entry in read["host"]["addresses"]}
    assert own == {lab.lbs[0].address: INTERFACE}


def test_a_program_of_others_is_told_with_its_name(lab, interface, tmp_path):
    """`guideway decap` is one of others, as far as the steering program goes."""
    assert interface()["xdp_program"] is None
    log = tmp_path / "decap.log"
    command = [lab.bin_dir / "guideway", "decap", "--interface", INTERFACE]
    child = process.start(netns.exec_command(lab.ns("lb1"), command), log)
    try:
        process.wait_until(lambda: "decapsulating GRE on" in log.read_text(), "decap is ready")
        read = interface()
        assert read["served_by"] is None
        program = read["xdp_program"]
        assert program["mode"] in ("native", "generic")
        assert program["name"] == "guideway_decap" or "guideway_decap" in program["behind"]
        assert program["ours"] is False
        assert program["shares"] is (program["name"] == "xdp_dispatcher")
        assert program["id"] == xdp_programs(lab)["prog"]["id"]
    finally:
        child.terminate()
        child.wait(10)


def test_the_process_that_serves_an_interface_is_told_and_reading_does_not_disturb_it(lab, start, interface):
    daemon = start()
    for _ in range(3):
        read = interface()
        assert read["served_by"]["pid"] == daemon.child.pid
        assert read["served_by"]["program"] == "guidewayd"
        assert read["xdp_program"]["ours"] is True
    generation = daemon.status()["generation"]
    assert interface()["xdp_program"]["id"] == xdp_programs(lab)["prog"]["id"]
    assert daemon.status()["generation"] == generation


def test_a_program_that_a_killed_daemon_left_is_ours_and_served_by_nobody(lab, new_daemon, interface):
    """Of a dispatcher nothing but itself is left here: in a namespace of `ip netns` the pins of what is
    behind it go with the process."""
    daemon = new_daemon().start().wait_ready()
    daemon.kill()
    read = interface()
    if read["xdp_program"]["name"] == "xdp_dispatcher":
        assert (read["xdp_program"]["ours"], read["xdp_program"]["behind"]) == (False, [])
    else:
        assert read["xdp_program"]["ours"] is True
    assert read["served_by"] is None
    lab.ip("lb1", f"link set {INTERFACE} xdp off")


def test_what_needs_privilege_is_unknown_without_and_all_else_is_read(lab, start, facts, for_nobody, tmp_path):
    daemon = start()
    full, bare = facts(), facts(wrapper=for_nobody)
    kernel = bare["host"]["kernel"]
    for what in ("af_xdp", "xdp_programs", "xskmap", "program_extensions"):
        assert kernel[what]["why"] == "no_privilege", what
    assert full["host"]["kernel"]["af_xdp"] is True
    assert bare["host"]["privilege"]["effective"] == 0
    assert bare["host"]["privilege"]["uid"] != 0
    here, there = full["interfaces"][0], bare["interfaces"][0]
    assert there["xdp_program"]["name"]["why"] == "no_privilege"
    assert there["xdp_program"]["id"] == here["xdp_program"]["id"]
    assert there["served_by"]["pid"] == daemon.child.pid
    for what in ("mtu_bytes", "driver", "channels", "offloads", "xdp", "rp_filter", "umem_bytes"):
        assert there[what] == here[what], what
    assert [one["route"] for one in bare["backends"]] == [one["route"] for one in full["backends"]]


def test_the_limit_of_locked_memory_is_that_of_the_process(facts):
    read = facts(wrapper=("prlimit", "--memlock=65536:1048576"))["host"]["memory"]
    assert (read["locked_soft_bytes"], read["locked_hard_bytes"]) == (65536, 1048576)


def test_cpus_are_those_that_the_process_may_use(facts):
    one = min(os.sched_getaffinity(0))
    read = facts(wrapper=("taskset", "--cpu-list", str(one)))["host"]["cpu"]
    assert read["allowed"] == [one]
    assert read["online"] == [cpu["number"] for cpu in read["cpus"]]
    assert one in read["online"]


def test_the_kernel_is_told_by_its_release_and_by_what_it_can_do(facts):
    kernel = facts()["host"]["kernel"]
    release = os.uname().release
    assert kernel["release"] == release
    assert release.startswith(f"{kernel['major']}.{kernel['minor']}")
    assert (kernel["af_xdp"], kernel["xdp_programs"], kernel["xskmap"]) == (True, True, True)
    assert kernel["btf"] is pathlib.Path("/sys/kernel/btf/vmlinux").exists()


def test_reading_attaches_nothing_and_leaves_nothing(lab, facts):
    namespace = os.stat(f"/run/netns/{lab.ns('lb1')}").st_ino

    def things():
        state = [netns.ip("-n", lab.ns("lb1"), "-d", table, "show") for table in ("link", "route", "rule")]
        # Their states change by themselves.
        neighbours = json.loads(netns.ip("-n", lab.ns("lb1"), "-j", "neighbour", "show"))
        return state + [sorted(one["dst"] for one in neighbours), on_lb1(lab, "ethtool", "-k", INTERFACE),
                        sorted(pathlib.Path("/run/guideway").glob(f"*-{namespace}-*"))]
    before = things()
    facts()
    assert things() == before
