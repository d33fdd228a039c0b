"""The demonstration behind scripts/demo: pages through the VIP, an account of every packet, and
changes under load (demo_changes.py)."""
import argparse
import collections
import concurrent.futures
import signal
import subprocess
import sys

from support import demo_fleet, netns, process, webserver
from support.account import Verdict, check_laws, settled_status, show, step
from support.daemon import Daemon
from support.demo_changes import Changes
from support.fetch import sha256
from support.lab import CLIENT, VIP, Lab, LabError

FIRST_PORT = 20000
LARGE_FETCHES = 6
AT_ONCE = 16

Fetched = collections.namedtuple("Fetched", "port body error")


def curl(lab, path, port, failures):
    """One page by curl, from this source port of the client. After many failures nothing is tried
    any more: the outcome is known, and each would take its time."""
    if len(failures) >= AT_ONCE:
        return Fetched(port, b"", "not tried after so many failures")
    done = subprocess.run(netns.exec_command(lab.ns("client"), [
        "curl", "--silent", "--show-error", "--fail", "--max-time", "10", "--local-port", port,
        f"http://{VIP}{path}"]), capture_output=True)
    if done.returncode != 0:
        failures.append(port)
    return Fetched(port, done.stdout, done.stderr.decode().strip() if done.returncode else "")


def curl_all(lab, path, ports):
    failures = []
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda port: curl(lab, path, port, failures), ports))


def backend_of(page):
    first = page.body.decode(errors="replace").partition("\n")[0]
    return first.removeprefix("backend ")


def check_pages(verdict, lab, pages):
    names = {backend.name for backend in lab.backends}
    right = [page for page in pages if not page.error and backend_of(page) in names
             and f"client {CLIENT}:{page.port}\n" in page.body.decode()]
    verdict.check(len(right) == len(pages),
                  f"{len(right)} of {len(pages)} pages arrived, and each backend saw the true client")
    for error, times in collections.Counter(page.error for page in pages if page.error).most_common(3):
        print(f"        {times} × {error}")
    return collections.Counter(backend_of(page) for page in right)


def check_large_files(verdict, pages):
    want = sha256(webserver.large_file())
    right = sum(sha256(page.body) == want for page in pages)
    verdict.check(right == len(pages),
                  f"{right} of {len(pages)} files of {webserver.LARGE_BYTES} bytes arrived, sha256 {want[:12]}…")


def check_spread(verdict, lab, daemon, pages_by_backend):
    """The same connections counted three times: by the pages, by nginx, by the daemon."""
    known = daemon.backends()
    entries = sum(backend["table_entries"] for backend in known.values())
    print(f"    {'backend':<9}{'address':<14}{'table':>7}{'pages':>8}{'nginx: pages':>14}"
          f"{'nginx: flows':>14}{'daemon: flows':>15}{'packets':>9}")
    agree, everyone = True, True
    for node in lab.backends:
        backend = known[node.name]
        requests = webserver.requests(lab.node_folder(node.name))
        logged_pages = sum(request.path == "/" for request in requests)
        logged_flows = len({(request.client, request.port) for request in requests})
        pages = pages_by_backend[node.name]
        print(f"    {node.name:<9}{node.address:<14}{100 * backend['table_entries'] / entries:>6.1f}%{pages:>8}"
              f"{logged_pages:>14}{logged_flows:>14}{backend['flows']:>15}{backend['forwarded_packets']:>9}")
        agree = agree and pages == logged_pages and logged_flows == backend["flows"]
        everyone = everyone and pages > 0
    verdict.check(agree, "pages, access logs and the daemon's counters agree on every backend")
    verdict.check(everyone, "every backend had a share")


def demonstrate(lab, fetches, keep):
    verdict = Verdict()
    step("lab: a client, a router, a load balancer and three web servers")
    lab.up()
    print("\n".join(f"    {line}" for line in lab.describe()))

    step("guidewayd")
    daemon = Daemon(lab).start().wait_ready().wait_resolved()
    interface = daemon.status()["interfaces"][0]
    print(f"    {interface['name']}: {interface['driver']}, XDP {interface['attachment']}, " + ", ".join(
        f"queue {queue['queue']} on CPU {queue['cpu']} ({queue['mode']})" for queue in interface["queues"]))

    step(f"curl: {fetches} pages from http://{VIP}/, each from a source port of its own")
    pages = check_pages(verdict, lab, curl_all(lab, "/", range(FIRST_PORT, FIRST_PORT + fetches)))
    step(f"curl: {LARGE_FETCHES} larger files")
    check_large_files(verdict, curl_all(lab, "/large.bin", range(FIRST_PORT - LARGE_FETCHES, FIRST_PORT)))

    status = settled_status(daemon)
    step("how the connections spread")
    check_spread(verdict, lab, daemon, pages)
    step("the daemon's own account: guideway status")
    shown = netns.run(lab.bin_dir / "guideway", "status", "--socket", daemon.settings["admin"]["socket"])
    show(shown)
    step("do the counters add up")
    check_laws(verdict, status)

    Changes(lab, daemon, verdict).run()
    step("do the counters add up, after all of that")
    check_laws(verdict, settled_status(daemon))
    if not keep:
        step("stopping guidewayd")
        verdict.check(daemon.stop() == 0, "guidewayd ended cleanly")
    return verdict.right


def main(arguments):
    parser = argparse.ArgumentParser(prog="scripts/demo")
    parser.add_argument("--fetches", type=int, default=300, metavar="N")
    parser.add_argument("--fleet", action="store_true")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args(arguments)
    if not 1 <= options.fetches <= 12000:
        parser.error("--fetches: 1 to 12000, as each has a source port below the ephemeral ones")
    # An end from outside is an end with cleaning up, too.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: sys.exit(
            f"scripts/demo: ended by {signal.Signals(received).name}"))
    lab = demo_fleet.lab_of_fleet("gwlab") if options.fleet else Lab("gwlab")
    right = False
    with lab.held():
        try:
            right = (demo_fleet.demonstrate(lab, options.keep) if options.fleet
                     else demonstrate(lab, options.fetches, options.keep))
        finally:
            if options.keep and lab.describe():
                print("==> kept: try scripts/lab exec client curl http://%s/ , and in the end scripts/lab down" % VIP)
            else:
                step("cleaning up")
                lab.down()
    step("every page arrived, changes hurt nobody that they need not, and the counters add up" if right
         else "the demonstration FAILED")
    return 0 if right else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (LabError, netns.CommandFailed, process.DeadlineExpired, AssertionError) as failure:
        sys.exit(f"scripts/demo: {failure}")
