"""`guideway doctor` finds what is broken on a host, before there is a daemon, and the command that
it prints mends it."""
import contextlib
import os
import socket
import stat

import pytest

from support import netns, process
from support.daemon import config, xdp_programs
from support.doctor import OK, Doctor, problems
from support.lab import FABRIC_MTU, INTERFACE, VIP

LAB = {"backends": 2}
OTHER = "other0"
NOBODY = ("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups",
          "--bounding-set", "-all", "--inh-caps", "-all")
THROUGH_TUNNEL = {"type": "tcp", "port": 80, "via": "tunnel", "vip": VIP}


def on_lb1(lab, command):
    return netns.run(*netns.exec_command(lab.ns("lb1"), ["sh", "-c", command]))


def tunnelled(lab):
    settings = config(lab)
    settings["pools"][0]["checks"] = [THROUGH_TUNNEL]
    return settings


def polling(lab):
    return config(lab, interface={"busy_poll": True})


def generic(lab):
    return config(lab, interface={"mode": "generic"})


def one_queue(lab):
    return config(lab, interface={"queues": [0]})


def strange_source(lab):
    settings = config(lab)
    settings["encapsulation"]["source"] = "10.77.1.99"
    return settings


# What breaks it, the finding, its severity, what undoes the mending; and the file, if not the usual.
BROKEN = {
    "a small MTU": (f"ip link set dev {INTERFACE} mtu 1500", "mtu", "warning",
                    f"ip link set dev {INTERFACE} mtu {FABRIC_MTU}", config),
    "an MTU beyond the driver's": (f"ip link set dev {INTERFACE} mtu 3600", "native_mtu", "error",
                                   f"ip link set dev {INTERFACE} mtu {FABRIC_MTU}", config),
    "an MTU beyond a frame": (f"ip link set dev {INTERFACE} mtu 9000", "frame_size", "error",
                              f"ip link set dev {INTERFACE} mtu {FABRIC_MTU}", generic),
    "an interface that is down": (f"ip link set dev {INTERFACE} down", "up", "error",
                                  "ip route replace default via 10.77.1.1", config),
    "strict filtering": (f"sysctl -qw net.ipv4.conf.{INTERFACE}.rp_filter=1", "rp_filter", "warning",
                         f"sysctl -qw net.ipv4.conf.{INTERFACE}.rp_filter=0", tunnelled),
    "strict filtering everywhere": ("sysctl -qw net.ipv4.conf.all.rp_filter=1", "rp_filter", "warning",
                                    f"sysctl -qw net.ipv4.conf.all.rp_filter=0 "
                                    f"net.ipv4.conf.{INTERFACE}.rp_filter=0", tunnelled),
    "a route through another interface": (f"ip route add 10.77.101.2/32 dev {OTHER}", "other_interface",
                                          "error", "ip route del 10.77.101.2/32", config),
    "no route": ("ip route add unreachable 10.77.101.2/32", "no_route", "error",
                 "ip route del 10.77.101.2/32; ip route del unreachable 10.77.101.2/32 || true", config),
    "polling of two": ("true", "busy_poll", "warning",
                       f"echo 0 > /sys/class/net/{INTERFACE}/napi_defer_hard_irqs; "
                       f"echo 0 > /sys/class/net/{INTERFACE}/gro_flush_timeout", polling),
    "a queue without a worker": ("true", "unserved_queues", "error", f"ethtool -L {INTERFACE} rx 2 tx 2",
                                 one_queue),
}


@pytest.fixture(scope="module")
def other_interface(lab):
    """Another interface on lb1, that nothing is to be sent by."""
    lab.ip("lb1", f"link add {OTHER} type veth peer name other1", f"link set {OTHER} up", "link set other1 up")
    yield
    lab.ip("lb1", f"link delete {OTHER}")


