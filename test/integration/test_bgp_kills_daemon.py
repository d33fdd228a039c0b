"""guidewayd itself is killed, started again, or stopped, under traffic: what routers hear of it, and
what becomes of its routes when there is no next one. pytest -s has the numbers."""
import re
import signal
import subprocess
import time

import pytest

from support import announced, bgp, netns, process, router
from support.announced import told, wait_calls
from support.daemon import to_yaml, xdp_programs
from support.fleet import settings, start_fleet
from support.lab import VIP
from support.load import Fresh, Load, led_to, measured

LAB = {"bgp": True, "lbs": 2, "backends": 2}
PREFIX = f"{VIP}/32"
OTHER_VIP = "198.51.100.2"


@pytest.fixture(autouse=True)
def all_run(lab):
    """Also behind a test that failed, the next one finds a BIRD, and a gobgpd on each load balancer."""
    yield
    announced.start_missing(lab)


def test_guidewayd_killed_and_started_again_finds_its_route_and_touches_nothing(lab, start):
    daemon = start_fleet(lab, start)["lb1"]
    heard = announced.heard(lab)
    with router.RouteWatch(lab, VIP) as watch, Load(lab) as load:
        killed = time.monotonic()
        daemon.kill()
        again = start(settings(lab))
        measured("guidewayd killed: it forwards again after", time.monotonic() - killed)
        now = wait_calls(again)
        load.downloads.wait_bytes(50_000)
    assert watch.hops_that_left() == set(), watch.describe()
    load.tell()
    load.assert_whole()
    assert [now[key] for key in ("added", "deleted", "changed", "starts")] == [0, 0, 0, 0]
    assert len(announced.paths(lab)[PREFIX]) == 1
    assert announced.heard(lab) == heard, "the router was told something"


def test_what_the_file_has_no_longer_is_withdrawn_by_the_next_guidewayd(lab, start):
    daemon = start(settings(lab, vips=(VIP, OTHER_VIP)))
    router.wait_for_routes(lab, OTHER_VIP, router.addresses(lab, "lb1"))
    router.wait_for_routes(lab, VIP, router.addresses(lab, "lb1"))
    daemon.kill()
    with router.RouteWatch(lab, VIP) as watch:
        again = start(settings(lab))
        router.wait_for_routes(lab, OTHER_VIP, set())
        now = wait_calls(again)
    assert watch.hops_that_left() == set(), watch.describe()
    assert (now["added"], now["deleted"]) == (0, 1)
    announced.wait_paths(lab, "lb1", PREFIX)


def test_a_start_that_fails_behind_a_sigkill_withdraws_the_routes(lab, start, new_daemon):
    daemon = start(settings(lab))
    router.wait_for_routes(lab, VIP, router.addresses(lab, "lb1"))
    daemon.kill()
    wrong = settings(lab)
    wrong["interfaces"][0]["name"] = "nosuch0"
    failing = new_daemon(wrong).start()
    assert failing.wait() == 1, failing.log()
    assert "there is no such interface" in failing.log()
    assert re.search(r"withdrew 1 route\(s\) from GoBGP at unix:\S+gobgp\.sock", failing.log()), failing.log()
    router.wait_for_routes(lab, VIP, set())
    assert announced.paths(lab) == {}
    # A program of the killed one hangs on the interface until somebody takes it off.
    start(settings(lab))
    router.wait_for_routes(lab, VIP, router.addresses(lab, "lb1"))


# The folder $1 becomes what /run is, and /run has of it what guidewayd needs; the socket $2 is where
# that of gobgpd usually is.
_USUAL_PLACE = """set -e
mount --rbind /run "$1"
mount -t tmpfs none /run
ln -s "$1/guideway" "$1/guideway-lab" /run
mkdir /run/guideway-bgp
ln -s "$2" /run/guideway-bgp/api.sock
shift 2
exec "$@"
"""


@pytest.fixture
def start_broken(lab, tmp_path):
    """Starts a guidewayd on lb1 with a file that says nothing, and with gobgpd at the usual place: the
    ended process."""
    path, run = tmp_path / "broken.yaml", tmp_path / "run"
    path.write_text(to_yaml({**settings(lab), "pools": "none"}))
    run.mkdir()
    command = ["unshare", "--mount", "sh", "-c", _USUAL_PLACE, "sh", run, bgp.gobgp_socket(lab, "lb1"),
               lab.bin_dir / "guidewayd", path]

    def begin():
        done = subprocess.run(netns.exec_command(lab.ns("lb1"), command), capture_output=True, text=True)
        assert done.returncode == 1 and "nothing was started" in done.stderr, done
        return done
    return begin


def test_a_start_with_a_broken_file_withdraws_routes_unless_a_daemon_runs_wherever_it_is_asked(
        lab, start, start_broken):
    """That with the broken file does not know its admin socket, nor its interfaces."""
    daemon = start(settings(lab))
    router.wait_for_routes(lab, VIP, router.addresses(lab, "lb1"))
    before = wait_calls(daemon)
    with router.RouteWatch(lab, VIP) as watch:
        assert "withdrew" not in start_broken().stderr
        wait_calls(daemon)
    assert watch.hops_that_left() == set(), watch.describe()
    assert told(daemon)["corrected"] == before["corrected"]

    daemon.kill()
    assert "withdrew 1 route(s) from GoBGP" in start_broken().stderr
    router.wait_for_routes(lab, VIP, set())
    start(settings(lab))


