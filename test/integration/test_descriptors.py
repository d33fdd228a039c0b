"""What a daemon has open stays the same over its life: a leak of one descriptor a second is the end of
it after some weeks."""
import contextlib

from support import fetch, metrics, netns, process
from support.daemon import config, xdp_programs
from support.lab import INTERFACE

LAB = {"backends": 1}
BPF_PROGRAM = "anon_inode:bpf-prog"


def no_more_than(daemon, before):
    """Of no kind. What we have closed is closed by the daemon, too, when it has noticed: so `before`
    may have one connection too many, and now has to be waited for."""
    def grown():
        return {kind: number for kind, number in daemon.descriptors().items()
                if number > before.get(kind, 0)}
    with contextlib.suppress(process.DeadlineExpired):
        process.wait_until(lambda: not grown(), "as before", 10)
    assert grown() == {}, before


def five_looks(daemon):
    """So many have been taken when the uptime has gone on by so many seconds."""
    uptime = daemon.status()["node"]["uptime_seconds"]
    process.wait_until(lambda: daemon.status()["node"]["uptime_seconds"] >= uptime + 5, "five seconds", 30, 0.1)


def test_the_look_at_the_interface_each_second_leaves_nothing_open(start):
    daemon = start()
    before = daemon.descriptors()[BPF_PROGRAM]
    five_looks(daemon)
    assert daemon.descriptors()[BPF_PROGRAM] == before


def test_nor_does_it_while_another_program_is_in_the_place_of_ours(lab, new_daemon):
    daemon = new_daemon().start().wait_ready().wait_resolved()
    lab.ip("lb1", f"link set {INTERFACE} xdp off")
    other = process.start(netns.exec_command(lab.ns("lb1"), [
        lab.bin_dir / "guideway", "decap", "--interface", INTERFACE]), lab.node_folder("lb1") / "other.log")
    try:
        process.wait_until(lambda: daemon.status()["interfaces"][0]["attachment"] == "lost"
                           and "decapsulating" in (lab.node_folder("lb1") / "other.log").read_text(),
                           "another program is there", 15)
        five_looks(daemon)
        before = daemon.descriptors()[BPF_PROGRAM]
        five_looks(daemon)
        assert daemon.descriptors()[BPF_PROGRAM] == before
        assert daemon.status()["interfaces"][0]["attachment"] == "lost"
    finally:
        other.terminate()
        other.wait(10)
    assert daemon.stop() == 0, daemon.log()
    assert xdp_programs(lab) == {}


def test_requests_leave_nothing_open(lab, start):
    settings = config(lab)
    settings["metrics"] = {"listen": f"127.0.0.1:{metrics.PORT}"}
    daemon = start(settings)
    daemon.status()
    before = daemon.descriptors()
    for _ in range(40):
        daemon.status()
        metrics.scrape(lab)
    no_more_than(daemon, before)


def test_reloads_leave_nothing_open(lab, start):
    """Checks, tunnel and metrics come and go with them, and drains between them."""
    plain, full = config(lab), config(lab)
    full["metrics"] = {"listen": f"127.0.0.1:{metrics.PORT}"}
    full["pools"][0]["checks"] = [
        {"type": "tcp", "port": 80, "interval": process.paced("200ms")},
        {"type": "http", "port": 80, "interval": process.paced("200ms"), "via": "tunnel"}]
    daemon = start(full)
    daemon.reload(plain)
    before = daemon.descriptors()
    for turn in range(10):
        daemon.reload(full)
        assert daemon.client("drain" if turn % 2 else "undrain", lab.backends[0].address).returncode == 0
        daemon.reload(plain)
    no_more_than(daemon, before)
    assert daemon.client("undrain", lab.backends[0].address).returncode == 0
    daemon.wait_backend("be1", drain="")
    process.wait_until(lambda: daemon.backend("be1")["table_entries"] > 0, "it takes flows")
    assert fetch.fetch(lab).status == 200
