"""What the daemon tells the service manager that started it, and what it makes of a worker that hangs."""
import concurrent.futures
import copy
import errno
import pathlib
import re
import signal
import sys

import pytest

from support import metrics, process
from support.daemon import config, xdp_programs
from support.hold_thread import HeldThread
from support.reload import ask, lasting, post, program_id, reload, workers, write
from support.service_manager import ServiceManager

LAB = {"backends": 2}
KINDS = ("READY", "RELOADING", "STOPPING")
DENY_CALL = pathlib.Path(__file__).resolve().parents[1] / "support/deny_call.py"


@pytest.fixture
def listening():
    managers = []

    def begin(watchdog_seconds=None):
        managers.append(ServiceManager(watchdog_seconds))
        return managers[-1]
    yield begin
    for manager in managers:
        manager.close()


@pytest.fixture
def supervised(lab, new_daemon, listening):
    """A daemon and its service manager; whoever holds a worker lets go of it."""
    def begin(settings=None, watchdog_seconds=None):
        manager = listening(watchdog_seconds)
        daemon = new_daemon(settings).start(manager.wrapper).wait_ready().wait_resolved()
        return daemon, manager
    return begin


def with_drain(lab, drain):
    settings = config(lab)
    settings["shutdown"] = {"drain": drain}
    settings["metrics"] = {"listen": f"0.0.0.0:{metrics.PORT}"}
    return settings


def forwards(daemon):
    generation = daemon.status()["generation"]
    return f"forwarding on net0 (native, copy), 2 of 2 backends up, generation {generation}"


def stalled(daemon):
    return [queue["stalled_seconds"] for interface in daemon.status()["interfaces"]
            for queue in interface["queues"]]


def hold_a_worker(daemon):
    thread, name = min(workers(daemon).items())
    return HeldThread(thread), name


def wait_stalled(daemon, seconds=20.0):
    process.wait_until(lambda: ask(daemon, "GET", "/readyz").status == 503, "it is not ready", seconds)


def wait_ended(daemon, held, seconds=20.0):
    """The kernel keeps a process until whoever holds a thread of it has looked."""
    process.wait_until(lambda: held.has_ended() and not daemon.alive(), "it has ended", seconds)
    return daemon.child.returncode


def test_it_says_that_it_is_ready_when_it_takes_packets_and_that_it_stops_at_the_signal(lab, supervised):
    daemon, manager = supervised()
    ready = next(message for message in manager.messages() if "READY" in message)
    assert re.fullmatch(r"forwarding on net0 \(native, copy\), 2 of 2 backends up, generation \d+", ready["STATUS"])
    before = manager.messages()[:manager.messages().index(ready)]
    assert before and all(set(message) == {"EXTEND_TIMEOUT_USEC"} for message in before)
    manager.wait_for(lambda m: m.status() == forwards(daemon), "the status is of now")
    assert daemon.stop() == 0
    assert manager.order(*KINDS) == ["READY", "STOPPING"]
    assert "WATCHDOG" not in {name for message in manager.messages() for name in message}


def test_a_signal_during_the_start_ends_it_before_packets_are_taken(lab, new_daemon, listening):
    """And nothing has to be drained. It is stopped while it attaches; if that was too late, again."""
    for _ in range(20):
        manager = listening()
        daemon = new_daemon(with_drain(lab, "1h")).start(manager.wrapper)
        process.wait_until(lambda manager=manager: manager.said("EXTEND_TIMEOUT_USEC"), "it attaches", interval=0)
        daemon.child.send_signal(signal.SIGSTOP)
        process.wait_until(lambda pid=daemon.child.pid: process.state(pid) == "T", "it stands still")
        early = "attached in" not in daemon.log()
        daemon.child.send_signal(signal.SIGTERM)
        if not early:
            daemon.kill()
            continue
        daemon.child.send_signal(signal.SIGCONT)
        assert daemon.wait() == 0
        assert manager.order(*KINDS) == ["STOPPING"]
        assert xdp_programs(lab) == {}
        return
    pytest.fail("it was never stopped in time")


