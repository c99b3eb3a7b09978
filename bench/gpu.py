# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Jitney side by side with PyTorch on a GPU, in float16 with the same weights: ./dev gpu-bench [OPTION ...]

Every engine runs in a process of its own, one after the other: a GPU that two share tells nothing. Outputs are compared
with PyTorch's in float32 (no TF32) before any time counts: the cosine must be at least 0.999. Two latencies: "call", from
a call with inputs and outputs on the device until its result is there, the median of many; and "each", of one run among
many that were enqueued back to back. Convolutional networks are given to PyTorch in both layouts, and its better one
counts. What does not fit the time (--limit) is said to be missing, never guessed.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE), str(ROOT / "tools")]
from catalog import GPU_MODELS, half_model_file, make_inputs, model_file, skeleton  # noqa: E402
from peer import Peer  # noqa: E402

OURS = ("jitney", "torch-jitney")  # the second through torch.compile(backend="jitney")
PEERS = [*OURS, "eager", "graph", "reduce-overhead", "max-autotune"]
IMAGES = ("resnet18", "resnet50-b8", "mobilenet_v2")
COSINE = 0.999


class GpuPeer(Peer):
    @staticmethod
    def command(kind, options):
        if kind == "jitney":
            return [str(options.build / "bin" / "jitney-bench-worker")]
        return [sys.executable, str(HERE / "gpu_worker.py"), kind]


def cosine(found, expected):
    pairs = [(f.astype(np.float64).ravel(), e.astype(np.float64).ravel()) for f, e in zip(found, expected)]
    return min(float(f @ e / max(np.linalg.norm(f) * np.linalg.norm(e), 1e-30)) for f, e in pairs)


def variants(name, peers):
    """(kind, layout) in the order of being measured: what takes minutes to compile comes last."""
    return [(kind, layout) for kind in peers
            for layout in (["plain"] if kind in OURS or name not in IMAGES else ["channels-last", "plain"])
            if not (kind == "max-autotune" and layout == "plain" and name in IMAGES)]


def requests(name, folder):
    inputs = make_inputs(name, folder, GPU_MODELS)
    common = {"command": "load", "name": skeleton(name, GPU_MODELS).stem, "inputs": inputs, "threads": 0}
    torch = {**common, "model": str(model_file(name, GPU_MODELS))}
    jitney = {**common, "model": str(half_model_file(name, GPU_MODELS)), "device": "cuda:0"}
    return torch, jitney


def start(kind, layout, folder, options, request):
    """Starts a process that shares the folder's cache with its earlier starts."""
    number = len(list(Path(folder).glob(f"{kind}-{layout}-*")))
    peer = GpuPeer(kind, Path(folder) / f"{kind}-{layout}-{number}", options)
    try:
        cache = Path(folder) / f"cache-{kind}-{layout}"
        return peer, peer.ask(**request, layout=layout, runtime_cache=f"{cache}/")
    except BaseException:
        peer.close()
        raise


def measure_one(name, kind, layout, folder, options, request, expected):
    peer, cold = start(kind, layout, folder, options, request)
    try:
        figures = {"cold": cold, "cosine": cosine(peer.outputs(), expected)}
        if not figures["cosine"] >= COSINE:
            raise RuntimeError(f"wrong: the cosine to float32 is {figures['cosine']:.6f}, allowed is {COSINE}")
        times = peer.ask(command="block", seconds=options.seconds)["times"]
        figures["call"] = statistics.median(times)
        bursts = [peer.ask(command="burst", runs=options.runs) for _ in range(5)]
        figures["each"] = statistics.median(b["each"] for b in bursts)
        figures["enqueue"] = statistics.median(b["enqueue"] for b in bursts)
        figures["enqueue_alone"] = statistics.median(peer.ask(command="enqueue", runs=200)["times"])
        if kind == "torch-jitney":
            figures["dynamo"] = statistics.median(peer.ask(command="dynamo", runs=200)["times"])
        if kind == "jitney" and options.profile:
            figures["steps"] = peer.ask(command="profile")["steps"]
    finally:
        peer.close()
    if kind in OURS or options.warm:
        peer, figures["warm"] = start(kind, layout, folder, options, request)
        peer.close()
    return figures


def reference(folder, options, request):
    peer, start_figures = start("f32", "plain", folder, options, request)
    try:
        return peer.outputs(), start_figures
    finally:
        peer.close()


