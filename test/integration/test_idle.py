"""A daemon without traffic leaves the processors alone, and wakes up for the first packet."""
import time

from support import fetch, process

# Generous: two workers that poll without a pause would use 200 % of a core.
MOST_OF_A_CORE = 0.20


def test_an_idle_daemon_uses_no_cpu_and_wakes_up(lab, start):
    daemon = start()
    assert {page.status for page in fetch.fetch_all(lab, range(20000, 20050))} == {200}
    daemon.settle()
    begin, used = time.monotonic(), process.cpu_seconds(daemon.child.pid)
    time.sleep(1.0)
    used = process.cpu_seconds(daemon.child.pid) - used
    assert used / (time.monotonic() - begin) < MOST_OF_A_CORE
    assert fetch.fetch(lab).status == 200