def test_an_interface_that_lost_its_program_is_in_the_status_until_a_reload(lab, supervised):
    daemon, manager = supervised()
    lab.ip("lb1", "link set net0 xdp off")
    manager.wait_for(lambda m: m.status() == "out of service: net0 (guideway reload); forwarding on no interface, "
                     f"2 of 2 backends up, generation {daemon.status()['generation']}", "the status says it")
    daemon.reload()
    assert manager.status() == forwards(daemon)
    assert daemon.stop() == 0


def test_the_time_of_a_start_that_waits_for_answers_is_asked_for(lab, supervised):
    settings = config(lab)
    settings["pools"][0]["checks"] = [{"type": "http", "port": 80, "interval": process.paced("200ms")}]
    daemon, manager = supervised(settings)
    asked = [int(value) for value in manager.said("EXTEND_TIMEOUT_USEC")]
    assert len(asked) == 2 and asked[1] > asked[0] >= 60e6
    assert daemon.stop() == 0


def test_a_stop_asks_for_the_drain_time_before_it_begins(lab, supervised):
    daemon, manager = supervised(with_drain(lab, "1h"))
    daemon.child.send_signal(signal.SIGTERM)
    manager.wait_for(lambda m: m.said("STOPPING"), "it says that it stops")
    stopping = next(message for message in manager.messages() if "STOPPING" in message)
    assert int(stopping["EXTEND_TIMEOUT_USEC"]) >= 3600e6
    assert stopping["STATUS"].startswith("stopping, still forwarding on net0")
    assert daemon.alive() and xdp_programs(lab) != {}
    assert post(daemon).status == 422  # is refused, and not told of
    assert daemon.stop() == 0
    assert manager.order(*KINDS) == ["READY", "STOPPING"]
    assert manager.status() == "stopping"


def test_a_reload_is_told_from_its_beginning_to_its_end_right_or_wrong(lab, supervised):
    daemon, manager = supervised()
    right = daemon.settings
    changed = copy.deepcopy(right)
    changed["pools"][0]["backends"][0]["weight"] = 3
    daemon.reload(changed)
    assert manager.order(*KINDS) == ["READY", "RELOADING", "READY"]
    assert manager.messages()[-1]["STATUS"] == forwards(daemon)
    times = [int(value) for value in manager.said("MONOTONIC_USEC")]
    assert len(times) == 1 and times[0] > 0

    assert post(daemon, {**right, "nonsense": 1}).status == 422
    assert manager.order(*KINDS) == ["READY", *["RELOADING", "READY"] * 2]
    assert manager.status() == f"the last reload failed; {forwards(daemon)}"
    daemon.reload(right)
    assert manager.status() == forwards(daemon)
    assert daemon.stop() == 0


def test_the_status_follows_the_health_of_backends(lab, supervised):
    settings = config(lab)
    settings["pools"][0]["checks"] = [{"type": "tcp", "port": 80, "rise": 1, "fall": 1,
                                       "interval": process.paced("100ms")}]
    daemon, manager = supervised(settings)
    process.wait_until(lambda: "2 of 2 backends up" in manager.status(), "both are up")
    settings = copy.deepcopy(settings)
    settings["pools"][0]["checks"][0]["port"] = 9
    daemon.reload(settings)
    manager.wait_for(lambda m: m.status() == forwards(daemon).replace("2 of 2", "0 of 2"), "both are down")
    assert daemon.stop() == 0


def test_a_start_that_fails_says_why(lab, new_daemon, listening):
    manager = listening()
    daemon = new_daemon(config(lab, interface={"name": "nosuch0"})).start(manager.wrapper)
    assert daemon.wait() == 1
    last = manager.messages()[-1]
    assert last["STATUS"].startswith("cannot start: interface nosuch0: there is no such interface")
    assert int(last["ERRNO"]) > 0 and "READY" not in last


def test_a_wrong_file_is_said_too(lab, new_daemon, listening):
    manager = listening()
    daemon = new_daemon({**config(lab), "nonsense": 1}).start(manager.wrapper)
    assert daemon.wait() == 1
    assert [sorted(message) for message in manager.messages()] == [["ERRNO", "STATUS"]]
    assert re.search(r"guidewayd\.yaml:\d+:1: nonsense: unknown key", manager.status())


