"""The command line of scripts/test-kernels."""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

from kernels import debian, held, machine, plan, session, table

PROJECT = machine.PROJECT
KEPT_RUNS = 5
GUEST_LOST = 125

_DESCRIPTION = """\
Runs the tests on Debian's own kernels, each in a throw-away virtual machine over this host's file
system: read-only below a RAM layer, so what is built and installed here runs there, and nothing that
happens there outlives it but the logs. QEMU emulates the CPU: seconds to boot, slow to run, and nothing
of the host's kernel is needed or touched.

SUITE: bookworm (6.1), bookworm-backports (6.12), trixie-backports (the newest). Without one, all three.
At the end there is one table, test by machine. The exit code is 0 if nothing failed and nothing was lost:
a guest that died or hung, a test without a result, a machine on which all was skipped, and a test that
was skipped as a whole where the plan says that it must run are failures (1). It is 2 if nothing could
be run, such as without a mirror when there is no kernel in the cache."""

_EPILOG = """\
examples:
  scripts/test-kernels                                     all that test/kernels/plan.py has: hours
  scripts/test-kernels --short                             the form of .ci/run: minutes
  scripts/test-kernels bookworm --tests '^pages$'          one test on 6.1, on each hardware of the plan
  scripts/test-kernels trixie-backports --hardware igb     all that is planned on igb on the newest kernel
  scripts/test-kernels --list --short                      what would run
  scripts/test-kernels bookworm --hardware igb --exec 'uname -r; ethtool -i nic0'

QEMU, busybox-static, kmod, xz-utils and zstd are installed from Debian where they are missing. A QEMU
that has no igb, as bookworm's own (7.2), is replaced by that of bookworm-backports. Kernels are unpacked
and never installed, into $GUIDEWAY_CACHE or /var/cache/guideway (1 GB); newer ones are looked for once a
week. apt's configuration stays as it is. Logs are in build/kernels/RUN, the last run's in
build/kernels/latest."""


def _parser():
    parser = argparse.ArgumentParser(prog="scripts/test-kernels", description=_DESCRIPTION, epilog=_EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help="kernels to run on (all)")
    parser.add_argument("--short", action="store_true", help="the short form: 6.1, and zero-copy on the newest")
    parser.add_argument("--tests", metavar="REGEX", type=re.compile, help="of the plan, tests whose name has this")
    parser.add_argument("--all", action="store_true", help="all tests on each machine, whatever the plan says")
    parser.add_argument("--hardware", action="append", default=[], metavar="NAME", choices=machine.HARDWARE,
                        help="veth (no NIC), igb, e1000e, virtio: two NICs, joined; may be repeated (as planned)")
    parser.add_argument("--list", action="store_true", help="show what would run")
    parser.add_argument("--exec", metavar="COMMAND", help="run a line of bash instead of tests, and show the console")
    parser.add_argument("--preset", default="dev", metavar="NAME", help="the build to test (dev)")
    parser.add_argument("--no-build", action="store_true", help="test what is built, as it is")
    parser.add_argument("--jobs", type=int, default=2, metavar="N",
                        help="machines at a time, of two CPUs and 2 GiB each (2)")
    parser.add_argument("--silence", type=float, default=600, metavar="SECONDS",
                        help="with --exec: end a machine whose console says nothing for so long (600)")
    parser.add_argument("--limit", type=float, default=3600, metavar="SECONDS",
                        help="with --exec: end a machine after so long, whatever it says (3600)")
    return parser


_say_lock = threading.Lock()


def _say(text):
    with _say_lock:
        print(f"==> {text}", flush=True)


def _new_folder():
    """The folder of this run, held. Those of older runs but the last few are removed."""
    runs = PROJECT / "build/kernels"
    folder = runs / time.strftime(f"%Y-%m-%d-%H%M%S-{os.getpid()}")
    folder.mkdir(parents=True)
    held.hold(folder)
    for old in sorted(each for each in runs.glob("2*-*-*") if each.is_dir())[:-KEPT_RUNS]:
        held.remove_unless_held(old)
    link = runs / f".latest-{os.getpid()}"
    link.symlink_to(folder.name)
    link.rename(runs / "latest")
    return folder