def test_withdraw_takes_the_routes_of_a_daemon_that_is_gone_and_of_no_other(lab, start, tmp_path):
    daemon = start(settings(lab))
    router.wait_for_routes(lab, VIP, router.addresses(lab, "lb1"))
    refused = announced.withdraw(lab, "lb1", daemon.config_path)
    assert refused.returncode == 1, refused
    assert "another guidewayd is running" in refused.stderr and "guideway role drain" in refused.stderr
    # Nor with a file that differs in where the daemon can be asked.
    path = tmp_path / "elsewhere.yaml"
    path.write_text(to_yaml({**settings(lab), "admin": {"socket": str(tmp_path / "other.sock")}}))
    refused = announced.withdraw(lab, "lb1", path)
    assert refused.returncode == 1, refused
    assert "another guidewayd is running: it serves net0" in refused.stderr
    assert announced.route_told(daemon)["held"] and router.routes(lab, VIP) != set()

    daemon.kill()
    begun = time.monotonic()
    done = announced.withdraw(lab, "lb1", daemon.config_path)
    assert done.returncode == 0 and "withdrew 1 route(s) from GoBGP" in done.stdout, done
    router.wait_for_routes(lab, VIP, set())
    measured("guidewayd --withdraw: the route is gone after", time.monotonic() - begun)
    again = announced.withdraw(lab, "lb1", daemon.config_path)
    assert again.returncode == 0 and "withdrew 0 route(s)" in again.stdout, again

    lab.stop_gobgpd("lb1")
    nobody = announced.withdraw(lab, "lb1", daemon.config_path)
    assert nobody.returncode == 0 and "no routes to withdraw: nobody answers at" in nobody.stdout, nobody
    lab.start_gobgpd("lb1")
    bare = announced.withdraw(lab, "lb1", daemon.config_path)
    assert bare.returncode == 0 and "withdrew 0 route(s)" in bare.stdout, bare
    assert bgp.gobgp(lab, "lb1", "global").split()[1] == "0", "BGP was started in order to withdraw"

    without = settings(lab)
    del without["bgp"]
    path = tmp_path / "without.yaml"
    path.write_text(to_yaml(without))
    nothing = announced.withdraw(lab, "lb1", path)
    assert nothing.returncode == 0 and "nothing is announced: the file has no bgp section" in nothing.stdout

    path.write_text(to_yaml({**without, "pools": "none"}))
    broken = announced.withdraw(lab, "lb1", path)
    assert broken.returncode == 1 and re.search(r"without\.yaml:\d+:\d+: pools", broken.stderr), broken
    assert "looked for at unix:/run/guideway-bgp/api.sock only" in broken.stderr, broken
    both_tasks = announced.withdraw(lab, "lb1", path, "--check")
    assert both_tasks.returncode == 2 and "--check or --withdraw, not both" in both_tasks.stderr
    start(settings(lab))


def test_sigterm_withdraws_first_then_forwards_for_the_drain_time_and_then_ends(lab, start):
    daemon = start_fleet(lab, start, drain="8s")["lb1"]
    with led_to(lab, "lb1") as ports, router.RouteWatch(lab, VIP) as watch, Load(lab) as load:
        asked = time.monotonic()
        daemon.child.send_signal(signal.SIGTERM)
        gone = watch.wait_for(router.addresses(lab, "lb2"))
        measured("SIGTERM: off the router's route after", gone - asked)
        with Fresh(lab, ports=ports) as late:
            process.wait_until(lambda: late.answered >= 20 or late.failures, "it forwards on", 30)
        assert daemon.alive() and xdp_programs(lab) != {}
        assert daemon.wait(30) == 0, daemon.log()
        measured("SIGTERM, drain 8 s: ended after", time.monotonic() - asked)
    assert late.failures == []
    load.tell()
    load.assert_whole()
    assert xdp_programs(lab) == {}
    assert announced.paths(lab) == {}
    assert re.search(r"withdrawing routes, forwarding for 8 s(?s:.*)drained: stopping(?s:.*)stopped$",
                     daemon.log().strip()), daemon.log()


def test_a_second_sigterm_ends_at_once_with_the_routes_withdrawn(lab, start):
    daemon = start_fleet(lab, start, drain="1h")["lb1"]
    daemon.child.send_signal(signal.SIGTERM)
    router.wait_for_routes(lab, VIP, router.addresses(lab, "lb2"))
    assert daemon.alive()
    daemon.child.send_signal(signal.SIGTERM)
    assert daemon.wait(15) == 0, daemon.log()
    assert "the same signal again: at once" in daemon.log()
    assert announced.paths(lab) == {} and xdp_programs(lab) == {}
