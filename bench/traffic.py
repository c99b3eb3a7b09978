# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Shapes that nobody planned for: ./dev bench --traffic [OPTION ...]

Several callers ask one engine, with an empty cache, for many sequence lengths in random order, each of which comes for
the first time somewhere in it. Every answer is compared with a reference. Then the same requests come again: of Jitney
with kernels for any shape alone (strategy none), which is the steady latency that a first-seen shape is measured by; of
its peers as they are. A shape's ratio is its first latency divided by its median in that second pass. Each peer runs in
a process of its own, one after the other, and starts at a length of its own, which counts as its start.
"""
import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE), str(ROOT / "tools")]
from catalog import GPU_MODELS, MODELS, half_model_file, model_file, skeleton  # noqa: E402
from peer import Peer  # noqa: E402
from traffic_report import judge, summary, text  # noqa: E402

PEERS = {"cpu": ["jitney", "onnxruntime", "openvino", "torch-compile"],
         "cuda": ["jitney", "torch", "torch-compile"]}
REFERENCE = {"cpu": "onnxruntime", "cuda": "torch-f32"}
MODEL = {"cpu": "encoder-6x384", "cuda": "encoder-6x384-b8"}


class TrafficPeer(Peer):
    @staticmethod
    def command(kind, options):
        if kind.startswith("jitney"):
            return [str(options.build / "bin" / "jitney-bench-traffic")]
        return [sys.executable, str(HERE / "traffic_worker.py"), kind]


def make_shapes(folder, options):
    """The length that engines start with, and those that come; a tensor of token ids for each."""
    chosen = random.Random(options.seed).sample(range(2, options.longest + 1), options.shapes + 1)
    ids = np.random.default_rng(options.seed)
    shapes = []
    for index, length in enumerate(chosen):
        path = Path(folder) / f"ids-{index}.bin"
        ids.integers(0, 1000, (1, length)).astype("int64").tofile(path)
        shapes.append({"input": {"file": str(path), "dtype": "int64", "shape": [1, length]}})
    return shapes


def make_requests(options):
    """Every shape but the first comes, and otherwise at random."""
    order = random.Random(options.seed + 1)
    wanted = list(range(1, options.shapes + 1))
    wanted += order.choices(range(1, options.shapes + 1), k=max(0, options.requests - options.shapes))
    order.shuffle(wanted)
    return wanted


def observed(peer, **ask):
    """The answer, with the part of the processors' time that was this process' own: the rest is noise."""
    own = peer.processor_time()
    answer = peer.ask(**ask)
    cores = min(len(os.sched_getaffinity(0)), ask["callers"])
    return {**answer, "share": (peer.processor_time() - own) / (answer["seconds"] * cores)}


def run_peer(kind, folder, options, request, requests):
    peer = TrafficPeer(kind, Path(folder) / kind, options)
    try:
        is_own = kind.startswith("jitney")
        if is_own and options.device == "cuda":
            request = {**request, "model": str(half_model_file(MODEL["cuda"], GPU_MODELS))}
        started = peer.ask(**request, runtime_cache=f"{peer.folder / 'cache'}/", graphs=options.graphs)
        ask = {"command": "traffic", "callers": options.callers, "requests": requests, "idle": options.idle}
        first = observed(peer, **ask, strategy="lazy")
        steady = observed(peer, **ask, strategy="none")
        figures = summary(first, steady, requests, options.tolerance)
        figures["start"] = started["start"]
        if is_own:
            figures["none_compiled"] = steady["compiled"] - started["compiled"]
        if is_own:
            figures["static"] = against_static(peer, folder, options, request)
        return figures
    finally:
        peer.close()


def against_static(peer, folder, options, request):
    """A few lengths with kernels of their own, beside models that were built for one length."""
    result = []
    for shape in range(1, options.shapes + 1, max(1, options.shapes // options.static))[:options.static]:
        model = onnx.load(request["model"])
        dims = model.graph.input[0].type.tensor_type.shape.dim
        for dim, extent in zip(dims, request["shapes"][shape]["input"]["shape"]):
            dim.dim_value = extent
        path = Path(folder) / f"static-{shape}.onnx"
        onnx.save(model, path)
        result.append({"length": dims[1].dim_value,
                       **peer.ask(command="static", model=str(path), shape=shape, rounds=options.rounds)})
    return result


def reference(folder, options, request):
    kind = REFERENCE[options.device]
    peer = TrafficPeer(kind, Path(folder) / f"reference-{kind}", options)
    try:
        peer.ask(**request, runtime_cache="")
        return peer.ask(command="reference", folder=str(folder))["expected"]
    finally:
        peer.close()


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], prog="./dev bench --traffic")
    parser.add_argument("--device", choices=sorted(PEERS), default="cpu")
    parser.add_argument("--peers", nargs="+", metavar="PEER", help=f"of {PEERS}")
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--shapes", type=int, default=200, help="different lengths (default 200)")
    parser.add_argument("--longest", type=int, help="length (default 256, on a GPU 512)")
    parser.add_argument("--callers", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1, help="of each caller's kernels (default 1)")
    parser.add_argument("--idle", type=float, default=0.5,
                        help="part of its time that a caller rests (default 0.5); at 0 nothing is left for compiling")
    parser.add_argument("--graphs", action="store_true", help="Jitney captures CUDA graphs")
    parser.add_argument("--static", type=int, default=5, help="lengths that are also built statically (default 5)")
    parser.add_argument("--rounds", type=int, default=9, help="in which those take turns (default 9)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=float, default=1e9, help="seconds after which no peer is begun any more")
    parser.add_argument("--spoil", action="store_true", help=argparse.SUPPRESS)  # the reference's answers, for the test
    parser.add_argument("--json", type=Path, help="write all figures")
    parser.add_argument("--build", type=Path, default=ROOT / "build", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.peers = options.peers or PEERS[options.device]
    options.longest = options.longest or (256 if options.device == "cpu" else 512)
    options.tolerance = 1e-3
    if not 0 <= options.idle < 1:
        parser.error("--idle is from 0 to below 1")
    if options.longest - 1 <= options.shapes:
        parser.error(f"there are not {options.shapes + 1} lengths from 2 to {options.longest}")
    return options


def main():
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends the peers and removes their files
    os.environ["LD_LIBRARY_PATH"] = f"{options.build / 'lib'}:{os.environ.get('LD_LIBRARY_PATH', '')}".rstrip(":")
    begin, results = time.time(), {}
    with tempfile.TemporaryDirectory(prefix="jitney-traffic-") as folder:
        table = GPU_MODELS if options.device == "cuda" else MODELS
        request = {"command": "load", "model": str(model_file(MODEL[options.device], table)),
                   "name": skeleton(MODEL[options.device], table).stem, "shapes": make_shapes(folder, options),
                   "first": 0, "device": "cpu" if options.device == "cpu" else "cuda:0", "threads": options.threads,
                   "callers": options.callers}
        for shape, expected in zip(request["shapes"], reference(folder, options, request)):
            shape["expected"] = expected
            if options.spoil:
                (np.fromfile(expected["file"], "float32") + 1).tofile(expected["file"])
        requests = make_requests(options)
        for kind in options.peers:
            if time.time() - begin > options.limit:
                results[kind] = {"failed": "not measured: out of time"}
            else:
                try:
                    results[kind] = run_peer(kind, folder, options, request, requests)
                except RuntimeError as error:
                    results[kind] = {"failed": str(error)}
            print(text(kind, results[kind]), flush=True)
    verdict = judge(results.get("jitney", {}))
    print(*verdict, sep="\n")
    document = {"options": {k: str(v) for k, v in vars(options).items()}, "seconds": round(time.time() - begin),
                "peers": results, "verdict": verdict}
    if options.json:
        options.json.write_text(json.dumps(document, indent=1) + "\n")
    return 1 if "failed" in results.get("jitney", {}) or any(f.get("wrong") for f in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
