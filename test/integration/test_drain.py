"""A backend that is drained keeps what it has and gets nothing new, until it is taken back."""
import contextlib

import pytest

from support import clients, fetch, process, servers, webserver
from support.daemon import config
from support.lab import VIP

PIECE = 100_000


def two_pools(lab):
    """The same backends twice: pool `web` behind port 80, pool `api` behind port 8080."""
    settings = config(lab)
    settings["pools"].append({**settings["pools"][0], "name": "api"})
    settings["services"].append({"vip": VIP, "ports": ["tcp/8080"], "pool": "api"})
    return settings


def address(lab, name):
    return lab.backend(name).address


def drain(lab, daemon, name, *words, verb="drain"):
    done = daemon.client(verb, address(lab, name), *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def drained(daemon, name, pool="web", by="operator"):
    """Its part of the table is gone, but not its right to keep its flows."""
    return daemon.wait_backend(name, pool, drain=by, table_entries=0, usable=True)


def who_answers(lab, ports):
    return {fetch.backend_of(page) for page in fetch.fetch_all(lab, ports)}


def download_from(lab, name, ports):
    """A download that has begun, from this backend."""
    for port in ports:
        download = clients.SlowDownload(lab, "/large.bin", port)
        download.read(PIECE)
        with lab.inside(name), open("/proc/thread-self/net/tcp", encoding="ascii") as table:
            if f":{port:04X} 01 " in table.read():
                return download
        download.read_to_end()
    raise AssertionError(f"no port of {ports} is given to {name}")


def test_a_drained_backend_finishes_what_it_has_and_gets_nothing_new(lab, start):
    daemon = start()
    download = download_from(lab, "be1", range(20000, 20060))
    with clients.long_sessions(lab, range(20100, 20118)) as sessions:
        kept = clients.by_backend(sessions)["be1"]
        answered = {session.port: session.answered for session in kept}
        drain(lab, daemon, "be1")
        drained(daemon, "be1")
        ports = range(21000, 21100)
        assert who_answers(lab, ports) == {"be2", "be3"}
        assert [request for request in webserver.requests(lab.node_folder("be1"))
                if request.port in ports] == []
        download.read(PIECE)
        process.wait_until(lambda: all(session.answered > answered[session.port] for session in kept),
                           "sessions to the drained backend go on")
        download.read_to_end()
        assert fetch.sha256(download.data) == fetch.sha256(webserver.large_file())
        drain(lab, daemon, "be1", verb="undrain")
        process.wait_until(lambda: daemon.backend("be1")["table_entries"] > 0, "it is back in the table")
        assert who_answers(lab, range(22000, 22060)) == {"be1", "be2", "be3"}
    assert [(session.failure, session.backends) for session in sessions] == [
        (None, {session.backend}) for session in sessions]
    assert daemon.settle()["totals"]["flow_moved"] == 0


def test_a_drain_outlives_a_reload_of_another_file(lab, start):
    daemon = start()
    session = clients.LongSession(lab, 23000)
    drain(lab, daemon, session.backend)
    drained(daemon, session.backend)
    other = config(lab, ports=("tcp/80", "tcp/8080"), weights=[2, 3, 5])
    daemon.reload(other)
    daemon.wait_backend(session.backend, drain="operator", table_entries=0, usable=True)
    assert session.backend not in who_answers(lab, range(23100, 23160))
    answered = session.answered
    process.wait_until(lambda: session.answered > answered or session.failure, "the session goes on")
    drain(lab, daemon, session.backend, verb="undrain")
    daemon.wait_backend(session.backend, drain="")
    process.wait_until(lambda: daemon.backend(session.backend)["table_entries"] > 0, "it is back")
    fetch.close_all(lab, [session.finish()])
    assert (session.failure, session.backends) == (None, {session.backend})


def test_a_drain_in_the_file_works_and_only_the_file_takes_it_back(lab, start):
    settings = config(lab)
    settings["pools"][0]["backends"][1]["state"] = "drain"
    daemon = start(settings)
    drained(daemon, "be2", by="file")
    assert who_answers(lab, range(24000, 24060)) == {"be1", "be3"}
    drain(lab, daemon, "be2", verb="undrain")
    drained(daemon, "be2", by="file")
    settings["pools"][0]["backends"][1]["state"] = "active"
    daemon.reload(settings)
    daemon.wait_backend("be2", drain="")
    assert who_answers(lab, range(24100, 24160)) == {"be1", "be2", "be3"}
    settings["pools"][0]["backends"][1]["state"] = "drain"
    with clients.long_sessions(lab, range(24200, 24212)) as sessions:
        daemon.reload(settings)
        drained(daemon, "be2", by="file")
        answered = [session.answered for session in sessions]
        process.wait_until(lambda: all(session.answered > before for session, before
                                       in zip(sessions, answered, strict=True)), "sessions go on")
    assert [session.failure for session in sessions] == [None] * 12
    assert "be2" in {session.backend for session in sessions}


def test_a_backend_can_be_drained_in_one_of_its_pools(lab, start):
    with contextlib.ExitStack() as stack:
        asked = {backend.name: stack.enter_context(servers.HttpServer(
            lab, backend.name, 8080, lambda: (200, b"fine"))) for backend in lab.backends}
        daemon = start(two_pools(lab))
        drain(lab, daemon, "be1", "--pool", "api")
        drained(daemon, "be1", "api")
        web = daemon.backend("be1", "web")
        assert (web["drain"], web["table_entries"] > 0) == ("", True)
        for port in range(25000, 25030):
            with fetch.connect(lab, port, to_port=8080) as connection:
                connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
                assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        assert asked["be1"].count == 0 and asked["be2"].count + asked["be3"].count == 30
        assert "be1" in who_answers(lab, range(25100, 25160))
        drain(lab, daemon, "be1")  # in all pools, as none is named
        drained(daemon, "be1", "web")
        drain(lab, daemon, "be1", "--pool", "api", verb="undrain")
        daemon.wait_backend("be1", "api", drain="")
        drained(daemon, "be1", "web")


def test_with_all_drained_new_flows_are_dropped_and_old_ones_stay(lab, start):
    daemon = start()
    with clients.long_sessions(lab, range(26000, 26009)) as sessions:
        for backend in lab.backends:
            drain(lab, daemon, backend.name)
        process.wait_until(lambda: daemon.status()["pools"][0]["empty"], "the pool is empty")
        with pytest.raises(TimeoutError):
            fetch.fetch(lab, timeout=0.5)
        answered = [session.answered for session in sessions]
        process.wait_until(lambda: all(session.answered > before for session, before
                                       in zip(sessions, answered, strict=True)), "sessions go on")
        assert daemon.count("no_backend") > 0
        for backend in lab.backends:
            drain(lab, daemon, backend.name, verb="undrain")
        process.wait_until(lambda: not daemon.status()["pools"][0]["empty"], "the pool is back")
        assert fetch.fetch(lab).status == 200
    assert [session.failure for session in sessions] == [None] * 9


@pytest.mark.parametrize(("words", "says"), [
    (["10.9.9.9"], "no pool has the backend 10.9.9.9"),
    (["10.77.101.2", "--pool", "nowhere"], "no pool is named nowhere"),
    (["10.9.9.9", "--pool", "web"], "the pool web has no backend 10.9.9.9")])
def test_what_is_not_there_cannot_be_drained(start, words, says):
    daemon = start()
    for verb in ("drain", "undrain"):
        done = daemon.client(verb, *words)
        assert done.returncode == 1 and says in done.stderr, done
    assert {backend["drain"] for backend in daemon.backends().values()} == {""}
