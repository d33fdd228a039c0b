"""Every kind of check against a real server: up, then made to fail, then down for the right reason."""
import contextlib
import signal

import pytest

from support import process, servers, tls_site
from support.daemon import config

LAB = {"backends": 2}
PACE = {"interval": process.paced("200ms"), "timeout": process.paced("200ms"), "rise": 1, "fall": 3}
SLOWER = {"interval": process.paced("500ms"), "timeout": process.paced("500ms")}  # for programs, and for keys


def start_with(lab, start, check):
    """A daemon whose only check is this one, of both backends."""
    settings = config(lab)
    settings["pools"][0]["checks"] = [{**PACE, **check}]
    return start(settings)


def last(backend):
    return backend["checks"][0]["last"]


def passes(daemon, why, names=("be1", "be2")):
    for name in names:
        backend = daemon.wait_backend(name, health="up")
        process.wait_until(lambda: last(daemon.backend(name)) == why, f"{why!r}, not {last(backend)!r}", 5)  # noqa: B023


def fails_at_be1(daemon, why):
    """be1 is down for this reason, and only be1."""
    backend = daemon.wait_backend("be1", health="down", table_entries=0)
    process.wait_until(lambda: last(daemon.backend("be1")) == why, f"{why!r}, not {last(backend)!r}", 5)
    assert f"backend {backend['address']} is down, was up: {backend['checks'][0]['what']}: " in daemon.log()
    assert daemon.backend("be2")["went_down"] == 0


@pytest.fixture
def held():
    """Holds context managers until the test has ended."""
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return tls_site.make_authority(tmp_path_factory.mktemp("authority"), "an-authority")


def test_tcp(lab, start):
    daemon = start_with(lab, start, {"type": "tcp", "port": 80})
    passes(daemon, "connected")
    with servers.killed_web_server(lab, "be1"):
        fails_at_be1(daemon, "connection refused")
    passes(daemon, "connected")


def test_http_status(lab, start, held):
    answer = {"be1": (204, b""), "be2": (204, b"")}
    for name in answer:
        held.enter_context(servers.HttpServer(lab, name, 81, lambda name=name: answer[name]))
    daemon = start_with(lab, start, {"type": "http", "port": 81, "status": [200, "203-204"]})
    passes(daemon, "status 204")
    answer["be1"] = (503, b"")
    fails_at_be1(daemon, "status 503, not 200, 203-204")
    answer["be1"] = (200, b"")
    passes(daemon, "status 200", ["be1"])


def test_http_body(lab, start, held):
    answer = {"be1": (200, b"all is well"), "be2": (200, b"all is well")}
    for name in answer:
        held.enter_context(servers.HttpServer(lab, name, 81, lambda name=name: answer[name]))
    daemon = start_with(lab, start, {"type": "http", "port": 81, "body": "is well"})
    passes(daemon, 'status 200, body has "is well"')
    answer["be1"] = (200, b"all is lost")
    fails_at_be1(daemon, 'body has no "is well"')


def test_http_of_a_real_web_server_that_hangs(lab, start):
    daemon = start_with(lab, start, {"type": "http", "port": 80, "path": "/large.bin", "method": "HEAD"})
    passes(daemon, "status 200")
    with servers.frozen_web_server(lab, "be1"):
        fails_at_be1(daemon, f"no answer within {process.paced('200 ms')}, while waiting for the answer")
    passes(daemon, "status 200")


def https(authority, **more):
    return {"type": "https", "port": tls_site.PORT, "server_name": tls_site.NAME, "verify": True,
            "ca_file": str(authority), **SLOWER, **more}


def test_https_verifies_the_authority_and_sends_the_name(lab, start, held, authority):
    for name in ("be1", "be2"):
        held.enter_context(tls_site.serve(lab, name, authority))
    daemon = start_with(lab, start, https(authority, body="all is well"))
    passes(daemon, 'status 200, body has "all is well"')
    assert tls_site.names_asked_for(lab, "be1") == {tls_site.NAME}


def test_https_of_another_authority_fails(lab, start, held, authority, tmp_path):
    other = tls_site.make_authority(tmp_path, "another-authority")
    held.enter_context(tls_site.serve(lab, "be1", other))
    held.enter_context(tls_site.serve(lab, "be2", authority))
    daemon = start_with(lab, start, https(authority))
    down = daemon.wait_backend("be1", health="down")
    assert last(down) == "certificate: unable to get local issuer certificate"
    passes(daemon, "status 200", ["be2"])


def test_https_with_a_certificate_for_another_name_fails(lab, start, held, authority):
    held.enter_context(tls_site.serve(lab, "be1", authority, "www.example.net"))
    held.enter_context(tls_site.serve(lab, "be2", authority))
    daemon = start_with(lab, start, https(authority))
    assert last(daemon.wait_backend("be1", health="down")) == "certificate: hostname mismatch"
    passes(daemon, "status 200", ["be2"])


def test_https_without_verification_takes_any_certificate_until_the_server_ends(lab, start, held, tmp_path):
    other = tls_site.make_authority(tmp_path, "another-authority")
    held.enter_context(tls_site.serve(lab, "be2", other))
    with tls_site.serve(lab, "be1", other, "www.example.net"):
        daemon = start_with(lab, start, {"type": "https", "port": tls_site.PORT, **SLOWER})
        passes(daemon, "status 200")
        assert tls_site.names_asked_for(lab, "be1") == {"-"}
    fails_at_be1(daemon, "connection refused")