def test_a_host_where_nothing_is_amiss_has_nothing_worse_than_notes(lab):
    report = Doctor(lab, config(lab)).ask()
    assert problems(report) == [] and report.code == OK
    assert [finding["severity"] for finding in report.found["running"]] == ["note"]
    for check in ("file", "kernel", "af_xdp", "up", "carrier", "mtu", "workers", "routes", "source"):
        assert [finding["severity"] for finding in report.found[check]] == ["ok"], check


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_is_found_and_the_command_mends_it(lab, other_interface, what):
    broken, check, severity, after, settings = BROKEN[what]
    doctor = Doctor(lab, settings(lab))
    if broken != "true":
        assert doctor.amiss(check) == []
    on_lb1(lab, broken)
    try:
        finding = doctor.only(check, severity)
        doctor.mend(finding)
        doctor.wait_gone(check)
    finally:
        on_lb1(lab, after)
    assert problems(Doctor(lab, config(lab)).ask()) == []


def test_an_address_of_somebody_else_is_not_taken_by_a_command(lab):
    """It may be that of another load balancer, of which the file is a copy."""
    finding = Doctor(lab, strange_source(lab)).only("source", "warning")
    assert not finding["command"] and "encapsulation.source: in " in finding["mend"]


def test_the_text_has_the_command_on_a_line_of_its_own(lab):
    lab.ip("lb1", f"link set {INTERFACE} mtu 1500")
    try:
        done = Doctor(lab, config(lab)).run()
        assert done.returncode == 4 and done.stderr == ""
        lines = done.stdout.splitlines()
        assert f"interface {INTERFACE}" in lines
        assert [line.strip() for line in lines].count(f"ip link set dev {INTERFACE} mtu 1524") == 1, done.stdout
        assert lines[-1].startswith("0 errors, 1 warning, ")
        assert all(len(line) <= 80 for line in lines)
    finally:
        lab.ip("lb1", f"link set {INTERFACE} mtu {FABRIC_MTU}")


@pytest.mark.parametrize("settings", [config, generic], ids=["native", "generic"])
def test_offloads_that_are_not_in_the_way_are_no_finding(lab, settings):
    """GRO, which XDP is left out of, and what the kernel's own sending has."""
    on_lb1(lab, f"ethtool -K {INTERFACE} gro on tx on")
    try:
        report = Doctor(lab, settings(lab)).ask()
        assert {finding["check"] for finding in problems(report)} <= {"mode"}
        assert [finding["severity"] for finding in report.found.get("rx-lro", [])] in ([], ["ok"])
    finally:
        on_lb1(lab, f"ethtool -K {INTERFACE} gro off tx off")


def test_more_queues_than_cpus_are_found_and_the_command_mends_it(lab):
    doctor = Doctor(lab, config(lab))
    one_cpu = ("taskset", "--cpu-list", str(min(os.sched_getaffinity(0))))
    try:
        finding = doctor.only("workers", "warning", wrapper=one_cpu)
        assert "2 workers share 1 CPU" in finding["text"]
        doctor.mend(finding)
        doctor.wait_gone("workers", wrapper=one_cpu)
    finally:
        on_lb1(lab, f"ethtool -L {INTERFACE} rx 2 tx 2")


def test_a_cpu_that_there_is_not_is_found(lab):
    finding = Doctor(lab, config(lab, interface={"cpus": [1023]})).only("cpus", "error")
    assert "1023" in finding["text"] and "online are" in finding["text"]


def test_a_mode_that_the_driver_has_not_is_found(lab):
    finding = Doctor(lab, config(lab, interface={"mode": "zero-copy"})).only("mode", "error")
    assert "veth" in finding["text"]


