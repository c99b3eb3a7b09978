# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Jitney side by side with the engines a user would pick instead: ./dev bench [OPTION ...]

Every peer runs in a process of its own, because thread pools that spin in one process falsify each other; the processes
take turns in blocks of half a second. Outputs are compared with the reference peer's before any time counts: a peer
that gives other results is reported as wrong and not timed. Reported is the median over rounds of each block's median,
and the median over rounds of the ratio to Jitney's block of the same round, with the spread of the rounds.
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
import report  # noqa: E402
from models import fill_file  # noqa: E402

# name: (skeleton or model, shape of the input, its dtype)
MODELS = {
    "digits": ("models/digits/digits.onnx", (1, 1, 8, 8), "float32"),
    "mlp-b1": ("tests/models/mlp.onnx", (1, 1024), "float32"),
    "mlp-b64": ("tests/models/mlp.onnx", (64, 1024), "float32"),
    "resnet18": ("tests/models/resnet18.onnx", (1, 3, 224, 224), "float32"),
    "resnet50": ("bench/models/resnet50.onnx", (1, 3, 224, 224), "float32"),
    "mobilenet_v2": ("tests/models/mobilenet_v2.onnx", (1, 3, 224, 224), "float32"),
    "encoder-6x384": ("tests/models/encoder.onnx", (1, 128), "int64"),
    "encoder-12x768": ("bench/models/encoder_12x768.onnx", (1, 128), "int64"),
}
PEERS = ["jitney", "onnxruntime", "openvino", "openvino-default", "torch", "torch-compile"]
REFERENCE = "onnxruntime"
# The largest difference to the reference, relative to its largest value.
TOLERANCE = {"fp32": 1e-3, "bf16": 6e-2}


class WrongResult(Exception):
    pass


class Peer:
    """A worker process. `kind` is its name on the command line; jitney's has a precision, too."""

    def __init__(self, kind, folder, options):
        self.kind = kind
        self.folder = Path(folder) / kind
        self.folder.mkdir()
        command = [sys.executable, str(HERE / "worker.py"), kind]
        if kind.startswith("jitney"):
            command = [str(options.build / "bin" / "jitney-bench-worker")]
        environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads)}
        self.log = open(self.folder / "log", "w")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
                                        text=True, env=environment)

    def ask(self, **request):
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise RuntimeError(f"the process ended (see {self.folder / 'log'})")
        reply = json.loads(line)
        if "error" in reply:
            raise RuntimeError(reply["error"])
        return reply

    def outputs(self):
        return [np.fromfile(o["file"], dtype=o["dtype"]).reshape(o["shape"])
                for o in self.ask(command="outputs", folder=str(self.folder))["outputs"]]

    def close(self):
        try:
            self.process.stdin.write('{"command": "quit"}\n')
            self.process.stdin.close()
            self.process.wait(20)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.log.close()


def model_file(name):
    """The model with its weights; filled once."""
    source = ROOT / MODELS[name][0]
    target = ROOT / ".cache" / "bench" / source.name
    if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(".part")
        fill_file(source, part)
        part.rename(target)
    return target


def make_input(name, folder):
    _, shape, dtype = MODELS[name]
    random = np.random.default_rng(0)
    value = random.integers(0, 1000, shape) if dtype == "int64" else random.standard_normal(shape)
    path = Path(folder) / "input.bin"
    value.astype(dtype).tofile(path)
    return {"file": str(path), "dtype": dtype, "shape": list(shape)}


def disagreement(found, expected, tolerance):
    """What is wrong with the outputs, or None."""
    if [f.shape for f in found] != [e.shape for e in expected]:
        return f"shapes {[f.shape for f in found]} instead of {[e.shape for e in expected]}"
    for f, e in zip(found, expected):
        if not np.isfinite(f).all():
            return "values that are not finite"
        difference = float(np.abs(f - e).max() / max(np.abs(e).max(), 1e-30))
        if difference > tolerance:
            return f"outputs differ by {difference:.2g} of the largest value"
    return None


def measure(name, options):
    """One model: {peer: figures}. A peer that cannot run or is wrong has only "failed", a sentence."""
    peers, figures = {}, {}
    precision = options.precision
    torch_name = Path(MODELS[name][0]).stem
    with tempfile.TemporaryDirectory(prefix="jitney-bench-") as folder:
        spec = make_input(name, folder)
        expected = None
        try:
            for kind in sorted(options.peers, key=lambda k: k != REFERENCE):
                peer = Peer(kind, folder, options)
                try:
                    figures[kind] = {"start": peer.ask(command="load", model=str(model_file(name)), name=torch_name,
                                                       inputs=[spec], threads=options.threads, precision=precision)}
                    found = peer.outputs()
                    expected = found if expected is None else expected
                    low = (kind == "jitney" and precision == "bf16") or kind == "openvino-default"
                    tolerance = TOLERANCE["bf16" if low else "fp32"]
                    if kind == options.spoil:
                        found = [f + 1 for f in found]
                    if problem := disagreement(found, expected, tolerance):
                        raise WrongResult(problem)
                    peers[kind] = peer
                except (RuntimeError, WrongResult) as error:
                    figures[kind] = {"failed": f"{'wrong: ' if isinstance(error, WrongResult) else ''}{error}"}
                    peer.close()
            blocks = {kind: [] for kind in peers}
            for turn in range(options.rounds):
                # Every other round backwards, so that nobody always follows the same neighbour.
                for kind in sorted(peers, reverse=bool(turn % 2)):
                    time.sleep(0.02)
                    times = peers[kind].ask(command="block", seconds=options.block)["times"]
                    blocks[kind].append(statistics.median(times))
            for kind, peer in peers.items():
                figures[kind]["latency"] = statistics.median(blocks[kind])
                figures[kind]["fastest_block"] = min(blocks[kind])
                figures[kind]["peak_memory"] = peer.ask(command="memory")["peak"]
                if "jitney" in blocks:
                    ratios = [j / b for j, b in zip(blocks["jitney"], blocks[kind])]
                    figures[kind]["jitney_ratio"] = statistics.median(ratios)
                    figures[kind]["ratio_spread"] = [min(ratios), max(ratios)]
        finally:
            for peer in peers.values():
                peer.close()
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], prog="./dev bench")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS), metavar="MODEL",
                        help=f"of {', '.join(MODELS)}")
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=PEERS, metavar="PEER",
                        help=f"of {', '.join(PEERS)}")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32", help="Jitney's; the peers have their own")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--block", type=float, default=0.5, help="seconds of one turn (default 0.5)")
    parser.add_argument("--quick", action="store_true", help="3 rounds of 0.1 s: whether it works, not how fast it is")
    parser.add_argument("--json", type=Path, help="write all figures and the machine's description")
    parser.add_argument("--markdown", type=Path, help="write the table between the bench markers of this file")
    parser.add_argument("--build", type=Path, default=ROOT / "build", help=argparse.SUPPRESS)
    parser.add_argument("--spoil", help=argparse.SUPPRESS)  # a peer whose outputs are made wrong, for the test
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.block = 3, 0.1
    results = {}
    for name in options.models:
        results[name] = measure(name, options)
        print(report.text(name, results[name]), flush=True)
    document = {"machine": report.machine(options), "models": results}
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(document, indent=1) + "\n")
    if options.markdown:
        report.write_markdown(options.markdown, document)
    return 0 if all("failed" not in r.get("jitney", {}) for r in results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