@pytest.mark.parametrize("denied, status, number", [
    ("netlink", "cannot start: listing this host's addresses: Address family not supported by protocol",
     errno.EAFNOSUPPORT),
    ("threads", "unexpected: .*Resource temporarily unavailable.*", errno.EAGAIN)])
def test_a_start_that_the_kernel_refuses_something_says_so_too(lab, new_daemon, listening, denied, status, number):
    """The second is an exception that nobody catches on its way."""
    manager = listening()
    daemon = new_daemon().start([*manager.wrapper, sys.executable, DENY_CALL, denied])
    assert daemon.wait() == 1
    last = manager.messages()[-1]
    assert re.fullmatch(status, last["STATUS"]), daemon.log()
    assert (int(last["ERRNO"]), sorted(last)) == (number, ["ERRNO", "STATUS"])
    assert f"guidewayd: {last['STATUS'].removeprefix('cannot start: ')}" in daemon.log()
    assert xdp_programs(lab) == {}


def test_without_a_service_manager_nothing_is_different(lab, start):
    daemon = start()
    assert daemon.stop() == 0
    assert "notify" not in daemon.log().lower()


def test_a_worker_that_hangs_ends_the_feeding_of_the_watchdog_until_it_goes_on(lab, supervised):
    daemon, manager = supervised(with_drain(lab, "0s"), watchdog_seconds=2)
    manager.wait_for(lambda m: len(m.said("WATCHDOG")) >= 3, "the watchdog is fed")
    assert stalled(daemon) == [0, 0] and daemon.status()["node"]["ready"]
    held, name = hold_a_worker(daemon)
    with held:
        wait_stalled(daemon)
        fed = len(manager.said("WATCHDOG"))
        line = re.search(r" error net0: worker (\S+) of queue (\d) \(CPU \d+, thread (\d+)\) has not gone round "
                         r"its loop for \d+\.\d s: state t \(stopped by a debugger\)(.*)", daemon.log())
        assert line and (line[1], int(line[3])) == (name, held.thread), daemon.log()
        queue = int(line[2])
        manager.wait_for(lambda m: m.status().startswith(f"hanging: {name}; forwarding on net0"), "the status says it")
        process.wait_until(lambda: stalled(daemon)[queue] >= 2, "the status has the time")
        assert stalled(daemon)[1 - queue] == 0
        assert not daemon.status()["node"]["ready"]
        labels = frozenset({"interface": "net0", "queue": str(queue)}.items())
        assert metrics.scrape(lab)["guideway_worker_stalled_seconds"][labels] >= 2
        assert len(manager.said("WATCHDOG")) == fed
    process.wait_until(lambda: ask(daemon, "GET", "/readyz").status == 200, "it is ready again", 15)
    assert re.search(rf" warning net0: worker {name} of queue {queue} goes on, after it had stood still", daemon.log())
    manager.wait_for(lambda m: len(m.said("WATCHDOG")) >= fed + 2, "the watchdog is fed again")
    manager.wait_for(lambda m: m.status() == forwards(daemon), "the status is as before")
    assert stalled(daemon) == [0, 0]
    daemon.settle()
    assert daemon.stop() == 0


def test_a_signal_ends_a_daemon_whose_worker_hangs_with_the_reason_in_the_log(lab, supervised, start):
    daemon, manager = supervised()
    held, name = hold_a_worker(daemon)
    with held:
        wait_stalled(daemon)
        daemon.child.send_signal(signal.SIGTERM)
        assert wait_ended(daemon, held) == 1
    assert manager.order(*KINDS) == ["READY", "STOPPING"]
    assert re.search(rf" critical net0: worker {name} \(CPU \d+, thread {held.thread}\) does not end within 5 s: "
                     "state t .*leaves the XDP program attached", daemon.log()), daemon.log()
    assert xdp_programs(lab) != {}
    # What it leaves is no obstacle.
    assert start().status()["node"]["ready"]


@pytest.fixture
def another(lab):
    """Makes settings by which the one interface gives way to another one: its workers have to end."""
    lab.ip("lb1", "link add net1 type veth peer name net1-peer", "link set net1 up", "link set net1-peer up")
    yield lambda settings: {**copy.deepcopy(settings), "interfaces": [{"name": "net1"}]}
    lab.ip("lb1", "link delete net1")


