"""The second half of the demonstration: what happens to connections while backends die and come back,
the file changes, a backend is drained, and a file is wrong."""
import contextlib
import copy
import os
import signal
import time

from support import process
from support import reload as reloading
from support.account import show, step
from support.daemon import to_yaml
from support.demo_load import DOWNLOADS, NEW, SESSIONS, SESSIONS_EACH, Load, backend_at

SECOND_VIP = "198.51.100.2"
CHECK = {"type": "http", "port": 80, "path": "/", "interval": "300ms", "timeout": "200ms"}
FALL = 3
# From the first failure: FALL probes at most 330 ms apart and a time-out, and a build; with room for
# a machine that has other things to do.
OUT_WITHIN_SECONDS = 4.0
_MORE_CONNECTIONS = 200  # new ones after a change, before what it did is judged
_PATIENCE_SECONDS = 20.0


class Changes:
    """All steps, in order. REQUIRES: a lab that is up, and its daemon, ready."""

    def __init__(self, lab, daemon, verdict):
        self._lab, self._daemon, self._verdict = lab, daemon, verdict
        self._check = verdict.check
        self._settings = copy.deepcopy(daemon.settings)
        self._load = None
        self._mark = 0
        self._flows_moved = 0  # by the daemon's count, when the step began
        self._orphans = 0      # flows of a dead backend, of which packets may still come

    def run(self):
        self._begin()
        try:
            self._kill("be3")
            self._bring_back("be3")
            self._reload()
            self._drain("be2")
            self._undrain("be2")
            self._refuse()
        finally:
            self._load.stop()
        self._end()

    # ---- helpers -------------------------------------------------------------------------------

    def _guideway(self, *words, code=0):
        """A command, shown with what it prints."""
        print(f"    $ guideway {' '.join(words)}")
        done = self._daemon.client(*words)
        show(done.stdout + done.stderr)
        self._check(done.returncode == code, f"exit code {done.returncode}")
        return done

    def _address(self, name):
        return self._lab.backend(name).address

    def _begin_step(self, text):
        print(flush=True)
        step(text)
        self._mark = self._load.ledger.mark()
        if not self._orphans:
            self._flows_moved = self._daemon.status()["totals"]["flow_moved"]

    def _wait_adopted(self):
        """Until every worker goes by the snapshot in force."""
        def adopted():
            status = self._daemon.status()
            return all(queue["generation"] == status["generation"]
                       for interface in status["interfaces"] for queue in interface["queues"])
        process.wait_until(adopted, "workers use the new snapshot", _PATIENCE_SECONDS)

    def _wait_more(self):
        """Until a number of further connections has been made and ended; returns when that began."""
        begin = time.monotonic()
        mark = self._load.ledger.mark()
        process.wait_until(
            lambda: sum(event.begun_at > begin for event in self._load.ledger.since(mark, NEW, "finished"))
            >= _MORE_CONNECTIONS, "more new connections", _PATIENCE_SECONDS)
        return begin

    def _comes_new_to(self, name):
        """Whether a new connection has come to a backend within the time."""
        mark = self._load.ledger.mark()
        with contextlib.suppress(process.DeadlineExpired):
            return process.wait_until(
                lambda: any(event.backend == name for event in self._load.ledger.since(mark, NEW, "finished")),
                f"new connections come to {name}", _PATIENCE_SECONDS)
        return False

    def _since(self, what, kind=None):
        return self._load.ledger.since(self._mark, kind, what)

    def _table(self):
        show(self._load.ledger.table(self._mark))

    def _check_unharmed(self):
        """Nothing that was there or came was hurt."""
        harmed = [event for what in ("broken", "refused", "moved") for event in self._since(what)]
        self._check(not harmed, "no connection was broken, refused or moved"
                    if not harmed else f"{len(harmed)} were harmed, such as {harmed[0]}")
        self._check_moved()

    def _check_moved(self):
        """A flow moves only if its backend cannot keep it: last packets of connections to one that
        died, which another backend answers with a reset."""
        moved = self._daemon.status()["totals"]["flow_moved"] - self._flows_moved
        of_whom = f", of {self._orphans} whose backend had died" if self._orphans else ""
        self._check(moved <= self._orphans, f"the daemon moved {moved} flows to another backend{of_whom}")

    # ---- steps ---------------------------------------------------------------------------------

    def _begin(self):
        step("health checks: the file gets them, guideway reload")
        self._settings["pools"][0]["checks"] = [{**CHECK, "fall": FALL}]
        reloading.write(self._daemon, self._settings)
        self._guideway("reload")
        for backend in self._lab.backends:
            self._daemon.wait_backend(backend.name, health="up")
        self._lab.ip("router", f"route add {SECOND_VIP}/32 via {self._lab.lbs[0].address}")
        for backend in self._lab.backends:
            self._lab.ip(backend.name, f"address add {SECOND_VIP}/32 dev lo")
        print(flush=True)
        step("load: three clients with sessions, long downloads and new connections")
        self._load = Load(self._lab)
        try:
            self._wait_more()
            self._table()
            self._check_unharmed()
        except BaseException:
            self._load.stop()
            raise

    def _kill(self, name):
        process.wait_until(lambda: self._load.ledger.open(DOWNLOADS, name) > 0,
                           f"a download from {name}", _PATIENCE_SECONDS)
        self._begin_step(f"{name} dies: SIGKILL to its nginx, under load")
        flows_before = self._daemon.backend(name)["flows"]
        killed_at = time.monotonic()
        os.killpg(self._lab.running(name, "nginx")["pid"], signal.SIGKILL)
        self._daemon.wait_backend(name, health="down", table_entries=0)
        self._wait_adopted()
        out_after = time.monotonic() - killed_at
        out_at = self._wait_more()
        process.wait_until(lambda: self._load.ledger.open(DOWNLOADS, name) == 0,
                           f"downloads from {name} have ended", _PATIENCE_SECONDS)
        self._guideway("backends", "--pool", "web")
        self._table()
        self._check(out_after <= OUT_WITHIN_SECONDS,
                    f"out after {out_after:.2f} s: {FALL} failures in a row, asked every {CHECK['interval']}")
        self._orphans = len(self._since("broken") + self._since("refused"))
        self._check_only_its_own_broke(name)
        self._check_refused(name, killed_at, out_at, flows_before)
        self._check_moved()

    def _check_only_its_own_broke(self, name):
        ledger = self._load.ledger
        broken = [event for event in self._since("broken") if event.backend]
        others = [event for event in broken if event.backend != name]
        left = sum(ledger.open(SESSIONS, backend.name) for backend in self._lab.backends
                   if backend.name != name)
        wanted = SESSIONS_EACH * (len(self._lab.backends) - 1)
        self._check(broken and not others and ledger.open(SESSIONS, name) == 0,
                    f"{len(broken)} connections broke, all of them on {name}" if not others
                    else f"{len(others)} connections broke that were not on {name}")
        moved = self._since("moved")
        self._check(left == wanted and not moved,
                    f"{left} of {wanted} sessions on the others live on, {len(moved)} moved")

    def _check_refused(self, name, killed_at, out_at, flows_before):
        """What never came to an answer was the dead backend's, and ended with its being out."""
        nameless = [event for event in self._since("refused") + self._since("broken") if not event.backend]
        late = [event for event in nameless if event.begun_at > out_at]
        # Those that were on their way when it died had their flow counted before.
        given = self._daemon.backend(name)["flows"] - flows_before
        after = sum(event.begun_at > killed_at for event in nameless)
        self._check(after <= given, f"{after} new connections had no answer, of {given} flows that "
                                    f"{name} was given until it was out")
        self._check(not late, f"{len(late)} of them after it was out")

    def _bring_back(self, name):
        self._begin_step(f"{name} comes back")
        begin = time.monotonic()
        self._lab.start_web_server(name)
        self._daemon.wait_backend(name, health="up")
        up_after = time.monotonic() - begin
        self._wait_adopted()
        comes = self._comes_new_to(name)
        self._load.fill_sessions()
        self._wait_more()
        self._table()
        self._check(comes, f"up {up_after:.2f} s after its start; new connections come to it again")
        self._check_unharmed()
        self._orphans = 0

    def _reload(self):
        self._begin_step("another file, by SIGHUP: be1 weighs 2, and a second VIP")
        self._settings["pools"][0]["backends"][0]["weight"] = 2
        self._settings["services"].append(
            {"name": "second", "vip": SECOND_VIP, "ports": ["tcp/80"], "pool": "web"})
        logged = reloading.hang_up(self._daemon, self._settings)
        show("\n".join(line for line in logged.splitlines() if "reload" in line))
        self._wait_adopted()
        self._guideway("services")
        names = {backend_at(self._lab, SECOND_VIP) for _ in range(10)}
        self._wait_more()
        self._table()
        self._check(names <= {backend.name for backend in self._lab.backends},
                    f"http://{SECOND_VIP}/ is answered by {', '.join(sorted(names))}")
        pool = self._daemon.status()["pools"][0]
        share = self._daemon.backend("be1")["table_entries"] / pool["table_size"]
        self._check(abs(share - 0.5) < 0.001, f"be1 has {100 * share:.1f} % of the table")
        self._check_unharmed()

    def _drain(self, name):
        self._begin_step(f"{name} is to be taken out of service: guideway drain, under load")
        sessions = self._load.ledger.open(SESSIONS, name)
        self._guideway("drain", self._address(name))
        self._daemon.wait_backend(name, table_entries=0)
        self._wait_adopted()
        flows = self._daemon.backend(name)["flows"]
        drained_at = self._wait_more()
        process.wait_until(lambda: self._load.ledger.open(DOWNLOADS, name) == 0,
                           f"downloads from {name} are finished", _PATIENCE_SECONDS)
        self._guideway("backends", "--pool", "web")
        self._table()
        late = [event for event in self._since("begun")
                if event.backend == name and event.begun_at > drained_at]
        given = self._daemon.backend(name)["flows"] - flows
        self._check(not late and given == 0,
                    f"{len(late)} new connections came to it, and {given} new flows by the daemon's count")
        still = self._load.ledger.open(SESSIONS, name)
        self._check(still == sessions, f"{still} of {sessions} sessions on it live on, its downloads are finished")
        self._check_unharmed()

    def _undrain(self, name):
        self._begin_step(f"{name} is back in service: guideway undrain")
        self._guideway("undrain", self._address(name))
        process.wait_until(lambda: self._daemon.backend(name)["table_entries"] > 0,
                           f"{name} is in the table", _PATIENCE_SECONDS)
        self._wait_adopted()
        comes = self._comes_new_to(name)
        self._wait_more()
        self._table()
        self._check(comes, f"new connections come to {name} again")
        self._check_unharmed()

    def _refuse(self):
        self._begin_step("a file with mistakes: guideway reload")
        before = reloading.lasting(self._daemon.status())
        wrong = copy.deepcopy(self._settings)
        wrong["pools"][0]["table_size"] = 65536
        wrong["pools"][0]["backends"][1]["weight"] = -1
        wrong["services"][0]["pool"] = "wbe"
        reloading.write(self._daemon, to_yaml(wrong))
        done = self._guideway("reload", code=1)
        told = [word for word in ("table_size", "weight", "services[0].pool") if word in done.stderr]
        self._wait_more()
        reloading.write(self._daemon, self._settings)
        self._table()
        self._check(len(told) == 3, f"{len(told)} of 3 mistakes were told at once, each with its place")
        self._check(reloading.lasting(self._daemon.status()) == before,
                    f"nothing changed: generation {before['generation']} stays in force")
        self._check_unharmed()

    def _end(self):
        """REQUIRES: the load is stopped."""
        print(flush=True)
        step("all of it: the load has ended")
        ledger = self._load.ledger
        show(ledger.table(0))
        for kind in (SESSIONS, DOWNLOADS):
            self._check(ledger.open(kind) == 0, f"no {kind} left open")
        moved = ledger.since(what="moved")
        self._check(not moved, f"{len(moved)} connections were answered by another backend than before")
