# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What a benchmark run prints and writes."""
import datetime
import importlib.metadata
import os
import platform
import re
import subprocess
from pathlib import Path

import fusion

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
PACKAGES = ["onnxruntime", "openvino", "torch", "numpy"]
FLAGS = ["avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16"]
# More of a core than this, used by others or by peers that should wait, is worth a line.
NOTICED = 0.05


def milliseconds(seconds):
    return f"{seconds * 1e3:.3g}" if seconds < 1 else f"{seconds * 1e3:.0f}"


def text(name, figures):
    """One line a peer: latency with the range of its blocks, ratio to the best peer, starts, memory."""
    lines = [f"{name:17} {'ms':>7}  {'blocks':>13}  {'to the best peer':27} {'cold':>6} {'warm':>6} {'imports':>7}"
             "  MiB  precision"]
    for peer, f in figures.items():
        if "failed" in f:
            lines.append(f"  {peer:15} {f['failed']}")
            continue
        latency = blocks = best = memory = ""
        if "latency" in f:
            latency, memory = milliseconds(f["latency"]), f"{f['peak_memory'] / 2**20:.0f}"
            blocks = f"{milliseconds(min(f['blocks']))}..{milliseconds(max(f['blocks']))}"
        if b := f.get("to_best"):
            low, high = b["spread"]
            best = f"{b['ratio']:.2f} ({low:.2f}..{high:.2f})" if b["peer"] != peer else "the best"
        process = f.get("process", {})
        start = " ".join(f"{process[k]['median'] * 1e3:{w}.0f}" if k in process else " " * w
                         for k, w in (("cold", 6), ("warm", 6), ("imports", 7)))
        lines.append(f"  {peer:15} {latency:>7}  {blocks:>13}  {best:27} {start} {memory:>4}  {f.get('precision', '')}")
        if "failed" in process:
            lines.append(f"    starts failed: {process['failed']}")
        if process.get("first_call"):
            cold, warm = process["first_call"]
            lines.append(f"    the first run of a loaded model: {cold * 1e3:.0f} ms in a cold process, {warm * 1e3:.0f} in a warm one")
        if process.get("compiled_warm"):
            lines.append(f"    a warm start compiled {process['compiled_warm']} kernels")
        if f.get("idle_load", 0) > NOTICED:
            lines.append(f"    uses {f['idle_load']:.2f} cores while it should wait: the others' times are doubtful")
        if f.get("other_load", 0) > NOTICED:
            lines.append(f"    meanwhile others used {f['other_load']:.2f} cores")
    return "\n".join(line.rstrip() for line in lines)


def cold_start_bound(process, kernels, cores):
    """Seconds that a cold start may take: a warm one, 60 ms, 50 ms for each kernel on each core; 1 s at most."""
    return min(1.0, process["warm"]["median"] + 0.06 + 0.05 * kernels / cores)


def promises(figures, fused, options):
    """Lines on one model: what fusion leaves, and whether its cold start is within its bound."""
    if "failed" in fused:
        return [f"  fusion: {fused['failed']}"]
    lines = [f"  {fused['operators']} operators in {fused['steps']} steps, {fused['kernels']} distinct kernels; bytes "
             f"moved {fused['unfused_bytes'] / 2**20:.3g} MiB each by itself, {fused['fused_bytes'] / 2**20:.3g} fused"]
    if "jitney_ratio" in figures.get("jitney-generic", {}):
        generic = 1 / figures["jitney-generic"]["jitney_ratio"]
        lines.append(f"  generic kernels take {generic:.2f} of the time of specialized ones, 1.5 allowed"
                     f"{'' if generic <= 1.5 else ': BROKEN'}")
    for kind in ("jitney", "jitney run"):
        process = figures.get(kind, {}).get("process", {})
        if "cold" in process:
            bound = cold_start_bound(process, fused["kernels"], min(options.threads, len(os.sched_getaffinity(0))))
            cold = process["cold"]["median"]
            lines.append(f"  {kind}: cold start {cold * 1e3:.0f} ms of {bound * 1e3:.0f} allowed"
                         f"{'' if cold <= bound else ': BROKEN'}")
    return lines


def version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def first_line(path):
    """Of a file that not every machine has."""
    try:
        return Path(path).read_text().splitlines()[0]
    except (OSError, IndexError):
        return None


def git(*arguments):
    try:
        process = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True)
    except OSError:
        return None
    return process.stdout.strip() if process.returncode == 0 else None


def machine(options):
    cpu = Path("/proc/cpuinfo").read_text()
    flags = re.search(r"^flags\s*:(.*)$", cpu, re.M)
    return {
        "cpu": (re.search(r"^model name\s*:\s*(.*)$", cpu, re.M) or [None, platform.machine()])[1],
        "cores": len(os.sched_getaffinity(0)),
        "features": [f for f in FLAGS if flags and f in flags[1].split()],
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "governor": first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "virtual": "hypervisor" in (flags[1] if flags else ""),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "date": datetime.date.today().isoformat(),
        "commit": git("rev-parse", "--short", "HEAD"),
        "changed_since": bool(git("status", "--porcelain", "--untracked-files=no")),
        "load_average": os.getloadavg()[1],
        "threads": options.threads,
        "precision": options.precision,
        "rounds": options.rounds,
        "block": options.block,
        "versions": {p: version(p) for p in PACKAGES},
    }