def _build(preset):
    words = '. scripts/common.sh; scripts/deps; build_quietly "$1"'
    if subprocess.run(["bash", "-euc", words, "test-kernels", preset], cwd=PROJECT).returncode != 0:
        raise plan.PlanError(f"build/{preset} was not built")


def _jobs(options, build):
    jobs = plan.jobs(plan.tests_of(plan.ctest_list(build)), options.suites, options.hardware, options.short,
                     options.tests, options.all)
    if not jobs:
        raise plan.PlanError("nothing to run: the plan has no such test on such a machine; --list shows what it "
                             "has, --all takes every test")
    missing = [suite for suite in options.suites if suite not in {job.suite for job in jobs}]
    if missing and options.named_suites:
        raise plan.PlanError(f"nothing to run on {', '.join(missing)}: see --list")
    return jobs


def _list(jobs):
    for job in jobs:
        print(f"{job.suite} on {job.hardware}: {len(job.tests)} tests")
        print(f"    {' '.join(test.name for test in job.tests)}")
        if job.unknown:
            print(f"    not in ctest: {' '.join(job.unknown)}")
    return 0


def _test(options, build):
    jobs = _jobs(options, build)
    kernels = debian.prepare(dict.fromkeys(job.suite for job in jobs), _say)
    folder, began = _new_folder(), time.monotonic()
    _say(f"{len(jobs)} machines, {sum(len(job.tests) for job in jobs)} tests; logs: {folder}")
    # Links to the programs as they are now: a build that goes on meanwhile makes new files.
    programs = shutil.copytree(build / "bin", folder / "bin", copy_function=os.link)
    try:
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            running = [pool.submit(session.run, job, kernels[job.suite], folder / job.name, build / "bin",
                                   pathlib.Path(programs), _say) for job in jobs]
            try:
                columns = [each.result() for each in running]
            except BaseException:
                machine.stopping.set()
                pool.shutdown(cancel_futures=True)
                raise
    finally:
        shutil.rmtree(programs)
    lines = table.lines(columns)
    (folder / "table.txt").write_text("\n".join([*lines, ""]))
    print("\n".join(["", *lines, ""]))
    wrong = table.faults(columns)
    _say(f"{'FAILED' if wrong else 'passed'} in {time.monotonic() - began:.0f} s; logs: {folder}")
    return 1 if wrong else 0


def _exec(options):
    kernels, folder, worst = debian.prepare(options.suites, _say), _new_folder(), 0
    for suite, kernel in kernels.items():
        for hardware in options.hardware or ["veth"]:
            _say(f"{suite} ({kernel.release}) on {hardware}: {options.exec}")
            there = folder / f"{suite}-{hardware}"
            ended = machine.run(kernel, hardware, there, options.exec, options.silence, options.limit,
                                on_line=lambda line: print(line, flush=True))
            if ended.exit_code is None:
                _say(f"{suite} on {hardware}: {ended.why}; console: {there}/console.log")
            worst = max(worst, GUEST_LOST if ended.exit_code is None else ended.exit_code)
    return worst


def _interrupt(*_):
    raise KeyboardInterrupt


def main(arguments):
    options = _parser().parse_args(arguments)
    options.named_suites = bool(options.suites)
    options.suites = list(dict.fromkeys(options.suites or debian.SUITES))
    unknown = [suite for suite in options.suites if suite not in debian.SUITES]
    if unknown:
        raise plan.PlanError(f"no suite {unknown[0]}: there are {', '.join(debian.SUITES)}")
    if options.jobs < 1:
        raise plan.PlanError("--jobs: at least one machine at a time")
    build = PROJECT / "build" / options.preset
    if options.list:
        return _list(_jobs(options, build))
    if os.geteuid() != 0:
        raise plan.PlanError("needs root: guests read this host's files, and taps are made; run it with sudo")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    if options.exec is not None:
        return _exec(options)
    if not options.no_build:
        _build(options.preset)
    return _test(options, build)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (plan.PlanError, debian.Unavailable) as failure:
        print(f"scripts/test-kernels: {failure}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("scripts/test-kernels: interrupted", file=sys.stderr)
        sys.exit(130)
