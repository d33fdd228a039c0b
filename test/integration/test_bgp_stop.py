"""guidewayd ends sooner than its routes can be taken back on the way: while it starts, without a drain
time, at a second signal. None is left that leads to nobody, or the log says so and what to do. The
same for a reload that comes to its end in a stop, or takes the speaker out."""
import signal

import pytest

from support import announced, bgp, process, router
from support import reload as reload_module
from support.announced import stopped_gobgpd, wait_calls
from support.fleet import settings
from support.lab import VIP

LAB = {"bgp": True, "lbs": 1, "backends": 2}
PREFIX = f"{VIP}/32"
OTHER_VIP = "198.51.100.2"
SILENT = "10.79.0.1"
# More than a speaker gives back while guidewayd ends. The router takes none of them. Fewer on a slow
# machine: guidewayd's own limit, 5 s for all that it asks of gobgpd at once, is the same there.
MANY_VIPS = [f"10.90.{number // 250}.{number % 250 + 1}" for number in range(round(1000 / process.patience()))]


@pytest.fixture(autouse=True)
def bare(lab):
    """Each test begins with a gobgpd that knows nothing, whatever the test before has left in it."""
    announced.bare_gobgpd(lab, "lb1")


@pytest.fixture
def silent(lab):
    """The address of a backend from which nothing comes back."""
    lab.ip("router", f"route add blackhole {SILENT}/32")
    yield SILENT
    lab.ip("router", f"route delete blackhole {SILENT}/32")


def with_checks(made, address, timeout="8s"):
    """Settings whose backends are asked, also one that does not answer: what waits for its first answer
    waits for this time and more."""
    made["pools"][0]["checks"] = [{"type": "tcp", "port": 80, "interval": "10s", "timeout": timeout}]
    made["pools"][0]["backends"].append({"address": address})
    return made


def leave_routes(lab, start, vips=(VIP,)):
    """What a guidewayd that was killed has left."""
    daemon = start(settings(lab, vips=vips))
    wait_calls(daemon)
    daemon.kill()
    announced.wait_paths(lab, "lb1", *(f"{vip}/32" for vip in vips))


def wait_log(daemon, text, seconds=15.0):
    process.wait_until(lambda: text in daemon.log(), f"'{text}' in the log\n{daemon.log()}", seconds)


def end(daemon, *texts):
    assert daemon.wait(15) == 0, daemon.log()
    for text in texts:
        assert text in daemon.log(), daemon.log()


def test_sigterm_while_it_starts_withdraws_what_a_former_guidewayd_has_left(lab, start, new_daemon, silent):
    leave_routes(lab, start)
    daemon = new_daemon(with_checks(settings(lab), silent)).start()
    wait_log(daemon, "waiting for the first answers")
    daemon.child.send_signal(signal.SIGTERM)
    end(daemon, "SIGTERM: stopping", "withdrew 1 route(s)")
    assert "guidewayd is ready" not in daemon.log()
    router.wait_for_routes(lab, VIP, set())
    assert announced.paths(lab) == {}


def test_sigterm_while_it_starts_leaves_a_gobgpd_that_has_nothing_alone(lab, new_daemon, silent):
    daemon = new_daemon(with_checks(settings(lab), silent)).start()
    wait_log(daemon, "waiting for the first answers")
    daemon.child.send_signal(signal.SIGTERM)
    end(daemon, "SIGTERM: stopping")
    assert announced.withdraw(lab, "lb1", daemon.config_path).returncode == 0
    assert "AS:        0\n" in bgp.gobgp(lab, "lb1", "global")


def test_sigterm_without_a_drain_time_withdraws_also_what_the_speaker_has_not_been_asked_for_yet(lab, start):
    leave_routes(lab, start)
    with stopped_gobgpd(lab, "lb1"):
        daemon = start(settings(lab, drain="0s"))
        assert announced.told(daemon)["contact"] == "none yet"
        daemon.child.send_signal(signal.SIGTERM)
        wait_log(daemon, "not ready any more")
    end(daemon, "withdrew 1 route(s)")
    assert announced.paths(lab) == {}