def table(header, rows):
    return [f"| {' | '.join(header)} |", "|---" * len(header) + "|", *(f"| {' | '.join(r)} |" for r in rows)]


def latencies(models, peers):
    rows = []
    for name, figures in models.items():
        cells = [name]
        for peer in ["jitney", *peers]:
            f = figures.get(peer, {})
            if "latency" not in f:
                cells.append("wrong" if f.get("failed", "").startswith("wrong") else "-")
            elif peer == "jitney" or "jitney_ratio" not in f:
                cells.append(milliseconds(f["latency"]))
            else:
                cells.append(f"{milliseconds(f['latency'])} ({f['jitney_ratio']:.2f})")
        best = figures.get("jitney", {}).get("to_best")
        cells.append(f"{best['ratio']:.2f} ({best['spread'][0]:.2f} to {best['spread'][1]:.2f})" if best else "-")
        rows.append(cells)
    return table(["model", "Jitney", *peers, "Jitney to the best of its precision"], rows)


def starts(models, peers):
    rows = []
    for name, figures in models.items():
        cells = [name]
        for peer in ["jitney", *peers]:
            process = figures.get(peer, {}).get("process", {})
            if "warm" not in process:
                cells.append("-")
                continue
            cold, warm = process["cold"]["median"], process["warm"]["median"]
            imports = f"; {(warm - process['imports']['median']) * 1e3:.0f}" if "imports" in process else ""
            memory = f"{figures[peer]['peak_memory'] / 2**20:.0f} MiB"
            cells.append(f"{cold * 1e3:.0f} / {warm * 1e3:.0f}{imports}; {memory}")
        rows.append(cells)
    return table(["model", "Jitney", *peers], rows)


def fusions(fused):
    return table(["model", *fusion.HEADER], [[name, *fusion.row(figures)] for name, figures in fused.items()])


def cold_starts(models, fused, machine):
    rows = []
    for name, figures in models.items():
        process = figures.get("jitney", {}).get("process", {})
        if "cold" not in process or "failed" in fused.get(name, {"failed": ""}):
            continue
        cores = min(machine["threads"], machine["cores"])
        bound, cold = cold_start_bound(process, fused[name]["kernels"], cores), process["cold"]["median"]
        rows.append([name, f"{cold * 1e3:.0f}", f"{bound * 1e3:.0f}", "yes" if cold <= bound else "no"])
    return table(["model", "cold start", "allowed", "kept"], rows) if rows else []


def markdown(document):
    m, models = document["machine"], document["models"]
    peers = list(dict.fromkeys(p for f in models.values() for p in f if not p.startswith("jitney")))
    versions = ", ".join(f"{name} {v}" for name, v in m["versions"].items() if v and name != "numpy")
    lines = [f"{m['cpu']}, {m['threads']} threads, {', '.join(m['features'])}; {m['precision']}; {versions}; "
             f"{m['date']}. Latency in ms, and in brackets Jitney's divided by it (below 1: Jitney is faster).", "",
             *latencies(models, peers)]
    other = max((f.get("other_load", 0) for figures in models.values() for f in figures.values()), default=0)
    if other > NOTICED:
        lines += ["", f"Not a quiet machine: other processes used up to {other:.1f} cores meanwhile."]
    if any("process" in f for figures in models.values() for f in figures.values()):
        lines += ["", "A whole process until its first result, in ms: with an empty cache / with a filled one; for "
                  "Python hosts, then, without what importing takes; and the peak of memory.", "",
                  *starts(models, peers)]
    if fused := document.get("fusion"):
        if bounds := cold_starts(models, fused, m):
            lines += ["", "Cold starts in ms beside their bound: a warm start, 60 ms, and 50 ms for each distinct kernel "
                      "divided by the cores; 1 s at most.", "", *bounds]
        lines += ["", "What fusion leaves: steps are generated kernels and library calls, and bytes count each operand "
                  "once for each step that reads or writes it.", "", *fusions(fused)]
    return "\n".join(lines)


def check_markers(path):
    """The file's text, with markers if it is new."""
    before = path.read_text() if path.exists() else f"{BEGIN}\n{END}\n"
    if BEGIN not in before or END not in before:
        raise SystemExit(f"{path} has no {BEGIN} and {END}")
    return before


def write_markdown(path, document):
    head, rest = check_markers(path).split(BEGIN, 1)
    path.write_text(f"{head}{BEGIN}\n{markdown(document)}\n{END}{rest.split(END, 1)[1]}")
