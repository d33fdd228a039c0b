"""What is known of backends' health, and what an operator has asked for, outlives a reload."""
import copy
import itertools

import pytest

from support import fetch, process
from support.daemon import config
from support.reload import guideway, reload
from support.site import Site

CHECK_PORT = 8081
CHECK = {"type": "http", "port": CHECK_PORT, "path": "/healthz", "interval": "1s", "rise": 2, "fall": 2}
PATIENT = {**CHECK, "interval": "1h", "timeout": "60s"}  # asks once, and waits for the answer
_ports = itertools.count(20000)


@pytest.fixture
def sites(lab):
    """Who answers the checks, by backend."""
    sites = {backend.name: Site(lab, backend.name, CHECK_PORT) for backend in lab.backends}
    yield sites
    for site in sites.values():
        site.close()


def checked(lab, check, weights=None):
    settings = config(lab, weights=weights)
    settings["pools"][0]["checks"] = [check]
    return settings


def health(daemon):
    return {name: backend["health"] for name, backend in daemon.backends().items()}


def wait_for(daemon, backend, state):
    process.wait_until(lambda: health(daemon)[backend] == state, f"{backend} is {state}", 30)


def spread(lab, number=30):
    """The backends that new flows go to."""
    pages = fetch.fetch_all(lab, [next(_ports) for _ in range(number)])
    assert {page.status for page in pages} == {200}
    return {fetch.backend_of(page) for page in pages}


def probes(daemon, backend):
    """How often the check of a backend was answered."""
    check, = daemon.backends()[backend]["checks"]
    return check["passed"] + check["failed"]


def wait_for_answers(daemon, backend, number):
    """Until the check has been answered so often more."""
    wanted = probes(daemon, backend) + number
    process.wait_until(lambda: probes(daemon, backend) >= wanted, f"{number} answers of {backend}", 30)


def test_a_backend_that_is_down_stays_down_until_its_probes_say_otherwise(lab, start, sites):
    daemon = start(checked(lab, CHECK))
    sites["be2"].status = 503
    wait_for(daemon, "be2", "down")
    for weights in ([1, 1, 2], [1, 3, 1], [1, 1, 1]):
        reload(daemon, checked(lab, CHECK, weights))
        assert health(daemon) == {"be1": "up", "be2": "down", "be3": "up"}
        assert daemon.backends()["be2"]["table_entries"] == 0
        assert spread(lab) == {"be1", "be3"}
    wait_for_answers(daemon, "be2", 2)
    assert health(daemon)["be2"] == "down"
    sites["be2"].status = 200
    wait_for(daemon, "be2", "up")
    assert daemon.backends()["be2"]["went_up"] == 2  # at the start, and now
    process.wait_until(lambda: daemon.backends()["be2"]["table_entries"] > 0, "it is in the table", 10)
    assert spread(lab) == {"be1", "be2", "be3"}


def test_another_question_begins_with_what_was_known(lab, start, sites):
    """Else all backends would be up, or all be away, for as long as it takes to ask them anew."""
    daemon = start(checked(lab, CHECK))
    sites["be2"].status = 503
    wait_for(daemon, "be2", "down")
    for site in sites.values():
        site.gate.clear()
    sites["be2"].status = 200
    outcome = reload(daemon, checked(lab, {**PATIENT, "path": "/other"}))
    assert len(outcome["changes"]) == 2 and all("check http" in line for line in outcome["changes"])
    process.wait_until(lambda: all(site.asked["/other"] for site in sites.values()), "the new question is asked", 10)
    assert health(daemon) == {"be1": "up", "be2": "down", "be3": "up"}
    assert spread(lab) == {"be1", "be3"}
    for site in sites.values():
        site.gate.set()
    wait_for_answers_of_first(daemon)
    # One that passes is not yet `rise` in a row.
    assert health(daemon) == {"be1": "up", "be2": "down", "be3": "up"}
    reload(daemon, checked(lab, {**CHECK, "path": "/third"}))
    assert health(daemon)["be2"] == "down"
    wait_for(daemon, "be2", "up")
    assert sites["be2"].asked["/third"] >= 2


def wait_for_answers_of_first(daemon):
    process.wait_until(lambda: all(probes(daemon, name) == 1 for name in ("be1", "be2", "be3")),
                       "all have answered once", 30)