def test_a_second_signal_right_behind_the_first_leaves_no_route_of_many(lab, start):
    daemon = start(settings(lab, vips=MANY_VIPS, drain="1h"))
    wait_calls(daemon)
    daemon.child.send_signal(signal.SIGTERM)
    daemon.child.send_signal(signal.SIGINT)
    end(daemon)
    assert announced.paths(lab) == {}


def test_routes_that_a_speaker_does_not_give_back_are_told_of_when_guidewayd_has_to_end(lab, start):
    daemon = start(settings(lab, drain="1h"))
    wait_calls(daemon)
    with stopped_gobgpd(lab, "lb1"):
        daemon.child.send_signal(signal.SIGTERM)
        wait_log(daemon, "not ready any more")
        daemon.child.send_signal(signal.SIGINT)
        end(daemon, "routes may be left, and lead to nobody", f"guidewayd --withdraw {daemon.config_path}")
    done = announced.withdraw(lab, "lb1", daemon.config_path)
    assert done.returncode == 0 and "withdrew 1 route(s)" in done.stdout, done
    assert announced.paths(lab) == {}


def test_a_reload_that_a_stop_overtakes_takes_nothing_out_any_more(lab, new_daemon, silent):
    """It has withdrawn nothing for that yet: what the stop has withdrawn is forwarded for all of its time."""
    daemon = new_daemon(settings(lab, vips=(VIP, OTHER_VIP), drain="1h")).start().wait_ready()
    wait_calls(daemon)
    reload_module.write(daemon, with_checks(settings(lab, drain="1h"), silent, "2s"))
    daemon.child.send_signal(signal.SIGHUP)
    wait_log(daemon, "SIGHUP: reading")
    daemon.child.send_signal(signal.SIGTERM)
    wait_log(daemon, "reload: guidewayd is stopping")
    assert {service["vip"] for service in daemon.status()["services"]} == {VIP, OTHER_VIP}
    daemon.child.send_signal(signal.SIGTERM)
    end(daemon)


def test_a_reload_that_takes_out_a_speaker_that_stands_still_warns_of_its_routes(lab, start):
    daemon = start(settings(lab))
    wait_calls(daemon)
    without = settings(lab)
    del without["bgp"]
    with stopped_gobgpd(lab, "lb1"):
        answer = reload_module.post(daemon, without)
    assert answer.status == 200, answer
    warning, = [line for line in answer.body["warnings"] if line.startswith("bgp: ")]
    assert "could not be withdrawn" in warning and "restart of that gobgpd" in warning, warning


def test_a_reload_that_takes_out_a_vip_while_the_speaker_stands_still_warns_of_its_route(lab, start):
    daemon = start(settings(lab, vips=(VIP, OTHER_VIP), drain="1s"))
    wait_calls(daemon)
    with stopped_gobgpd(lab, "lb1"):
        answer = reload_module.post(daemon, settings(lab))
    assert answer.status == 200, answer
    warning, = [line for line in answer.body["warnings"] if line.startswith("bgp: ")]
    assert "could not be withdrawn" in warning and "tried again" in warning, warning
    assert "reload: not withdrawn yet; forwarding for 1 s more" in daemon.log()
    announced.wait_paths(lab, "lb1", PREFIX)


def test_a_reload_that_takes_out_a_speaker_that_answers_or_is_gone_warns_of_nothing(lab, start):
    daemon = start(settings(lab))
    wait_calls(daemon)
    without = settings(lab)
    del without["bgp"]
    assert reload_module.post(daemon, without).body["warnings"] == []
    assert announced.paths(lab) == {}
    assert reload_module.post(daemon, settings(lab)).status == 200
    wait_calls(daemon)
    lab.stop_gobgpd("lb1")
    announced.wait_told(daemon, lambda now: now["contact"] == "lost", "the loss is told")
    assert reload_module.post(daemon, without).body["warnings"] == []
