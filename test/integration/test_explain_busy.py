"""`guideway explain` and `guideway flows` where something else goes on: reloads, a worker that hangs,
many who ask at once."""
import concurrent.futures
import json
import threading

from test_explain import PORTS, Flow, backend_of, explain

from support import process
from support.daemon import config
from support.hold_thread import HeldThread, thread_named
from support.lab import INTERFACE
from support.reload import ask


def test_answers_while_reloads_change_everything(lab, start):
    daemon = start(config(lab, ports=PORTS))
    flow, failures, ending = Flow("tcp", 4900), [], threading.Event()

    def ask():
        while not ending.is_set():
            done = daemon.client("explain", *flow.words, "--json")
            if done.returncode != 0 or json.loads(done.stdout)["verdict"] != "forwarded":
                failures.append((done.stdout, done.stderr))
            asked.release()

    asked = threading.Semaphore(0)
    asker = threading.Thread(target=ask)
    asker.start()
    try:
        for round_number in range(8):
            daemon.reload(config(lab, ports=PORTS, weights=[1 + round_number % 3, 2, 3]))
            assert asked.acquire(timeout=15)
    finally:
        ending.set()
        asker.join()
    assert not failures


def worker(daemon, queue):
    return thread_named(daemon.child.pid, f"gw-{queue}-{INTERFACE}")


def test_a_worker_that_hangs_is_named_and_the_others_answer(lab, start):
    daemon = start(config(lab, ports=PORTS))
    flow = Flow("tcp", 5000)
    expected = backend_of(lab, explain(daemon, flow))
    with HeldThread(worker(daemon, 0)):
        answer = explain(daemon, flow)
        assert answer["hanging"] == [f"{INTERFACE} queue 0"] and answer["queue"] == 1
        assert backend_of(lab, answer) == expected
        with HeldThread(worker(daemon, 1)):
            done = daemon.client("explain", *flow.words)
            assert done.returncode == 1
            assert f"{INTERFACE} queue 0, {INTERFACE} queue 1" in done.stderr
    process.wait_until(lambda: "hanging" not in explain(daemon, flow), "both answer again")


def test_many_who_ask_at_once_wait_their_turn_and_no_worker_is_said_to_hang(lab, start):
    settings = config(lab, ports=PORTS)
    settings["flow_table"] = {"entries": 1_000_000}
    daemon = start(settings)
    with concurrent.futures.ThreadPoolExecutor(60) as clients:
        answers = list(clients.map(lambda _: ask(daemon, "GET", "/v1/flows", 120), range(300)))
    assert [answer for answer in answers if answer.status != 200] == []
