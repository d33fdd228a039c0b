"""The local API is abused while the daemon forwards: it says no, and no packet notices."""
import contextlib
import http.client
import json
import random
import resource
import socket
import subprocess

import pytest

from support import fetch, process
from support.daemon import config

SILENT = 1000


@pytest.fixture
def busy(lab, start):
    """A daemon under traffic, of which no request may fail by the end of the test."""
    daemon = start()
    traffic = fetch.Traffic(lab)
    process.wait_until(lambda: traffic.answered > 5 or traffic.failures, "traffic goes", 15)
    yield daemon
    after = traffic.answered
    process.wait_until(lambda: traffic.answered > after + 20 or traffic.failures, "traffic goes on", 15)
    answered, failures = traffic.stop()
    assert failures == [] and answered > 25
    assert daemon.alive(), daemon.log()
    assert daemon.status()["node"]["ready"]


def connect(daemon, timeout=15.0):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(process.patient(timeout))
    connection.connect(daemon.settings["admin"]["socket"])
    return connection


def read_all(connection):
    """Until the daemon closes. It may do so before it has read all that was sent: a reset."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            data += piece
    return data


def send(daemon, data):
    """What the daemon answers to these bytes, until it closes the connection."""
    with connect(daemon) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(data)
        return read_all(connection)


def ask(daemon, method, path, body=""):
    """(status, headers, the JSON document)"""
    connection = http.client.HTTPConnection("guidewayd")
    connection.sock = connect(daemon)
    with contextlib.closing(connection):
        connection.request(method, path, body)
        response = connection.getresponse()
        text = response.read().decode()
        return response.status, response.headers, json.loads(text) if text.startswith("{") else text


def what_may_be_changed(daemon):
    """All that a request can change."""
    status = daemon.status()
    return (status["reloads"], status["node"]["log_level"],
            [backend["drain"] for backend in status["pools"][0]["backends"]])


def test_unknown_paths_and_methods_are_told_what_there_is(busy, lab):
    before = what_may_be_changed(busy)
    address = lab.backends[0].address
    for path in ("/", "/v2/status", "/v1/status/", "/v1//status", "/v1/backends//drain",
                 f"/v1/backends/{address}/drain/now", "/v1/backends/../status/drain", "/v1/status%00",
                 "/" + "a" * 7000):
        status, _, body = ask(busy, "GET", path)
        assert status == 404 and "/v1/status" in body["error"], path
    for method, path, allowed in (("DELETE", "/v1/status", "GET, HEAD"), ("GET", "/v1/reload", "POST"),
                                  ("GET", f"/v1/backends/{address}/drain", "POST"),
                                  ("FROBNICATE", "/v1/log", "GET, HEAD, PUT")):
        status, headers, body = ask(busy, method, path)
        assert (status, headers["Allow"]) == (405, allowed) and "error" in body, (method, path)
    for path in (f"/v1/backends/{address}/drain?pol=web", f"/v1/backends/{address}/drain?pool=",
                 f"/v1/backends/{address}/drain?pool=web&pool=web", "/v1/backends/%zz/drain"):
        assert ask(busy, "POST", path)[0] == 400, path
    for body in ("", "{", "[]", '{"level": 3}', '{"level": "loud"}', '{"level": "info", "more": 1}', "\0" * 100):
        status, _, answer = ask(busy, "PUT", "/v1/log", body)
        assert status == 400 and "level" in answer["error"], body
    assert what_may_be_changed(busy) == before


def test_what_is_too_large_is_refused(busy):
    assert send(busy, b"GET /v1/status HTTP/1.1\r\nX: " + b"a" * 20000 + b"\r\n\r\n").startswith(b"HTTP/1.1 431 ")
    assert send(busy, b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 431 ")
    large = b"PUT /v1/log HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n" + b"a" * 1000000
    assert send(busy, large).startswith(b"HTTP/1.1 413 ")
    chunk = b"4000\r\n" + b"b" * 0x4000 + b"\r\n"
    chunked = b"PUT /v1/log HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 20
    assert send(busy, chunked + b"0\r\n\r\n").startswith(b"HTTP/1.1 413 ")


def test_garbage_is_refused_and_never_obeyed(busy):
    before = what_may_be_changed(busy)
    generator = random.Random(11)
    pieces = [b"Content-Length: ", b"-1", b"\r\n", b"\r\n\r\n", b"\0", b"HTTP/9.9", b"POST /v1/reload ",
              b"Transfer-Encoding: chunked\r\n", b"ffffffffffffffff\r\n", b"GET ", b"\xff\xfe", b":"]
    answers = []
    for turn in range(100):
        noise = (generator.randbytes(generator.randrange(1, 300)) if turn % 2 else
                 b"".join(generator.choices(pieces, k=generator.randrange(1, 12))))
        answers.append(send_and_finish(busy, noise))
    statuses = {answer.split(b" ")[1] for answer in answers if answer}
    assert statuses <= {b"400", b"404", b"405", b"413", b"431", b"501", b"505"} and b"400" in statuses
    assert what_may_be_changed(busy) == before


def send_and_finish(daemon, data):
    """As send(), and nothing more comes: what is half a request is over."""
    with connect(daemon) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError, OSError):
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        return read_all(connection)


def test_half_a_request_is_cut_off_after_a_while_and_hinders_nobody(busy):
    halves = [b"", b"G", b"GET /v1/status HTTP/1.1\r\n", b"GET /v1/status HTTP/1.1\r\nHost: x\r\n",
              b"PUT /v1/log HTTP/1.1\r\nContent-Length: 20\r\n\r\n{\"level\""]
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(connect(busy, 30)) for _ in halves]
        for connection, half in zip(connections, halves, strict=True):
            connection.sendall(half)
        assert ask(busy, "GET", "/readyz")[::2] == (200, "ready")
        assert [read_all(connection) for connection in connections] == [b""] * len(halves)
    assert busy.status()["node"]["log_level"] == "info"


def test_a_thousand_silent_connections_keep_nobody_out(busy):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, SILENT + 1024)), hard))
    try:
        with contextlib.ExitStack() as stack:
            for number in range(SILENT):
                stack.enter_context(connect(busy))
                if number % 100 == 99:
                    assert ask(busy, "GET", "/v1/status")[0] == 200
            for _ in range(10):
                assert busy.status()["node"]["pid"] == busy.child.pid
            assert busy.descriptors()["socket"] < 100, "a limited number of connections is kept"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_clients_that_do_not_read_their_answers_keep_nobody_out(busy):
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            connection = stack.enter_context(connect(busy))
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(b"GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n" * 50)
        # It first answers thousands of questions, for whom nobody waits: on a slow machine a client may
        # lose its patience over that, once.
        process.wait_until(lambda: busy.client("status").returncode == 0, "it has time for others", 30)
        for _ in range(10):
            assert busy.client("status").returncode == 0


AS_NOBODY = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]


@pytest.mark.parametrize("words", [["status"], ["drain", "10.77.101.2"], ["reload"], ["log", "debug"]])
def test_a_user_without_the_right_is_refused(busy, lab, words):
    may_execute = subprocess.run([*AS_NOBODY, lab.bin_dir / "guideway", "--version"], capture_output=True)
    if may_execute.returncode != 0:
        pytest.skip(f"nobody may not execute {lab.bin_dir}/guideway: {may_execute.stderr.decode().strip()}")
    before = what_may_be_changed(busy)
    done = busy.client(*words, wrapper=AS_NOBODY)
    assert done.returncode == 3, done
    assert "permission denied" in done.stderr.lower() and "run this with sudo" in done.stderr
    assert done.stdout == ""
    assert what_may_be_changed(busy) == before


def test_commands_say_that_nobody_is_there(lab, new_daemon):
    daemon = new_daemon(config(lab))
    for words in (["status"], ["backends"], ["services"], ["reload"], ["log"], ["drain", "10.77.101.2"]):
        done = daemon.client(*words)
        assert done.returncode == 3 and "guidewayd is not running, or its socket is elsewhere" in done.stderr
