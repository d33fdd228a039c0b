#!/usr/bin/python3
"""Prints the figures of bench_control as a table: report.py FILE, Google Benchmark's JSON."""
import collections
import json
import statistics
import sys

# What was measured, in the order of a reload, and what stands beside it in the same run.
ROWS = (
    ("reading and checking the file", "parse", "yaml_load"),
    ("  YAML::Load of the same text", "yaml_load", None),
    ("describing changes, 1 pool", "describe/changed:1", None),
    ("describing changes, all pools", "describe/changed:100", None),
    ("health: first configuration", "health_first", None),
    ("health: configured again", "health_again", None),
    ("health: standings of all pools", "health_standings", None),
    ("health: an answer to each probe", "health_answers", None),
    ("first snapshot", "compile_first", "floor_tables/tables:100"),
    ("snapshot, no pool changed", "compile_again/changed:0", None),
    ("snapshot, 1 pool changed", "compile_again/changed:1", "floor_tables/tables:1"),
    ("snapshot, all pools changed", "compile_again/changed:100", "floor_tables/tables:100"),
    ("  1 bare Maglev table", "floor_tables/tables:1", None),
    ("  100 bare Maglev tables", "floor_tables/tables:100", None),
)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        report = json.load(file)
    times = collections.defaultdict(list)
    for run in report["benchmarks"]:
        if run["run_type"] != "iteration":
            continue
        if run.get("error_occurred"):
            sys.exit(f"{run['name']}: {run['error_message']}")
        times[run["name"]].append(run["cpu_time"])
    left_out = set(times) - {name for _, name, _ in ROWS}
    if left_out:
        sys.exit(f"bench/control/report.py: no row for {', '.join(sorted(left_out))}; add them to ROWS")

    print("1,000 services, 100 pools, 10,000 backends with a check each; ms of CPU time\n")
    print(f"{'':<34}{'median':>9}  {'least to most':<20}{'beside':>9}{'ratio':>7}")
    for title, name, beside in ROWS:
        median = statistics.median(times[name])
        line = f"{title:<34}{median:>9.2f}  {f'{min(times[name]):.2f} to {max(times[name]):.2f}':<20}"
        if beside:
            floor = statistics.median(times[beside])
            line += f"{floor:>9.2f}{median / floor:>7.2f}"
        print(line.rstrip())


if __name__ == "__main__":
    main()
