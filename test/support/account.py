"""What a demonstration says: its steps, what it checked, and whether all of it was right."""
import contextlib

from support.daemon import laws


class Verdict:
    """What was checked, one line each; right only if all of it is."""

    def __init__(self):
        self.right = True

    def check(self, holds, text):
        self.right = self.right and bool(holds)
        print(f"    {'ok ' if holds else 'BAD'} {text}", flush=True)


def step(text):
    print(f"==> {text}", flush=True)


def show(text):
    """What a command printed."""
    print("\n".join(f"    {line}".rstrip() for line in text.splitlines()), flush=True)


def check_laws(verdict, status):
    for what, left, right in laws(status):
        verdict.check(left == right, f"{what}: {left}" + ("" if left == right else f", but {right}"))


def settled_status(daemon, seconds=5):
    """The status once it adds up, or as it is when it does not come to that."""
    with contextlib.suppress(AssertionError):
        return daemon.settle(seconds)
    return daemon.status()
