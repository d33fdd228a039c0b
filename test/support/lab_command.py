"""The command line of scripts/lab."""
import argparse
import os
import sys

from support import lab as lab_module
from support import netns
from support.lab import DECAPSULATIONS, Lab, LabError


def _parser():
    parser = argparse.ArgumentParser(
        prog="scripts/lab", formatter_class=argparse.RawDescriptionHelpFormatter,
        description=lab_module.__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="up|down|status|exec")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--prefix", default="gwlab", help="of the names of the namespaces (gwlab)")
    up = commands.add_parser("up", parents=[common], help="bring the lab up")
    up.add_argument("--backends", type=int, default=3, metavar="N", help="backends (3)")
    up.add_argument("--lbs", type=int, default=1, metavar="N", help="load balancers (1)")
    up.add_argument("--queues", type=int, default=2, metavar="N", help="queues of each veth (2)")
    up.add_argument("--decap", choices=DECAPSULATIONS, default="auto",
                    help="how backends decapsulate: the kernel's GRE device, or guideway decap (auto)")
    up.add_argument("--bgp", action="store_true",
                    help="the router learns the VIP by BGP: BIRD, and a gobgpd beside each load balancer")
    up.add_argument("--bin", metavar="DIR", help="built programs (build/dev/bin)")
    commands.add_parser("down", parents=[common], help="remove all of it")
    commands.add_parser("status", parents=[common], help="show what is up; exit 1 when nothing is")
    run = commands.add_parser("exec", parents=[common], help="run a command inside a namespace: exec client curl ..")
    run.add_argument("name", help="client, router, lb1, be1, ..")
    run.add_argument("words", nargs=argparse.REMAINDER, metavar="CMD")
    return parser


def main(arguments):
    options = _parser().parse_args(arguments)
    if options.command == "up":
        lab = Lab(options.prefix, options.backends, options.lbs, options.queues, options.decap, options.bin,
                  options.bgp)
        with lab.held():
            lab.up(say=lambda text: print(f"==> lab {options.prefix}: {text}", flush=True))
            print("\n".join(lab.describe()))
        return 0
    lab = Lab(options.prefix)
    if options.command == "down":
        with lab.held():
            print(f"==> lab {options.prefix}: down", flush=True)
            lab.down()
        return 0
    if options.command == "status":
        lines = lab.describe()
        print("\n".join(lines) if lines else f"lab {options.prefix}: not up")
        return 0 if lines else 1
    if not netns.exists(lab.ns(options.name)) or not options.words:
        raise LabError(f"exec: no namespace {lab.ns(options.name)}" if options.words else "exec: which command?")
    os.execvp("ip", netns.exec_command(lab.ns(options.name), options.words))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (LabError, netns.CommandFailed) as failure:
        sys.exit(f"scripts/lab: {failure}")
