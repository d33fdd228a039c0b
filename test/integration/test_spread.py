"""How connections spread over backends, queues and workers. Source ports and the fleet seed are
fixed: the same run has the same outcome."""
import os

from support import fetch, webserver
from support.daemon import config


def by_backend(pages):
    spread = {}
    for page in pages:
        spread.setdefault(fetch.backend_of(page), set()).add(page.port)
    return spread


def logged_flows(lab, ports):
    return {backend.name: len({entry.port for entry in webserver.requests(lab.node_folder(backend.name))
                               if entry.port in ports}) for backend in lab.backends}


def test_equal_weights_share_equally_and_the_daemon_knows_who_got_what(lab, start):
    daemon = start()
    ports = range(20000, 20300)
    spread = {name: len(flows) for name, flows in by_backend(fetch.fetch_all(lab, ports)).items()}
    assert set(spread) == {"be1", "be2", "be3"}
    assert all(75 <= flows <= 125 for flows in spread.values()), spread
    daemon.settle()
    assert {name: backend["flows"] for name, backend in daemon.backends().items()} == spread
    assert logged_flows(lab, ports) == spread


def test_equal_weights_have_equal_parts_of_the_table(start):
    entries = [backend["table_entries"] for backend in start().backends().values()]
    assert max(entries) - min(entries) <= 1


def test_weights_are_honoured(lab, start):
    weights = {"be1": 1, "be2": 2, "be3": 5}
    daemon = start(config(lab, weights=list(weights.values())))
    ports = range(25000, 25400)
    spread = by_backend(fetch.fetch_all(lab, ports))
    daemon.settle()
    for name, backend in daemon.backends().items():
        assert abs(backend["table_entries"] - 65537 * weights[name] / 8) <= 1
        expected = len(ports) * weights[name] / 8
        assert 0.6 * expected <= len(spread[name]) <= 1.4 * expected, spread
        assert backend["flows"] == len(spread[name])


def test_a_backend_of_weight_zero_takes_no_new_flow(lab, start):
    start(config(lab, weights=[1, 0, 1]))
    assert set(by_backend(fetch.fetch_all(lab, range(26000, 26060)))) == {"be1", "be3"}


def test_the_choice_outlives_the_daemon(lab, start):
    """A new daemon has an empty connection table: the table alone must decide alike."""
    ports = range(27000, 27100)
    first = start()
    before = by_backend(fetch.fetch_all(lab, ports))
    first.settle()
    assert first.stop() == 0
    start()
    assert by_backend(fetch.fetch_all(lab, ports)) == before


def test_two_queues_have_two_workers_and_no_flow_is_on_both(lab, start):
    daemon = start()
    ports = range(28000, 28200)
    assert {page.status for page in fetch.fetch_all(lab, ports)} == {200}
    queues = daemon.settle()["interfaces"][0]["queues"]
    assert [queue["queue"] for queue in queues] == [0, 1]
    assert len({queue["cpu"] for queue in queues}) == min(2, len(os.sched_getaffinity(0)))
    flows = [queue["worker"]["flow_inserted"] for queue in queues]
    assert all(queue["worker"]["transmitted"] > 0 for queue in queues)
    assert min(flows) > 0 and sum(flows) == len(ports)