def test_udp(lab, start, held):
    reply = {"be1": b"\x01\x01ok", "be2": b"\x01\x01ok"}
    asked = set()
    for name in reply:
        held.enter_context(servers.UdpServer(lab, name, 3478,
                                             lambda datagram, name=name: asked.add(datagram) or reply[name]))
    daemon = start_with(lab, start, {"type": "udp", "port": 3478, "send_hex": "000100", "expect_hex": "0101"})
    passes(daemon, "answered")
    assert asked == {b"\x00\x01\x00"}
    reply["be1"] = b"\x01\x11no"
    fails_at_be1(daemon, 'answer begins otherwise: "\\x01\\x11no"')
    reply["be1"] = None
    fails_at_be1(daemon, f"no answer within {process.paced('200 ms')}, while waiting for the answer")


def test_dns(lab, start, held):
    held.enter_context(servers.dnsmasq(lab, "be2"))
    with servers.dnsmasq(lab, "be1") as child:
        daemon = start_with(lab, start, {"type": "dns", "port": 53, "query": "www.example.com"})
        passes(daemon, "rcode NOERROR")
        child.send_signal(signal.SIGSTOP)
        try:
            fails_at_be1(daemon, f"no answer within {process.paced('200 ms')}, while waiting for the answer")
        finally:
            child.send_signal(signal.SIGCONT)
        passes(daemon, "rcode NOERROR", ["be1"])
    daemon.wait_backend("be1", health="down")
    process.wait_until(lambda: last(daemon.backend("be1")) == "port unreachable", "nobody listens", 5)


@pytest.mark.parametrize(("query", "got", "wanted"), [
    ("no.example.com", "NXDOMAIN", "NXDOMAIN"), ("no.example.com", "NXDOMAIN", "NOERROR"),
    ("www.example.net", "REFUSED", "NOERROR")])
def test_dns_response_codes(lab, start, held, query, got, wanted):
    for name in ("be1", "be2"):
        held.enter_context(servers.dnsmasq(lab, name))
    daemon = start_with(lab, start, {"type": "dns", "port": 53, "query": query, "rcode": wanted})
    if got == wanted:
        passes(daemon, f"rcode {got}")
    else:
        assert last(daemon.wait_backend("be1", health="down")) == f"rcode {got}, not {wanted}"


def script(tmp_path, text):
    """The command of an exec check that runs these lines."""
    path = tmp_path / "check.sh"
    path.write_text(text)
    return ["/bin/sh", str(path), str(tmp_path)]


def test_exec_by_exit_code_and_with_its_environment(lab, start, tmp_path):
    command = script(tmp_path, 'cat > "$1/input.$GUIDEWAY_BACKEND"\n'
                               'env > "$1/new.$GUIDEWAY_BACKEND"; '
                               'mv "$1/new.$GUIDEWAY_BACKEND" "$1/env.$GUIDEWAY_BACKEND"\n'
                               'test ! -e "$1/fail.$GUIDEWAY_BACKEND" || exit 42\n')
    daemon = start_with(lab, start, {"type": "exec", "port": 8443, "command": command, **SLOWER})
    passes(daemon, "exit code 0")
    be1 = lab.backends[0].address
    said = dict(line.split("=", 1) for line in (tmp_path / f"env.{be1}").read_text().splitlines())
    for name in ("PWD", "_", "SHLVL", "OLDPWD"):
        said.pop(name, None)  # the shell's own
    assert set(said) == {"PATH", "GUIDEWAY_BACKEND", "GUIDEWAY_POOL", "GUIDEWAY_PORT"}
    assert (said["GUIDEWAY_BACKEND"], said["GUIDEWAY_POOL"], said["GUIDEWAY_PORT"]) == (be1, "web", "8443")
    assert (tmp_path / f"input.{be1}").read_bytes() == b""
    (tmp_path / f"fail.{be1}").touch()
    fails_at_be1(daemon, "exit code 42")


def test_exec_is_killed_at_its_timeout_and_its_children_with_it(lab, start, tmp_path):
    """Neither the program nor its child heeds a polite signal."""
    command = script(tmp_path, 'test -e "$1/hang" || exit 0\n'
                               "trap '' TERM HUP INT\n"
                               'sleep 600 &\necho $$ $! >> "$1/pids"\nwait\nsleep 600\n')
    daemon = start_with(lab, start, {"type": "exec", "command": command, **SLOWER})
    passes(daemon, "exit code 0")
    (tmp_path / "hang").touch()
    daemon.wait_backend("be1", health="down")
    assert last(daemon.backend("be1")) == f"killed after {process.paced('500 ms')}"
    (tmp_path / "hang").unlink()
    passes(daemon, "exit code 0")
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert len(pids) >= 6
    assert [pid for pid in pids if process.start_time(pid) is not None] == []


def test_a_daemon_that_ends_takes_the_programs_of_its_checks_with_it(lab, start, tmp_path):
    command = script(tmp_path, 'sleep 600 &\necho $$ $! >> "$1/pids"\nwait\n')
    settings = config(lab)
    settings["pools"][0]["checks"] = [{"type": "exec", "command": command, "interval": "8s", "timeout": "8s"}]
    daemon = start(settings)
    pids = lambda: [int(pid) for pid in (tmp_path / "pids").read_text().split()]  # noqa: E731
    running = lambda: [pid for pid in pids() if process.start_time(pid) is not None]  # noqa: E731
    process.wait_until(lambda: (tmp_path / "pids").exists() and len(running()) == 4, "programs run", 15)
    assert daemon.stop() == 0
    process.wait_until(lambda: running() == [], "no program is left", 5)
