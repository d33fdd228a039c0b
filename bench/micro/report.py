#!/usr/bin/python3
"""Prints the figures of bench_micro as tables: report.py FILE, Google Benchmark's JSON."""
import collections
import json
import statistics
import sys

FLOWS = {"1": "1", "1000": "1 thousand", "1000000": "1 million", "0": "all new"}
BATCH = 64


def spread(values):
    """Median, least and most, as text."""
    return f"{statistics.median(values):7.1f} ({min(values):.1f} to {max(values):.1f})"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        report = json.load(file)
    times = collections.defaultdict(list)
    hits = {}
    for run in report["benchmarks"]:
        if run["run_type"] != "iteration":
            continue
        if run.get("error_occurred"):
            sys.exit(f"{run['name']}: {run['error_message']}")
        name = run["name"]
        times[name].append(run["cpu_time"])
        hits[name] = run.get("hit_percent")

    print("ns a packet, CPU time: median (least to most)\n")
    print(f"{'flows':<12}{'pipeline':>24}{'floor':>24}{'ratio':>8}{'restore':>10}{'hits':>9}")
    for flows, title in FLOWS.items():
        packet = {kind: [ns / BATCH for ns in times[f"{kind}/flows:{flows}"]]
                  for kind in ("pipeline", "floor", "restore")}
        middle = {kind: statistics.median(values) for kind, values in packet.items()}
        print(f"{title:<12}{spread(packet['pipeline']):>24}{spread(packet['floor']):>24}"
              f"{middle['pipeline'] / middle['floor']:>8.1f}{middle['restore']:>10.1f}"
              f"{hits[f'pipeline/flows:{flows}']:>7.1f} %")

    print("\nMaglev table, ms to build: median (least to most)\n")
    builds = [(dict(piece.split(":") for piece in name.split("/")[1:]), values)
              for name, values in times.items() if name.startswith("maglev_build")]
    order = ("1", "0")  # equal weights, random ones, then one heavy member
    for part, values in sorted(builds, key=lambda build: (
            order.index(build[0]["heavy"]) if build[0]["heavy"] in order else len(order),
            int(build[0]["size"]), int(build[0]["members"]))):
        weights = {"1": "equal weights", "0": "weights 1 to 100"}.get(
            part["heavy"], f"one weighs {part['heavy']}")
        title = f"{part['size']} x {part['members']}, {weights}"
        print(f"{title:<36}{spread(values)}")


if __name__ == "__main__":
    main()