def assert_refused(answer, name):
    assert answer.status == 422
    assert answer.body["problems"] == [
        f"taking interface net0 out of service: its worker {name} hangs, and cannot be ended "
        "(systemctl restart guideway)"]


@pytest.mark.parametrize("known", [True, False], ids=["stalled", "just held"])
def test_a_reload_that_would_wait_for_a_worker_that_hangs_is_refused(supervised, another, known):
    """Also where nobody has noticed yet that it hangs."""
    daemon, _ = supervised(watchdog_seconds=2 if known else None)
    held, name = hold_a_worker(daemon)
    with held:
        if known:
            wait_stalled(daemon)
        assert_refused(post(daemon, another(daemon.settings)), name)
    process.wait_until(lambda: ask(daemon, "GET", "/readyz").status == 200, "it is ready again", 15)
    assert daemon.stop() == 0


@pytest.fixture
def silent_backend(lab):
    """One that is never heard of, and whose way the kernel has nothing to say of."""
    lab.ip("router", "route add blackhole 10.99.99.99/32")
    yield {"address": "10.99.99.99"}
    lab.ip("router", "route delete blackhole 10.99.99.99/32")


def test_a_worker_that_hangs_while_a_reload_waits_for_answers_has_it_refused(lab, supervised, another, silent_backend):
    """And all undone that was done for it: what is in force goes on."""
    daemon, _ = supervised(with_drain(lab, "0s"), watchdog_seconds=2)
    before = lasting(daemon.status())
    settings = another(daemon.settings)
    settings["metrics"]["listen"] = f"0.0.0.0:{metrics.PORT + 1}"
    settings["pools"][0]["backends"].append(silent_backend)
    settings["pools"][0]["checks"] = [{"type": "udp", "port": 9, "send": "x",
                                       "interval": process.paced("2s"), "timeout": process.paced("2s")}]
    write(daemon, settings)
    with concurrent.futures.ThreadPoolExecutor(1) as client:
        answer = client.submit(post, daemon)
        process.wait_until(lambda: "net1: driver" in daemon.log(), "it has attached to the new interface")
        held, name = hold_a_worker(daemon)
        with held:
            assert_refused(answer.result(), name)
            assert program_id(lab) and program_id(lab, "net1") is None
    process.wait_until(lambda: ask(daemon, "GET", "/readyz").status == 200, "it is ready again", 15)
    now = lasting(daemon.status())
    assert {**now, "generation": 0} == {**before, "generation": 0}
    assert metrics.scrape(lab)
    settings = copy.deepcopy(daemon.settings)
    settings["pools"][0]["backends"].pop()
    reload(daemon, settings)
    daemon.settle()
    assert daemon.stop() == 0


def test_a_service_manager_that_stands_still_holds_nothing_up(supervised):
    """Nobody reads what it is told, and its queue has no room: four a second would be said."""
    daemon, manager = supervised(watchdog_seconds=1)
    manager.fill()
    begun = daemon.status()["node"]["uptime_seconds"]
    process.wait_until(lambda: daemon.status()["node"]["uptime_seconds"] >= begun + 3, "the daemon answers", 30)
    heard = len(manager.said("WATCHDOG"))
    manager.wait_for(lambda m: len(m.said("WATCHDOG")) > heard, "the watchdog is fed")
    assert daemon.stop() == 0
    assert manager.order(*KINDS) == ["READY", "STOPPING"]


def test_a_process_that_was_frozen_as_a_whole_has_no_worker_that_hangs(lab, supervised):
    daemon, manager = supervised(watchdog_seconds=2)
    daemon.child.send_signal(signal.SIGSTOP)
    fed = len(manager.said("WATCHDOG"))
    with pytest.raises(process.DeadlineExpired):
        process.wait_until(lambda: len(manager.said("WATCHDOG")) > fed + 1, "nothing is said", 3)
    daemon.child.send_signal(signal.SIGCONT)
    manager.wait_for(lambda m: len(m.said("WATCHDOG")) >= fed + 3, "the watchdog is fed again")
    assert "has not gone round" not in daemon.log()
    assert daemon.stop() == 0
