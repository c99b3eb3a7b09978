# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What bench/traffic.py says about what it measured."""
import statistics

QUANTILES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}
MOST_STALL = 1.5  # p99.9 of first-seen shapes, to the generic kernels' steady latency
MOST_STATIC = 1.05


def quantiles(values):
    ordered = sorted(values)

    def at(q):
        place = q * (len(ordered) - 1)
        low = int(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
    return {name: at(q) for name, q in QUANTILES.items()}


def summary(first_pass, second_pass, requests, tolerance):
    """Figures of one peer; requests are indices of shapes, and answers [begin, seconds, error, processor
    time], in the same order."""
    seen, again, steady, processor, steady_processor = {}, [], {}, {}, {}
    order = sorted(range(len(requests)), key=lambda i: first_pass["answers"][i][0])
    for i in order:
        if requests[i] in seen:
            again.append(first_pass["answers"][i][1])
        else:
            _, seen[requests[i]], _, processor[requests[i]] = first_pass["answers"][i]
    for i, shape in enumerate(requests):
        steady.setdefault(shape, []).append(second_pass["answers"][i][1])
        steady_processor.setdefault(shape, []).append(second_pass["answers"][i][3])
    typical = {shape: statistics.median(times) for shape, times in steady.items()}
    errors = [a[2] for a in first_pass["answers"] + second_pass["answers"]]
    keep = ("compiled", "specialized", "specialized_kernels", "kept_shapes", "waiting", "graphs", "device_bytes")
    return {
        "first": quantiles(seen.values()), "again": quantiles(again),
        "steady": quantiles([t for times in steady.values() for t in times]),
        "ratio": quantiles([seen[s] / typical[s] for s in seen]),
        "noise": quantiles([t / typical[s] for s, times in steady.items() for t in times]),
        "processor": quantiles([processor[s] / max(statistics.median(steady_processor[s]), 1e-9) for s in seen]),
        "share": [first_pass["share"], second_pass["share"]],
        "wrong": sum(not e <= tolerance for e in errors), "answers": len(errors), "worst": max(errors),
        "throughput": len(requests) / first_pass["seconds"],
        "steady_throughput": len(requests) / second_pass["seconds"],
        "memory": first_pass["memory"], "memory_later": second_pass["memory"],
        "counts": {k: first_pass[k] for k in keep if k in first_pass},
    }


def row(values, factor=1.0):
    return " ".join(f"{name} {value * factor:8.2f}" for name, value in values.items())


def text(kind, f):
    if "failed" in f:
        return f"{kind}\n  {f['failed']}"
    mib = {k: v / 2**20 for k, v in f["memory"].items()}
    lines = [
        kind,
        f"  start                  {f['start']:.2f} s",
        f"  first-seen shapes, ms  {row(f['first'], 1e3)}",
        f"  shapes seen again      {row(f['again'], 1e3)}",
        f"  steady                 {row(f['steady'], 1e3)}",
        f"  first to its steady    {row(f['ratio'])}",
        f"  steady to its median   {row(f['noise'])}",
        f"  the same, own threads  {row(f['processor'])} (processor time)",
        f"  share of processors    {f['share'][0]:.0%} with new shapes, {f['share'][1]:.0%} steady",
        f"  requests a second      {f['throughput']:.1f} with new shapes, {f['steady_throughput']:.1f} steady",
        f"  memory, MiB            before {mib['before']:.0f}, peak {mib['peak']:.0f}, after {mib['after']:.0f}, after the "
        f"steady pass {f['memory_later']['after'] / 2**20:.0f}",
        f"  wrong answers          {f['wrong']} of {f['answers']}; the largest error {f['worst']:.2g}"]
    if f["counts"]:
        lines.append("  counts                 " + ", ".join(f"{k} {v}" for k, v in f["counts"].items()))
    for s in f.get("static", []):
        lines.append(f"  length {s['length']:<4}            own kernels {s['own'] * 1e3:.3f} ms, built for it "
                     f"{s['static'] * 1e3:.3f}, ratio {s['ratio']:.3f}")
    return "\n".join(lines)


def judge(jitney):
    """The promises, one line each."""
    if "ratio" not in jitney:
        return ["not judged: there are no figures"]

    def line(name, value, most):
        return f"{'kept  ' if value <= most else 'MISSED'} {name}: {value:.2f}, allowed {most:.2f}"
    lines = [line("p99.9 of first-seen shapes to p99.9 of the generic kernels' steady latency",
                  jitney["first"]["p99.9"] / jitney["steady"]["p99.9"], MOST_STALL),
             line("p99.9 over shapes of the first latency to the shape's own steady median",
                  jitney["ratio"]["p99.9"], MOST_STALL),
             line("wrong answers", jitney["wrong"], 0),
             line("kernels compiled by a strategy of none after the first shape", jitney["none_compiled"], 0)]
    if jitney.get("static"):
        lines.append(line("specialized to a static build, the median of lengths",
                          statistics.median(s["ratio"] for s in jitney["static"]), MOST_STATIC))
    return lines
