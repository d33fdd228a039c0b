"""guideway watch: on a terminal a screen that is drawn in place, elsewhere lines."""
import json
import re
import signal

from support import process
from support.daemon import config
from support.stream import Stream
from support.terminal import Terminal

PORT = 9000
SUFFIX = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9}
NUMBER = r"[0-9.]+(?: [kMG])?"


def number(text):
    """What rate_text() has written."""
    digits, _, suffix = text.partition(" ")
    return float(digits) * SUFFIX[suffix]


def begin(lab, start):
    return start(config(lab, ports=("tcp/80", f"udp/{PORT}")))


def watch(daemon, *words, **terminal):
    return Terminal([daemon.lab.bin_dir / "guideway", "watch", "--socket",
                     daemon.settings["admin"]["socket"], *words], **terminal)


def received(daemon):
    return daemon.status()["totals"]["received"]


def assert_given_back(terminal):
    """The terminal is as it was before the program was started."""
    assert terminal.modes() == terminal.modes_before
    assert not terminal.cursor_hidden()
    for leave, enter in ((b"\33[?1049l", b"\33[?1049h"), (b"\33[?25h", b"\33[?25l"), (b"\33[?7h", b"\33[?7l")):
        assert terminal.raw.rfind(leave) > terminal.raw.rfind(enter) >= 0


def backend_rows(text):
    """Packets a second of each backend on a screen."""
    return [number(found) for found in
            re.findall(rf"^  10\.\S+ +web +\S.*?  +({NUMBER}) +{NUMBER} +{NUMBER} +[0-9.]+ %", text, re.MULTILINE)]


def adds_up(lab, text):
    """The rows of the backends are what was sent in all, but for the digits that are not shown: half
    a unit of each row and of the sum."""
    sent, rows = re.search(rf"^packets/s: .* out ({NUMBER}) ", text, re.MULTILINE), backend_rows(text)
    return (sent and len(rows) == len(lab.backends)
            and abs(sum(rows) - number(sent[1])) <= 0.06 * number(sent[1]) + len(rows))


def wait_flows(daemon, number_of_flows):
    """Until the daemon says so many: workers tell them now and then."""
    process.wait_until(lambda: sum(daemon.status()["totals"][f"flows_{state}"] for state in
                                   ("opening", "established", "closing", "udp")) == number_of_flows,
                       f"{number_of_flows} flows")


def test_the_screen_shows_the_rates_of_the_traffic(lab, start):
    daemon = begin(lab, start)
    stream = Stream(lab, PORT)
    before = received(daemon)
    with watch(daemon) as terminal:
        terminal.wait_for(rf"^guidewayd \S+ on {lab.prefix}-lb1: ready, up \d+s, generation \d+")
        terminal.wait_for(r"^  udp 198\.51\.100\.\d+:9000 .* healthy +[1-9]\S*")
        shown = terminal.wait_for(rf"^packets/s: in ({NUMBER}), out ({NUMBER}) \({NUMBER}bit/s\), dropped 0$")
        # Within a second of the daemon's: no more than was counted in all.
        counted = received(daemon) - before
        assert 0 < number(shown[1]) <= 1.1 * counted
        assert terminal.find(r"^drops/s: none$")
        terminal.wait_for(r"^flows: \S+ new/s, 32 of \d+ remembered")
        # Polled, as a screen may be seen half drawn.
        process.wait_until(lambda: adds_up(lab, terminal.text()), "the backends' rates add up")
        terminal.press(b"q")
        assert terminal.end() == 0
    stream.stop()


def test_the_screen_is_drawn_in_place(lab, start):
    daemon = begin(lab, start)
    with watch(daemon, "--interval", "0.1", "--count", "20") as terminal:
        terminal.wait_for("^guidewayd ")
        assert terminal.cursor_hidden()
        assert terminal.end() == 0
        assert b"\n" not in terminal.raw and terminal.scrolled() == 0
        # Cleared once; later only what changes is written.
        assert terminal.raw.count(b"\33[2J") <= 2
        assert terminal.raw.count(b"last reload") == 1
        assert_given_back(terminal)


