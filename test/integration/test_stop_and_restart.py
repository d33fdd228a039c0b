"""The end of a daemon, by a signal of either kind, and a start behind it that works."""
import signal

import pytest

from support import fetch
from support.daemon import xdp_programs


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(lab, start, number):
    daemon = start()
    assert xdp_programs(lab) != {}
    daemon.child.send_signal(number)
    assert daemon.wait(5) == 0, daemon.log()
    assert xdp_programs(lab) == {}


def test_it_ends_cleanly_under_traffic(lab, start):
    daemon = start()
    traffic = fetch.Traffic(lab, timeout=1)
    fetch.fetch_all(lab, range(20000, 20050))
    assert daemon.stop(5) == 0, daemon.log()
    assert xdp_programs(lab) == {}
    answered, _ = traffic.stop()
    assert answered > 0


def test_after_sigkill_a_start_works_and_forwards(lab, start):
    for _ in range(2):
        start().kill()
        daemon = start()
        assert {page.status for page in fetch.fetch_all(lab, range(21000, 21030))} == {200}
        daemon.settle()
        assert daemon.stop() == 0


def test_after_sigkill_under_traffic_a_start_works_and_forwards(lab, start):
    first = start()
    traffic = fetch.Traffic(lab, timeout=5)
    fetch.fetch_all(lab, range(22000, 22030))
    first.kill()
    daemon = start()
    assert {page.status for page in fetch.fetch_all(lab, range(23000, 23030))} == {200}
    traffic.stop()
    daemon.settle()


def test_five_restarts_without_a_pause(lab, start):
    for turn in range(5):
        daemon = start()
        assert fetch.fetch(lab, port=24000 + turn).status == 200
        daemon.settle()
        assert daemon.stop() == 0


def test_a_connection_survives_a_restart(lab, start):
    daemon = start()
    session = fetch.Session(lab, 25000)
    before = session.request()
    daemon.settle()
    assert daemon.stop() == 0
    start()
    assert session.request(close=True).body == before.body
    session.close()