def test_an_operators_drain_outlives_reloads_until_it_is_taken_back(lab, start):
    daemon = start()
    drained = lab.backends[1].address
    done = guideway(daemon, "drain", drained)
    assert done.code == 0, done
    process.wait_until(lambda: daemon.backends()["be2"]["table_entries"] == 0, "it is drained", 10)
    for weights in ([1, 1, 2], [1, 3, 1]):
        reload(daemon, config(lab, weights=weights))
        assert daemon.backends()["be2"]["drain"] == "operator"
        assert spread(lab) == {"be1", "be3"}
    done = guideway(daemon, "undrain", drained)
    assert done.code == 0, done
    process.wait_until(lambda: daemon.backends()["be2"]["table_entries"] > 0, "it takes flows", 10)
    assert spread(lab) == {"be1", "be2", "be3"}


def test_a_drain_of_the_file_comes_and_goes_and_keeps_the_flows(lab, start):
    daemon = start()
    session = next(session for session in iter(lambda: fetch.Session(lab, next(_ports)), None)
                   if fetch.backend_of(session.request()) == "be3")
    drained = config(lab)
    drained["pools"][0]["backends"][2]["state"] = "drain"
    third = lab.backends[2].address
    assert reload(daemon, drained)["changes"] == [
        f"pool web: backend {third}: weight 1 -> weight 1, drained"]
    assert daemon.backends()["be3"]["drain"] == "file"
    assert spread(lab) == {"be1", "be2"}
    assert fetch.backend_of(session.request(close=True)) == "be3"
    session.close()
    assert reload(daemon, config(lab))["changes"] == [
        f"pool web: backend {third}: weight 1, drained -> weight 1"]
    assert spread(lab) == {"be1", "be2", "be3"}


def test_a_backend_that_comes_takes_no_flow_before_its_first_answer(lab, new_daemon, sites):
    full = checked(lab, PATIENT)
    without = copy.deepcopy(full)
    del without["pools"][0]["backends"][2]
    daemon = new_daemon(without).start().wait_ready().wait_resolved()
    assert set(health(daemon).values()) == {"up"}
    sites["be3"].gate.clear()
    reload(daemon, full)
    process.wait_until(lambda: sites["be3"].asked["/healthz"], "it is asked", 10)
    assert health(daemon)["be3"] == "unknown"
    assert daemon.backends()["be3"]["table_entries"] == 0
    assert spread(lab) == {"be1", "be2"}
    reload(daemon, {**full, "shutdown": {"drain": "0s"}})  # and another reload is no answer
    assert health(daemon)["be3"] == "unknown"
    sites["be3"].gate.set()
    wait_for(daemon, "be3", "up")
    process.wait_until(lambda: daemon.backends()["be3"]["table_entries"] > 0, "it is in the table", 10)
    assert spread(lab) == {"be1", "be2", "be3"}
    daemon.settle()
    assert daemon.stop() == 0


def test_checks_come_and_go(lab, start, sites):
    """Backends that count as up without checks go on as such until they have been asked."""
    daemon = start()
    assert set(health(daemon).values()) == {"unchecked"}
    sites["be1"].status = 503
    reload(daemon, checked(lab, CHECK))
    wait_for(daemon, "be1", "down")
    process.wait_until(lambda: daemon.backends()["be1"]["table_entries"] == 0, "the table is without it", 10)
    assert spread(lab) == {"be2", "be3"}
    reload(daemon, config(lab))
    assert set(health(daemon).values()) == {"unchecked"}
    assert spread(lab) == {"be1", "be2", "be3"}


def test_a_check_that_is_the_same_is_not_begun_anew(lab, start, sites):
    daemon = start(checked(lab, {**PATIENT, "timeout": "1s"}))
    assert set(health(daemon).values()) == {"up"}
    before = {name: backend["checks"] for name, backend in daemon.backends().items()}
    for number in range(5):
        check = {**PATIENT, "timeout": "1s", "rise": 2 + number, "fall": 2 + number}
        reload(daemon, checked(lab, check, [1, 1, 1 + number]))
    assert {name: backend["checks"] for name, backend in daemon.backends().items()} == before
    # One that is begun anew is asked within a second.
    with pytest.raises(process.DeadlineExpired):
        process.wait_until(lambda: any(site.asked["/healthz"] > 1 for site in sites.values()), "a second request", 2)
    assert {name: site.asked["/healthz"] for name, site in sites.items()} == {"be1": 1, "be2": 1, "be3": 1}