def test_the_screen_follows_the_size_of_the_window(lab, start):
    daemon = begin(lab, start)
    with watch(daemon, "--interval", "3600") as terminal:
        terminal.wait_for(r"^guidewayd .*\d\dZ$")
        terminal.resize(9, 30)
        terminal.wait_for(r"^  and 3 more")
        assert terminal.find(r"^guidewayd \S+ on .*\.\.$")
        assert b"\n" not in terminal.raw and terminal.scrolled() == 0
        terminal.resize(30, 132)
        terminal.wait_for(r"^guidewayd .{100,}\dZ$")
        process.wait_until(lambda: terminal.text().count(" web ") == 3, "three backends on the screen")
        assert len(terminal.lines()[0]) == 132


def test_ctrl_c_ends_it_and_gives_the_terminal_back(lab, start):
    daemon = begin(lab, start)
    with watch(daemon) as terminal:
        terminal.wait_for("^guidewayd ")
        process.wait_until(lambda: terminal.modes() != terminal.modes_before, "keys are not echoed")
        terminal.press(b"x\3")
        assert terminal.end() == 0
        assert_given_back(terminal)


def test_a_deadly_signal_gives_the_terminal_back_and_is_died_of(lab, start):
    daemon = begin(lab, start)
    with watch(daemon) as terminal:
        terminal.wait_for("^guidewayd ")
        terminal.child.send_signal(signal.SIGTERM)
        assert terminal.end() == -signal.SIGTERM
        assert_given_back(terminal)


def test_ctrl_z_gives_the_terminal_back_for_as_long_as_it_is_suspended(lab, start):
    daemon = begin(lab, start)
    with watch(daemon) as terminal:
        terminal.wait_for("^guidewayd ")
        terminal.press(b"\x1a")
        process.wait_until(terminal.stopped, "it is suspended")
        assert_given_back(terminal)
        seen = len(terminal.raw)
        terminal.go_on()
        process.wait_until(lambda: terminal.text() and b"guidewayd " in terminal.raw[seen:], "it is drawn anew")
        assert terminal.cursor_hidden()
        terminal.press(b"q")
        assert terminal.end() == 0
        assert_given_back(terminal)


def test_a_daemon_that_goes_and_comes_back_is_followed(lab, start):
    daemon = begin(lab, start)
    stream = Stream(lab, PORT)
    with watch(daemon, "--interval", "0.2") as terminal:
        rate = rf"^packets/s: in ({NUMBER}),"
        process.wait_until(lambda: (found := terminal.find(rate)) and number(found[1]) > 0, "a rate")
        stream.stop()
        counted = daemon.settle()["totals"]["received"]
        assert daemon.stop() == 0
        terminal.wait_for(r"^guidewayd cannot be reached since [1-9]\d* s \(.*-lb1\): ")
        assert terminal.find("^packets/s: in -, out -, dropped -$")
        daemon.start().wait_ready().wait_resolved()
        terminal.wait_for(r"^guidewayd \S+ on \S+: ready, up \d+s")
        terminal.wait_for(r"^packets/s: in 0,")
        terminal.press(b"q")
        assert terminal.end() == 0
        shown = [number(found.decode()) for found in re.findall(rf"packets/s: in ({NUMBER}),".encode(), terminal.raw)]
        # A fifth of a second has at most all packets; a wrong difference would be of 20 digits.
        assert max(shown) <= 5.5 * counted
        assert b" -0" not in terminal.raw and not re.search(rb"in -\d", terminal.raw)


