"""A reload that cannot be: every reason is told, and nothing is different from before."""
import contextlib
import copy
import http.client
import socket

import pytest

from support import fetch, process
from support.daemon import Daemon, config, to_yaml
from support.lab import VIP
from support.reload import guideway, hang_up, lasting, places, post, program_id, reload, workers, write

OWN = "192.0.2.77"


@pytest.fixture(scope="module")
def running(lab):
    daemon = Daemon(lab).start()
    try:
        yield daemon.wait_ready().wait_resolved()
        daemon.settle()
        assert daemon.stop() == 0
    finally:
        if daemon.alive():
            daemon.kill()


@pytest.fixture
def unchanged(lab, running):
    """The daemon. In the end it has to be what it was, to forward, and to take a right file."""
    before, program, threads = lasting(running.status()), program_id(lab), workers(running)
    yield running
    assert lasting(running.status()) == before
    assert (program_id(lab), workers(running)) == (program, threads)
    assert fetch.fetch(lab).status == 200
    _remove(running)
    assert reload(running, running.settings)["changes"] == []
    assert running.status()["reloads"]["last_succeeded"] is True


def _remove(daemon):
    """Takes away whatever is in the place of the file."""
    with contextlib.suppress(FileNotFoundError):
        (daemon.config_path.rmdir if daemon.config_path.is_dir() else daemon.config_path.unlink)()


def refused(daemon, *words):
    """All three ways are refused for the same reasons; returns these. Each is a failure counted."""
    failed = daemon.status()["reloads"]["failed"]
    answer = post(daemon)
    assert answer.status == 422 and answer.body["succeeded"] is False, answer
    assert answer.body["generation"] == daemon.status()["generation"]
    problems = answer.body["problems"]
    assert problems and all(any(word in problem for problem in problems) for word in words), problems
    done = guideway(daemon, "reload")
    assert done.code == 1 and set(problems) <= set(done.errors.splitlines()), done
    log = hang_up(daemon)
    assert all(f"reload: {problem}" in log for problem in problems), log
    assert f"{len(problems)} problem(s); nothing of it is in force" in log
    reloads = daemon.status()["reloads"]
    assert (reloads["failed"], reloads["last_succeeded"]) == (failed + 3, False)
    return problems


def line_of(daemon, text, nth=0):
    """The number of the line of the file that has this text."""
    lines = daemon.config_path.read_text().splitlines()
    return [number for number, line in enumerate(lines, 1) if text in line][nth]