def test_a_next_hop_that_does_not_answer_is_found_and_its_return_too(lab):
    doctor = Doctor(lab, config(lab))
    gateway = lab.lbs[0].gateway

    def knock():
        """Has the kernel ask for the next hop, which the doctor does not."""
        with lab.inside("lb1"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            with contextlib.suppress(OSError):
                sock.sendto(b"?", (lab.backends[0].address, 9))

    lab.ip("router", f"address del {gateway}/24 dev to-lb1")
    lab.ip("lb1", f"neighbour flush dev {INTERFACE}")
    try:
        knock()
        finding = doctor.wait_for("next_hop", "error")
        assert gateway in finding["text"] and INTERFACE in finding["mend"]
        for backend in lab.backends:
            assert backend.address in finding["text"]
    finally:
        lab.ip("router", f"address add {gateway}/24 dev to-lb1")

    def answers():
        knock()
        return not doctor.amiss("next_hop")
    process.wait_until(answers, "the next hop answers again")


@pytest.fixture
def foreign_program(lab, tmp_path):
    """An XDP program that has nothing to do with the load balancer, and is left by who attached it."""
    log = tmp_path / "decap.log"
    command = [lab.bin_dir / "guideway", "decap", "--interface", INTERFACE]
    child = process.start(netns.exec_command(lab.ns("lb1"), command), log)
    try:
        process.wait_until(lambda: "decapsulating GRE on" in log.read_text(), "decap is ready")
        child.kill()
        child.wait(10)
        yield xdp_programs(lab)["prog"]["name"]
    finally:
        if child.poll() is None:
            child.kill()
            child.wait(10)
        on_lb1(lab, f"ip link set dev {INTERFACE} xdp off; ip link set dev {INTERFACE} xdpgeneric off")


def test_an_xdp_program_of_others_is_found_and_the_command_takes_it_off(lab, foreign_program):
    """Where libxdp has a dispatcher, that is what a killed process leaves, and it shares."""
    doctor = Doctor(lab, config(lab))
    finding = doctor.only("program", "warning" if foreign_program == "xdp_dispatcher" else "error")
    assert foreign_program in finding["text"]
    doctor.mend(finding)
    doctor.wait_gone("program")
    assert xdp_programs(lab) == {}


def test_a_limit_of_locked_memory_that_is_too_low_is_found(lab):
    """For a root that may neither pass nor raise the limit."""
    poor = ("setpriv", "--bounding-set", "-ipc_lock,-sys_resource", "--inh-caps", "-all")
    low, enough = ("prlimit", "--memlock=65536:65536"), ("prlimit", "--memlock=4194304:4194304")
    doctor = Doctor(lab, config(lab, interface={"frames": 512}))  # 2 MiB in all
    finding = doctor.only("memlock", "error", wrapper=(*low, *poor))
    assert "64 KiB may be locked, and the memory for packets is 2 MiB" in finding["text"]
    assert "LimitMEMLOCK=infinity" in finding["mend"]
    assert doctor.amiss("memlock", wrapper=(*enough, *poor)) == []
    assert doctor.amiss("memlock", wrapper=low) == []


def test_without_privilege_the_rest_is_looked_at_and_what_was_not_is_told(lab):
    doctor = Doctor(lab, config(lab))
    closed = [path for path in (lab.bin_dir / "guideway").resolve().parents
              if not path.stat().st_mode & stat.S_IXOTH]
    if closed:
        pytest.skip(f"{closed[0]} is closed to others: nobody cannot run {lab.bin_dir}/guideway")
    report = doctor.ask(wrapper=NOBODY)
    assert report.code == OK and problems(report) == []
    [unseen] = report.found["privilege"]
    assert unseen["severity"] == "note" and "sockets of AF_XDP" in unseen["text"]
    assert unseen["mend"] == f"sudo guideway doctor {doctor.file} --socket {doctor.socket}"
    assert "CAP_NET_ADMIN" in doctor.only("capabilities", "note", wrapper=NOBODY)["text"]
    for check in ("mtu", "up", "routes", "workers"):
        assert [finding["severity"] for finding in report.found[check]] == ["ok"], check


def test_a_missing_capability_of_root_is_an_error(lab):
    finding = Doctor(lab, config(lab)).only(
        "capabilities", "error", wrapper=("setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-all"))
    assert "root lacks CAP_NET_RAW" in finding["text"]


def test_a_wrong_file_is_told_with_its_places_and_the_host_all_the_same(lab):
    settings = config(lab)
    settings["services"][0]["pool"] = "nowhere"
    settings["flow_tabel"] = settings.pop("flow_table")
    report = Doctor(lab, settings).ask()
    texts = [finding["text"] for finding in report.found["file"]]
    assert len(texts) == 2 and '"nowhere"' in texts[0] and "flow_tabel" in texts[1]
    assert {finding["severity"] for finding in report.found["file"]} == {"error"}
    assert "kernel" in report.found and "up" not in report.found


def test_the_doctor_changes_nothing(lab):
    def things():
        shown = [netns.ip("-n", lab.ns("lb1"), "-d", table, "show") for table in ("link", "route", "rule")]
        return [*shown, on_lb1(lab, f"ethtool -k {INTERFACE}")]
    before = things()
    Doctor(lab, config(lab)).ask()
    assert things() == before
