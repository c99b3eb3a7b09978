# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The demonstration behind ./dev demo: a digits classifier goes through the jitney command.

Runs models/digits/digits.onnx on its held-out images, first with an empty cache, then again, and prints the accuracy,
the cold and the warm start, the latency and where the cache is. Fails if the predictions are not PyTorch's.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "models" / "digits"
WARM_STARTS = 5


class Run:
    """One `jitney run` in a process of its own: its report, its outputs and its wall time."""

    def __init__(self, jitney, cache, images, folder, iterations=0):
        command = [str(jitney), "run", str(MODEL / "digits.onnx"), "--input", f"images={images}", "--output-dir",
                   str(folder), "--runtime-cache", f"{cache}/", "--iterations", str(iterations), "--json"]
        folder.mkdir(parents=True, exist_ok=True)
        started = time.perf_counter()
        process = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        self.wall_ms = 1000 * (time.perf_counter() - started)
        if process.returncode != 0:
            sys.exit(f"demo: {' '.join(command)} failed with exit code {process.returncode}")
        self.report = json.loads(process.stdout)
        self.kernels = self.report["kernels"]
        self.folder = folder

    def predictions(self):
        return np.load(self.folder / Path(self.report["outputs"][0]["file"]).name).argmax(1)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="build folder (default: build)")
    parser.add_argument("--work", type=Path, help="folder for cache and results, emptied first (default: BUILD/demo)")
    options = parser.parse_args(arguments)
    jitney = options.build / "bin" / "jitney"
    if not jitney.exists():
        sys.exit(f"demo: {jitney} is not there; './dev build' makes it")
    work = options.work or options.build / "demo"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    cache = work / "cache"
    images = MODEL / "test_images.npy"
    labels = np.load(MODEL / "test_labels.npy")
    peer = json.loads((MODEL / "accuracy.json").read_text())
    np.save(work / "one_image.npy", np.load(images)[:1])

    cold = Run(jitney, cache, images, work / "cold")
    warm = [Run(jitney, cache, images, work / "warm") for _ in range(WARM_STARTS)]
    one = Run(jitney, cache, work / "one_image.npy", work / "one", iterations=500)
    batch = Run(jitney, cache, images, work / "batch", iterations=200)

    predicted = cold.predictions()
    correct = int((predicted == labels).sum())
    same = np.array_equal(predicted, np.array(peer["predictions"]))
    warm_ms = statistics.median(run.wall_ms for run in warm)
    cores = len(os.sched_getaffinity(0))
    allowed = warm_ms + 60 + 50 * cold.kernels["distinct"] / cores
    one_ms, batch_ms = one.report["latency_ms"]["median"], batch.report["latency_ms"]["median"]
    compiled_later = sum(run.kernels["compiled"] for run in [*warm, one, batch])

    print(f"Handwritten digits: {len(labels)} held-out images through {cold.report['device']}, "
          f"{cold.report['threads']} threads")
    print(f"  accuracy         {100 * correct / len(labels):.2f} % ({correct} of {len(labels)}); {peer['framework']}: "
          f"{100 * peer['accuracy']:.2f} %, predictions {'identical' if same else 'DIFFERENT'}")
    print(f"  cold start       {cold.wall_ms:.0f} ms for the whole process, {cold.kernels['compiled']} kernels compiled "
          f"(goal: at most {allowed:.0f} ms)")
    print(f"  warm start       {warm_ms:.0f} ms, {warm[-1].kernels['compiled']} kernels compiled, "
          f"{warm[-1].kernels['from_cache']} from the cache")
    print(f"  latency          {1000 * one_ms:.0f} us for one image, {1000 * batch_ms:.0f} us for {len(labels)} "
          f"({1000 * batch_ms / len(labels):.1f} us each)")
    print(f"  another shape    {one.kernels['compiled']} kernels compiled: generic kernels take any batch size")
    print(f"  cache            {cold.report['cache']['path']}")
    if not same or correct != peer["correct"]:
        sys.exit("demo: the predictions differ from PyTorch's")
    if compiled_later or cold.kernels["compiled"] == 0:
        sys.exit("demo: kernels were compiled in a warm process, or none in the cold one")
    return 0


if __name__ == "__main__":
    sys.exit(main())
