# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What a benchmark run prints and writes."""
import datetime
import importlib.metadata
import os
import platform
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
PACKAGES = ["onnxruntime", "openvino", "torch", "numpy"]
FLAGS = ["avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16"]


def milliseconds(seconds):
    return f"{seconds * 1e3:.3g}" if seconds < 1 else f"{seconds * 1e3:.0f}"


def text(name, figures):
    lines = [name]
    for peer, f in figures.items():
        if "failed" in f:
            lines.append(f"  {peer:17} {f['failed']}")
            continue
        ratio = ""
        if "jitney_ratio" in f and peer != "jitney":
            low, high = f["ratio_spread"]
            ratio = f"jitney / it = {f['jitney_ratio']:.2f} ({low:.2f} to {high:.2f})"
        lines.append(f"  {peer:17} {milliseconds(f['latency']):>7} ms  first result {f['start']['first'] * 1e3:6.0f} ms  "
                     f"{f['peak_memory'] / 2**20:5.0f} MiB  {ratio}")
    return "\n".join(lines)


def version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def machine(options):
    cpu = Path("/proc/cpuinfo").read_text()
    flags = re.search(r"^flags\s*:(.*)$", cpu, re.M)
    commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return {
        "cpu": (re.search(r"^model name\s*:\s*(.*)$", cpu, re.M) or [None, platform.machine()])[1],
        "cores": len(os.sched_getaffinity(0)),
        "features": [f for f in FLAGS if flags and f in flags[1].split()],
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "kernel": platform.release(),
        "date": datetime.date.today().isoformat(),
        "commit": commit.stdout.strip() or None,
        "threads": options.threads,
        "precision": options.precision,
        "rounds": options.rounds,
        "block": options.block,
        "versions": {p: version(p) for p in PACKAGES},
    }


def markdown(document):
    m, models = document["machine"], document["models"]
    peers = [p for p in next(iter(models.values())) if p != "jitney"]
    versions = ", ".join(f"{name} {v}" for name, v in m["versions"].items() if v and name != "numpy")
    lines = [f"{m['cpu']}, {m['threads']} threads, {', '.join(m['features'])}; {m['precision']}; {versions}; {m['date']}. "
             "Latency in ms, and in brackets Jitney's divided by it (below 1: Jitney is faster).", "",
             "| model | Jitney | " + " | ".join(peers) + " |", "|---" * (len(peers) + 2) + "|"]
    for name, figures in models.items():
        cells = []
        for peer in ["jitney", *peers]:
            f = figures.get(peer, {"failed": "-"})
            if "failed" in f:
                cells.append("-")
            elif peer == "jitney":
                cells.append(milliseconds(f["latency"]))
            else:
                cells.append(f"{milliseconds(f['latency'])} ({f.get('jitney_ratio', float('nan')):.2f})")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write_markdown(path, document):
    before = path.read_text() if path.exists() else f"{BEGIN}\n{END}\n"
    if BEGIN not in before or END not in before:
        raise SystemExit(f"{path} has no {BEGIN} and {END}")
    head, rest = before.split(BEGIN, 1)
    path.write_text(f"{head}{BEGIN}\n{markdown(document)}\n{END}{rest.split(END, 1)[1]}")
