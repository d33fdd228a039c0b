"""Every way to get packets that this kernel offers forwards them, and says which way it was."""
import os
import pathlib
import subprocess

import pytest

from support import fetch, netns, process
from support.daemon import config
from support.lab import INTERFACE

HOLD_QUEUE = pathlib.Path(__file__).resolve().parents[1] / "support" / "hold_queue.py"


def pages_arrive(lab, first_port):
    ports = range(first_port, first_port + 30)
    assert [page.status for page in fetch.fetch_all(lab, ports)] == [200] * len(ports)


@pytest.mark.parametrize("mode, attachment", [("copy", "native"), ("generic", "generic")])
def test_each_mode_with_copies_forwards_and_is_shown(lab, start, mode, attachment):
    daemon = start(config(lab, interface={"mode": mode}))
    pages_arrive(lab, 30000)
    interface = daemon.settle()["interfaces"][0]
    assert interface["attachment"] == attachment
    assert [queue["mode"] for queue in interface["queues"]] == ["copy"] * lab.queues
    assert f"attached in {attachment} mode" in daemon.log()


def test_auto_takes_the_best_and_says_why_it_is_no_better(lab, start):
    daemon = start()
    pages_arrive(lab, 30500)
    [interface] = daemon.settle()["interfaces"]
    modes = {queue["mode"] for queue in interface["queues"]}
    assert len(modes) == 1
    refused = daemon.log().count("trying the next mode")
    assert (interface["attachment"], *modes, refused) in (
        ("native", "zero-copy", 0), ("native", "copy", 1), ("generic", "copy", 1))
    assert ("Operation not supported" in daemon.log()) == (refused > 0)


def test_busy_polling_forwards_and_never_sleeps(lab, start):
    daemon = start(config(lab, interface={"busy_poll": True}))
    pages_arrive(lab, 31000)
    workers = [queue["worker"] for queue in daemon.settle()["interfaces"][0]["queues"]]
    assert [worker["sleeps"] for worker in workers] == [0] * lab.queues


def test_large_frames_forward_too(lab, start):
    daemon = start(config(lab, interface={"frame_size": 4096, "frames": 512, "ring": 256}))
    pages_arrive(lab, 32000)
    assert "512 frames of 4096 bytes" in daemon.log()


def test_workers_run_where_they_are_told(lab, start):
    cpu = min(os.sched_getaffinity(0))
    daemon = start(config(lab, interface={"cpus": [cpu]}))
    pages_arrive(lab, 33000)
    assert {queue["cpu"] for queue in daemon.settle()["interfaces"][0]["queues"]} == {cpu}
    threads = pathlib.Path(f"/proc/{daemon.status()['node']['pid']}/task").iterdir()
    pinned = [(thread / "status").read_text().partition("Cpus_allowed_list:")[2].split()[0]
              for thread in threads if (thread / "comm").read_text().startswith("gw-")]
    assert pinned == [str(cpu)] * lab.queues


@pytest.fixture
def holder(lab):
    """Another socket on queue 0 of the load balancer."""
    child = subprocess.Popen(netns.exec_command(lab.ns("lb1"), ["/usr/bin/python3", HOLD_QUEUE, INTERFACE, "0"]),
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "held\n"
    yield child
    child.kill()
    child.wait()


def test_a_queue_that_is_still_busy_is_waited_for(lab, new_daemon, holder):
    daemon = new_daemon().start()
    process.wait_until(lambda: "busy, trying again" in daemon.log(), "the daemon met the busy queue", 5.0)
    assert "ready" not in daemon.log()
    holder.stdin.close()
    daemon.wait_ready().wait_resolved()
    pages_arrive(lab, 34000)
    daemon.settle()
    assert daemon.stop() == 0


def test_a_queue_that_stays_busy_is_an_error_in_the_end(lab, new_daemon, holder):
    daemon = new_daemon().start()
    assert daemon.wait(20.0) == 1
    assert f"opening a socket on {INTERFACE} queue 0" in daemon.log()
    assert "Device or resource busy (another socket has this queue" in daemon.log()
