"""The end of a daemon: not ready first, forwarding until the drain time is over, then nothing left."""
import re
import signal

import pytest

from support import fetch, metrics, process, servers
from support.daemon import config, xdp_programs


def draining(lab, drain):
    settings = config(lab)
    settings["shutdown"] = {"drain": drain}
    settings["metrics"] = {"listen": f"0.0.0.0:{metrics.PORT}"}
    return settings


def readyz(lab):
    return metrics.get(lab, "/readyz")[0]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_while_it_drains_it_is_not_ready_and_loses_nothing_and_a_second_signal_ends_it(lab, start, number):
    daemon = start(draining(lab, "1h"))
    assert readyz(lab) == 200 and daemon.status()["node"]["ready"]
    traffic = fetch.Traffic(lab)
    session = fetch.Session(lab)
    before = session.request().body
    daemon.child.send_signal(number)
    process.wait_until(lambda: readyz(lab) == 503, "not ready", 5)
    assert not daemon.status()["node"]["ready"]
    after = traffic.answered
    process.wait_until(lambda: traffic.answered > after + 300 or traffic.failures, "traffic goes on", 30)
    assert session.request(close=True).body == before
    _, failures = traffic.stop()
    assert failures == []
    fetch.close_all(lab, [session])
    assert daemon.alive() and xdp_programs(lab) != {}
    daemon.settle()
    daemon.child.send_signal(number)
    assert daemon.wait(10) == 0, daemon.log()
    assert xdp_programs(lab) == {}
    assert "the same signal again: at once" in daemon.log()


def test_it_ends_by_itself_when_the_drain_time_is_over(lab, start):
    daemon = start(draining(lab, "1s"))
    daemon.child.send_signal(signal.SIGTERM)
    assert daemon.wait(15) == 0, daemon.log()
    lines = re.findall(r"SIGTERM: not ready any more|drained: stopping|stopped$", daemon.log(), re.MULTILINE)
    assert lines == ["SIGTERM: not ready any more", "drained: stopping", "stopped"]
    assert xdp_programs(lab) == {}
    assert not daemon.folder.joinpath("guidewayd.sock").exists()


def test_without_a_drain_time_it_ends_at_once(lab, start):
    daemon = start(draining(lab, "0s"))
    daemon.child.send_signal(signal.SIGTERM)
    assert daemon.wait(10) == 0
    assert "not ready any more" not in daemon.log()


def test_while_it_drains_health_still_decides_and_a_reload_is_refused(lab, start):
    settings = draining(lab, "1h")
    settings["pools"][0]["checks"] = [{"type": "http", "port": 80, "rise": 1, "fall": 3,
                                       "interval": process.paced("200ms")}]
    daemon = start(settings)
    daemon.child.send_signal(signal.SIGTERM)
    process.wait_until(lambda: readyz(lab) == 503, "not ready", 5)
    with servers.killed_web_server(lab, "be1"):
        daemon.wait_backend("be1", health="down", table_entries=0)
        pages = fetch.fetch_all(lab, range(20000, 20060))
        assert {fetch.backend_of(page) for page in pages} == {"be2", "be3"}
    daemon.wait_backend("be1", health="up")
    refused = daemon.client("reload")
    assert refused.returncode == 1 and "guidewayd is stopping" in refused.stderr
    daemon.settle()
    daemon.child.send_signal(signal.SIGTERM)
    assert daemon.wait(10) == 0


def test_a_signal_while_it_waits_for_first_answers_ends_the_start(lab, new_daemon):
    """The checks would take ten seconds to fail: their server takes connections and is silent."""
    with servers.TcpServer(lab, "be1", 81, servers.say_nothing):
        settings = draining(lab, "1h")
        settings["pools"][0]["backends"] = settings["pools"][0]["backends"][:1]
        settings["pools"][0]["checks"] = [{"type": "http", "port": 81, "interval": "1h", "timeout": "1m"}]
        daemon = new_daemon(settings).start()
        process.wait_until(lambda: "waiting for the first answers" in daemon.log(), "it waits", 15)
        daemon.child.send_signal(signal.SIGTERM)
        assert daemon.wait(5) == 0, daemon.log()
    assert "SIGTERM: stopping" in daemon.log()
    assert xdp_programs(lab) == {}


def test_a_signal_early_in_the_start_ends_it_with_nothing_left(lab, new_daemon):
    """At whatever point of the start it comes, once the API listens."""
    for _ in range(5):
        daemon = new_daemon(draining(lab, "0s")).start()
        process.wait_until(daemon.folder.joinpath("guidewayd.sock").exists, "the API listens", 15, 0.001)
        daemon.child.send_signal(signal.SIGTERM)
        assert daemon.wait(10) == 0, daemon.log()
        assert xdp_programs(lab) == {}
        assert not daemon.folder.joinpath("guidewayd.sock").exists()