UNREADABLE = {
    "empty": (b"", "is empty"),
    "nothing but comments": (b"# nothing\n", "is empty"),
    "binary": (bytes(range(256)) * 8, "byte 0x00"),
    "cut off": (b"node:\n  name: \"lb", "is not YAML"),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_a_file_that_cannot_be_read_as_yaml_is_the_only_problem(unchanged, what):
    content, word = UNREADABLE[what]
    write(unchanged, content)
    assert len(refused(unchanged, word)) == 1


def test_a_file_that_is_missing_is_named(unchanged):
    _remove(unchanged)
    assert len(refused(unchanged, f"{unchanged.config_path}: cannot be opened: No such file")) == 1


def test_a_directory_in_its_place_is_named(unchanged):
    _remove(unchanged)
    unchanged.config_path.mkdir()
    assert len(refused(unchanged, "Is a directory")) == 1


def test_all_errors_of_a_file_are_told_with_their_lines(lab, unchanged):
    settings = config(lab)
    settings["pools"][0]["backends"][1]["weight"] = -3
    settings["services"][0]["pool"] = "nowhere"
    settings["flow_tabel"] = settings.pop("flow_table")
    write(unchanged, settings)
    problems = refused(unchanged, "backends[1].weight", '"nowhere"', "flow_tabel")
    assert places(problems) == [line_of(unchanged, text) for text in ("-3", "nowhere", "flow_tabel")]


def test_a_key_that_is_there_twice_is_told_where(lab, unchanged):
    write(unchanged, to_yaml(config(lab)) + "log:\n  level: debug\n")
    problems = refused(unchanged, "log")
    assert places(problems) == [line_of(unchanged, "log:", 1)]


def test_two_services_of_one_port_are_told(lab, unchanged):
    settings = config(lab)
    settings["services"].append({"vip": VIP, "ports": ["udp/53", "tcp/80"], "pool": "web"})
    write(unchanged, settings)
    problems = refused(unchanged, f"tcp {VIP}:80 is already at line {line_of(unchanged, 'tcp/80')}")
    assert places(problems) == [line_of(unchanged, "tcp/80", 1)]


def test_a_vip_that_the_host_has_for_itself_by_now_is_told(lab, unchanged):
    settings = config(lab)
    settings["services"].append({"vip": OWN, "ports": ["tcp/80"], "pool": "web"})
    write(unchanged, settings)
    lab.ip("lb1", f"address add {OWN}/32 dev lo")
    try:
        problems = refused(unchanged, OWN)
        assert places(problems) == [line_of(unchanged, OWN)]
    finally:
        lab.ip("lb1", f"address delete {OWN}/32 dev lo")


def test_an_interface_that_does_not_exist_is_told_with_those_that_do(lab, unchanged):
    settings = config(lab)
    settings["interfaces"].append({"name": "nosuch0"})
    write(unchanged, settings)
    assert len(refused(unchanged, "interface nosuch0: there is no such interface")) == 1


# ---- metrics ------------------------------------------------------------------------------------


def page_of_metrics(lab, listen):
    """The status of the metrics page at this place; None: nobody answers."""
    address, _, port = listen.rpartition(":")
    with lab.inside("lb1"):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with sock, contextlib.suppress(ConnectionRefusedError):
        sock.settimeout(process.patient(15))
        sock.connect((address, int(port)))
        connection = http.client.HTTPConnection(address)
        connection.sock = sock
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        assert b"guideway_" in answer.read()
        return answer.status


@contextlib.contextmanager
def taken(lab, address, port):
    """Somebody else listens there."""
    with lab.inside("lb1"):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        sock.listen()
        yield


def with_metrics(settings, listen):
    return {**copy.deepcopy(settings), "metrics": {"listen": listen}}


def test_metrics_come_move_and_go(lab, running):
    settings = running.settings
    first, second = "127.0.0.1:9477", "127.0.0.1:9478"
    own = f"{lab.lbs[0].address}:9478"
    assert page_of_metrics(lab, first) is None
    for before, listen in ((None, first), (first, second), (second, own), (own, "0.0.0.0:9478")):
        outcome = reload(running, with_metrics(settings, listen))
        assert outcome["changes"] == [f"metrics.listen: {before or 'none'} -> {listen}"]
        assert page_of_metrics(lab, listen.replace("0.0.0.0", "127.0.0.1")) == 200
        assert before in (None, own) or page_of_metrics(lab, before) is None
    assert reload(running, settings)["changes"] == ["metrics.listen: 0.0.0.0:9478 -> none"]
    assert page_of_metrics(lab, second) is None


@pytest.mark.parametrize("listen, occupied", [
    ("127.0.0.1:9479", "127.0.0.1"),
    ("0.0.0.0:9477", "10.77.1.2"),  # the port that the daemon has already, at more addresses
], ids=["another port", "the same port"])
def test_metrics_stay_where_they_are_if_the_new_place_is_taken(lab, running, listen, occupied):
    settings = with_metrics(running.settings, "127.0.0.1:9477")
    reload(running, settings)
    with taken(lab, occupied, int(listen.rpartition(":")[2])):
        write(running, with_metrics(running.settings, listen))
        before = lasting(running.status())
        assert len(refused(running, listen, "already in use")) == 1
        assert lasting(running.status()) == before
        assert page_of_metrics(lab, "127.0.0.1:9477") == 200
    assert reload(running, settings)["changes"] == []
    assert page_of_metrics(lab, "127.0.0.1:9477") == 200
    assert reload(running, running.settings)["changes"] == ["metrics.listen: 127.0.0.1:9477 -> none"]