def test_a_daemon_that_hangs_does_not_keep_the_screen_from_its_keys(lab, start):
    daemon = begin(lab, start)
    with watch(daemon, "--interval", "0.1") as terminal:
        terminal.wait_for("^guidewayd ")
        daemon.child.send_signal(signal.SIGSTOP)
        try:
            terminal.wait_for(r"^guidewayd cannot be reached since [1-9]\d* s \(.*-lb1\): no answer yet$")
            terminal.press(b"q")
            process.wait_until(lambda: terminal.modes() == terminal.modes_before, "the terminal is given back")
            assert_given_back(terminal)
        finally:
            daemon.child.send_signal(signal.SIGCONT)
        assert terminal.end() == 0


def test_colours_are_for_terminals_that_are_not_told_otherwise(lab, start):
    daemon = begin(lab, start)
    with watch(daemon) as terminal:
        terminal.wait_for("^  backend ")
        assert {"green"} <= terminal.colours()
    with watch(daemon, NO_COLOR="1") as terminal:
        terminal.wait_for("^  backend ")
        assert terminal.colours() == {"default"}
    status = [lab.bin_dir / "guideway", "status", "--socket", daemon.settings["admin"]["socket"]]
    with Terminal(status, rows=100) as terminal:
        assert terminal.end() == 0
        assert "green" in terminal.colours()
    with Terminal(status, rows=100, TERM="dumb") as terminal:
        assert terminal.end() == 0
        assert b"\33" not in terminal.raw


def test_on_no_terminal_it_prints_lines_whose_rates_add_up(lab, start):
    daemon = begin(lab, start)
    stream = Stream(lab, PORT)
    wait_flows(daemon, 32)
    before = received(daemon)
    lines = daemon.client("watch", "--interval", "0.3", "--count", "3").stdout.splitlines()
    documents = [json.loads(line) for line in
                 daemon.client("watch", "--json", "--interval", "0.3", "--count", "3").stdout.splitlines()]
    after = received(daemon)
    stream.stop()
    assert lines[0].split() == ["time", "ready", "packets/s", "bit/s", "drops/s", "new_flows/s", "flows", "backends_up"]
    assert len(lines) == 4
    for line in lines[1:]:
        time, ready, packets, bits, drops, new_flows, flows, backends = line.split()
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", time)
        assert (ready, drops, flows, backends) == ("yes", "0", "32", "3/3")
        assert 0 < int(packets) <= (after - before) / 0.3 and int(bits) > 0 and int(new_flows) >= 0
    passed = sum(one["received_per_second"] * one["seconds"] for one in documents)
    assert 0 < passed <= after - before + 1
    for one in documents:
        assert one["reachable"] and one["ready"] and one["dropped_per_second"] == 0
        # Numbers of one document are read one after the other: some batches apart.
        sums = [sum(each["packets_per_second"] for each in one[key]) for key in ("services", "backends")]
        assert all(abs(each - one["transmitted_per_second"]) * one["seconds"] <= 200 for each in sums)


def test_a_dumb_terminal_gets_lines(lab, start):
    daemon = begin(lab, start)
    with watch(daemon, "--interval", "0.1", "--count", "2", TERM="dumb") as terminal:
        assert terminal.end() == 0
        assert terminal.find("^ +time ready ")
        assert b"\33" not in terminal.raw


def test_lines_go_on_while_the_daemon_is_away(lab, start):
    daemon = begin(lab, start)
    log = daemon.folder / "watch.log"
    log.write_bytes(b"")
    child = process.start([lab.bin_dir / "guideway", "watch", "--interval", "0.1", "--socket",
                           daemon.settings["admin"]["socket"]], log)
    try:
        process.wait_until(lambda: "Z   yes " in log.read_text(), "a line")
        assert daemon.stop() == 0
        process.wait_until(lambda: log.read_text().count("Z  gone ") >= 3, "lines of a silent daemon")
        daemon.start().wait_ready().wait_resolved()
        said = len(log.read_text())
        process.wait_until(lambda: "Z   yes " in log.read_text()[said:], "a line again")
        # Whatever the first of them was: that it is not there, or that it went while it was asked.
        assert len(re.findall(r"^guideway: \S", log.read_text(), re.MULTILINE)) == 1
    finally:
        child.terminate()
        assert child.wait() == -signal.SIGTERM
