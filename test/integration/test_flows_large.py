"""A table of a million entries with very many flows in it is listed while packets pass, and none of
them notices: nothing is dropped, nothing moves, nobody waits."""
import itertools
import json

import pytest

from support import process
from support.daemon import config
from support.lab import VIP
from support.many_flows import ManyFlows
from support.reload import ask
from support.stream import Stream

FLOWS, PORT, STREAM_PORT = 40_000, 5300, 5301
ENTRIES = 1_000_000
STREAM_FLOWS = 32


@pytest.fixture
def loaded(lab, start):
    """A daemon with a stream through it that has many flows beside: (daemon, stream, {flow: backend})."""
    settings = config(lab, ports=[f"udp/{PORT}", f"udp/{STREAM_PORT}"])
    settings["flow_table"] = {"entries": ENTRIES, "timeouts": {"opening": "600s", "udp": "600s"}}
    daemon = start(settings)
    with ManyFlows(lab) as many:
        sources = itertools.product((f"10.20.{number // 200}.{1 + number % 200}" for number in range(400)),
                                    range(30000, 30000 + FLOWS // 400))
        many.send((source, port, PORT) for source, port in sources)
    assert len(many.backend) == FLOWS
    stream = Stream(lab, STREAM_PORT, flows=STREAM_FLOWS)
    yield daemon, stream, many.backend


def workers(status):
    return [queue["worker"] for interface in status["interfaces"] for queue in interface["queues"]]


def test_a_large_table_is_listed_wholly_and_no_packet_notices(loaded):
    daemon, stream, flows = loaded
    process.wait_until(lambda: stream.total() > 10 * STREAM_FLOWS, "the stream flows")
    before = daemon.status()
    for _ in range(3):
        done = daemon.client("flows", "--json", "--limit", "0")
        assert done.returncode == 0 and done.stderr == "", done.stderr
        listed = [json.loads(line) for line in done.stdout.splitlines()]
        found = {(flow["client"], flow["destination"]): flow["backend"] for flow in listed}
        assert len(found) == len(listed) == FLOWS + STREAM_FLOWS
        assert {flow: found[flow] for flow in flows} == flows
    after = daemon.status()
    for then, now in zip(workers(before), workers(after), strict=True):
        assert now["turns"] > then["turns"] and now["received"] > then["received"]
    assert stream.stop().lost() == [] and stream.moved() == []
    status = daemon.settle()
    assert status["totals"]["dropped"] == status["totals"]["flow_moved"] == 0
    assert status["totals"]["flow_inserted"] == FLOWS + STREAM_FLOWS
    assert {flow["backend"] for flow in listed if flow["destination"] == f"{VIP}:{STREAM_PORT}"} == stream.backends()


def test_a_listing_that_is_stopped_early_or_filtered_sees_the_same_flows(loaded):
    daemon, stream, flows = loaded
    done = daemon.client("flows", "--limit", "5000")
    assert len(done.stdout.splitlines()) == 5001
    assert done.stderr.startswith("5000 flows, and there are more: ")
    one = {flow for flow in flows if flow[0].startswith("10.20.1.")}
    done = daemon.client("flows", "--client", "10.20.1.0/24", "--limit", "0", "--json")
    assert {(flow["client"], flow["destination"]) for flow in map(json.loads, done.stdout.splitlines())} == one
    assert len(one) == FLOWS // 2
    # So few that whole pages have none.
    done = daemon.client("flows", "--client", "10.20.0.5", "--limit", "0", "--json")
    few = {flow for flow in flows if flow[0].startswith("10.20.0.5:")}
    assert {(flow["client"], flow["destination"]) for flow in map(json.loads, done.stdout.splitlines())} == few
    assert len(few) == FLOWS // 400
    pages, after = [], ""
    while after is not None:
        answer = ask(daemon, "GET", f"/v1/flows?client=10.99.0.0/16{after}").body
        pages.append(answer["flows"])
        after = f"&after={answer['next']}" if answer["next"] else None
    assert 1 < len(pages) < 20 and not any(pages)
    assert stream.stop().lost() == [] and stream.moved() == []