def line(label, f):
    if "failed" in f:
        return f"  {label:30} {f['failed']}"
    warm = f"; warm {f['warm']['first']:.2f}" if "warm" in f else ""
    dynamo = f" ({f['dynamo'] * 1e6:.1f} of Dynamo's own)" if "dynamo" in f else ""
    return (f"  {label:30} call {f['call'] * 1e6:8.1f} us, each {f['each'] * 1e6:8.1f}, enqueue "
            f"{f['enqueue_alone'] * 1e6:6.1f}{dynamo}, first {f['cold']['first']:.2f} s{warm}, cosine {f['cosine']:.6f}")


def best_ratio(results, what):
    """Jitney's figure divided by the best peer's."""
    peers = {label: f for label, f in results.items() if what in f and label not in OURS}
    if not peers or what not in results.get("jitney", {}):
        return None
    best = min(peers, key=lambda label: peers[label][what])
    return {"peer": best, "ratio": results["jitney"][what] / peers[best][what]}


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], prog="./dev gpu-bench")
    parser.add_argument("--models", nargs="+", choices=GPU_MODELS, default=list(GPU_MODELS), metavar="MODEL",
                        help=f"of {', '.join(GPU_MODELS)}")
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=PEERS, metavar="PEER",
                        help=f"of {', '.join(PEERS)}")
    parser.add_argument("--seconds", type=float, default=0.5, help="of single calls (default 0.5)")
    parser.add_argument("--runs", type=int, default=50, help="enqueued back to back (default 50)")
    parser.add_argument("--limit", type=float, default=500, help="seconds after which nothing new is begun (default 500)")
    parser.add_argument("--warm", action="store_true", help="start the peers, too, once more with a filled cache")
    parser.add_argument("--profile", action="store_true", help="Jitney's time of each step, in the JSON")
    parser.add_argument("--json", type=Path, help="write all figures")
    parser.add_argument("--build", type=Path, default=ROOT / "build", help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    options = parse()
    # A tree that was moved finds its own libraries.
    for variable, folder in (("LD_LIBRARY_PATH", "lib"), ("PYTHONPATH", "python")):
        os.environ[variable] = f"{options.build.resolve() / folder}:{os.environ.get(variable, '')}".rstrip(":")
    begin = time.time()
    results = {name: {} for name in options.models}
    machine = {"commit": commit()}
    with tempfile.TemporaryDirectory(prefix="jitney-gpu-bench-") as folder:
        prepared = {}
        for name in options.models:
            its_folder = Path(folder) / name
            its_folder.mkdir()
            torch, jitney = requests(name, its_folder)
            expected, started = reference(its_folder, options, torch)
            machine.update({k: started[k] for k in ("gpu", "version", "cuda")})
            prepared[name] = (its_folder, torch, jitney, expected)
        for round_peers in ([p for p in options.peers if p != "max-autotune"],
                            [p for p in options.peers if p == "max-autotune"]):
            for name in options.models:
                its_folder, torch, jitney, expected = prepared[name]
                for kind, layout in variants(name, round_peers):
                    label = kind if layout == "plain" else f"{kind} {layout}"
                    if time.time() - begin > options.limit:
                        figures = {"failed": "not measured: out of time"}
                    else:
                        try:
                            figures = measure_one(name, kind, layout, its_folder, options,
                                                  jitney if kind == "jitney" else torch, expected)
                        except RuntimeError as error:
                            figures = {"failed": str(error)}
                    results[name][label] = figures
                    print(f"{name}\n{line(label, figures)}", flush=True)
    for name, its in results.items():
        for what in ("call", "each"):
            its_ratio = best_ratio(its, what)
            if its_ratio:
                print(f"{name}: {what} {its['jitney'][what] * 1e6:.1f} us, {its_ratio['ratio']:.2f} of {its_ratio['peer']}")
    document = {"machine": machine, "seconds": round(time.time() - begin), "models": results}
    if options.json:
        options.json.write_text(json.dumps(document, indent=1) + "\n")
    failed = [f["failed"] for its in results.values() for label, f in its.items()
              if "failed" in f and (label in OURS or f["failed"].startswith("wrong"))]
    return 1 if failed else 0


def commit():
    """The commit that was measured: recorded by the package, else asked of git."""
    record = ROOT / "COMMIT"
    if record.exists():
        return record.read_text().strip()
    asked = subprocess.run(["git", "-C", str(ROOT), "describe", "--always", "--dirty"], capture_output=True, text=True)
    return asked.stdout.strip() or os.environ.get("JITNEY_COMMIT", "unknown")


if __name__ == "__main__":
    sys.exit(main())
