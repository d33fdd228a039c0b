"""The results as one table, with reasons and faults below it. Pure.

A column is one machine: {"name", "kernel", "hardware", "results": {test: Result}, "faults": [..]}, where
`faults` are those of the machine itself."""
import typing


class Column(typing.NamedTuple):
    name: str
    kernel: str
    hardware: str
    results: dict
    faults: list = []


def _cell(result, numbers):
    if result is None:
        return "-"
    if result.lost:
        return "LOST"
    marks = "".join(f"[{number}]" for number in dict.fromkeys(numbers[reason] for reason in result.reasons))
    parts = [f"{count} {word}" for count, word in
             ((result.failed, "FAILED"), (result.passed, "passed"), (result.skipped, "skipped")) if count]
    return " ".join([", ".join(parts), marks]).strip()


def _aligned(rows):
    widths = [max(map(len, cells)) for cells in zip(*rows)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def _numbers(columns):
    """Each reason once, numbered in the order of the table."""
    numbers = {}
    for column in columns:
        for result in column.results.values():
            for reason in result.reasons:
                numbers.setdefault(reason, len(numbers) + 1)
    return numbers


def faults(columns):
    """What is wrong, a line for each; empty when the run is good. A machine on which nothing ran is a
    fault: a run of skipped tests alone shows nothing."""
    found = []
    for column in columns:
        found += [f"{column.name}: {fault}" for fault in column.faults]
        for name, result in column.results.items():
            if result.bad:
                found += [f"{column.name}: {name}: {fault}" for fault in result.faults or ["failed"]]
        if not column.faults and not any(each.passed or each.bad for each in column.results.values()):
            found.append(f"{column.name}: nothing ran: every test was skipped")
    return found


def lines(columns):
    """The table, the reasons of what was skipped, and what is wrong."""
    numbers = _numbers(columns)
    names = list(dict.fromkeys(name for column in columns for name in column.results))
    rows = [["kernel", *(column.kernel for column in columns)], ["hardware", *(column.hardware for column in columns)]]
    rows += [[name, *(_cell(column.results.get(name), numbers) for column in columns)] for name in names]
    head, hardware, *body = _aligned(rows)
    out = [head, hardware, "-" * max(map(len, (head, hardware, *body))), *body]
    if numbers:
        out += ["", "skipped:", *(f"  [{number}] {reason}" for reason, number in numbers.items())]
    if wrong := faults(columns):
        out += ["", "wrong:", *(f"  {fault}" for fault in wrong)]
    return out
