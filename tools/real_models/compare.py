# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Compares exported models with ONNX Runtime and writes docs/models.md.

  PYTHONPATH=tools:build/python .venv/bin/python -m real_models.compare FOLDER [NAME ...] [--page FILE] [--json FILE]

Each model runs in a process of its own. A difference is the largest of any output at any size, relative to the largest
value of that output. Latency is the median at the first size, the two engines in turn; the ratio is Jitney's divided by
ONNX Runtime's. The share of compiled kernels and library calls is that of the time of all steps; the rest is the
reference interpreter's.
"""
import argparse
import datetime
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

BEGIN, END = "<!-- models:begin -->\n", "<!-- models:end -->"
SECONDS = 1500  # for one model
SETTLE = 0.1  # seconds between two engines
TOLERANCE = 1e-3  # relative to the largest value of an output


def largest_difference(ours, theirs):
    """Relative to the largest value; NaN where NaN is not on both sides."""
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return float("inf")
    if ours.size == 0:
        return 0.0
    if ours.dtype.kind != "f":
        return float((ours != theirs).mean())
    a, b = ours.astype(np.float64), theirs.astype(np.float64)
    same = (a == b) | (np.isnan(a) & np.isnan(b))  # infinities, too
    difference = np.where(same, 0, np.abs(a - b))
    return float(difference.max() / max(np.abs(b[np.isfinite(b)]).max(initial=0), 1e-30))


def latencies(runs, seconds):
    """Medians in ms of the functions, called in turn in blocks, of which the first call is thrown away.

    Each block waits until the threads of the one before have stopped spinning, which would take a core from it.
    """
    times = [[] for _ in runs]
    until = time.monotonic() + seconds
    while time.monotonic() < until or min(map(len, times)) < 3:
        for index, run in enumerate(runs):
            time.sleep(SETTLE)
            run()
            for _ in range(5):
                start = time.perf_counter()
                run()
                times[index].append(time.perf_counter() - start)
    return [1e3 * float(np.median(t)) for t in times]


def compare(path, seconds):
    """A row of the table, as a dictionary."""
    import jitney
    import onnxruntime

    row = {"model": path.stem, "works": False, "why": "", "sizes": []}
    start = time.perf_counter()
    try:
        engine = jitney.load(path)
    except jitney.Error as error:
        return {**row, "why": str(error)}
    row["load_seconds"] = time.perf_counter() - start
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    worst, given = 0.0, None
    for file in sorted(path.parent.glob(f"{path.stem}.*.npz")):
        with np.load(file) as arrays:
            inputs = {name: arrays[name] for name in arrays}
        given = given or inputs
        theirs = session.run(None, inputs)
        try:
            ours = engine.run(inputs)
        except jitney.Error as error:
            return {**row, "why": f"at {file.name.split('.')[-2]}: {error}"}
        row["sizes"].append(file.name.split(".")[-2])
        for value, wanted in zip(ours.values(), theirs):
            found = largest_difference(value, wanted)
            worst = found if not found <= worst else worst
    stats = engine.stats()
    row |= {"difference": worst, "works": worst <= TOLERANCE, "steps": stats["kernels"],
            "interpreted": stats["interpreted"], "failed": stats["failed"],
            "interpreted_operators": stats["interpreted_operators"]}
    if not row["works"]:
        row["why"] = f"its outputs differ by {worst:.2g}"
        return row
    profile = engine.profile(given, 3)
    total = sum(step.seconds for step in profile.steps)
    if total:
        row["compiled_share"] = sum(s.seconds for s in profile.steps if s.done_by != "interpreter") / total
    if seconds:
        ours, theirs = latencies([lambda: engine.run(given), lambda: session.run(None, given)], seconds)
        row |= {"latency_ms": ours, "onnxruntime_ms": theirs, "ratio": ours / theirs}
    return row


def machine():
    """A line for the page."""
    match = re.search(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("onnx", "onnxruntime"))
    return (f"{match.group(1) if match else 'unknown'}, {len(os.sched_getaffinity(0))} cores, load average "
            f"{os.getloadavg()[1]:.1f}; float32; {versions}; {datetime.date.today()}")


def table(rows):
    lines = ["| model | works | largest difference | latency, ms (ratio to ONNX Runtime's) | time in compiled kernels |",
             "|---|---|---|---|---|"]
    for row in rows:
        if not row["works"]:
            lines.append(f"| {row['model']} | no: {row['why']} | | | |")
            continue
        latency = f"{row['latency_ms']:.3g} ({row['ratio']:.2f})" if "ratio" in row else ""
        share = f"{100 * row['compiled_share']:.1f} %" if "compiled_share" in row else (
            "all" if row["interpreted_operators"] == 0 else "")
        lines.append(f"| {row['model']} | yes | {row['difference']:.1e} | {latency} | {share} |")
    return "\n".join(lines)


def in_own_process(path, seconds):
    command = [sys.executable, "-m", "real_models.compare", "--one", str(path), "--seconds", str(seconds)]
    try:
        process = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return {"model": path.stem, "works": False, "why": f"no result in {SECONDS} s"}
    if process.returncode != 0:
        return {"model": path.stem, "works": False,
                "why": f"exit code {process.returncode}: {process.stderr.strip().splitlines()[-1:]}"}
    return json.loads(process.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--page", type=Path, help="write the table into this page, between its markers")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seconds", type=float, default=5, help="of measuring, for each model; 0: none")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(compare(options.one, options.seconds)))
        return 0
    rows = []
    for path in sorted(options.folder.glob("*.onnx")):
        if not options.names or path.stem in options.names:
            rows.append(in_own_process(path, options.seconds))
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    print(table(rows))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    if options.page:
        text = options.page.read_text()
        head, tail = text.split(BEGIN)[0], text.split(END)[1]
        options.page.write_text(f"{head}{BEGIN}{machine()}\n\n{table(rows)}\n{END}{tail}")
    return 0 if rows and all(row["works"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
