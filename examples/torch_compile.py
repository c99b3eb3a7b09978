# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""torch.compile with Jitney beside eager PyTorch: python examples/torch_compile.py [--model resnet18] [--batches 1 4]

Any classifier of torchvision, with random weights: nothing is downloaded. Prints the time of the first call (what it
compiled is in the cache of this user, so the next process has it), the latency of both, and how close the results are.
"""
from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import jitney
import torch
import torchvision


def latency(run: Callable[[], object], iterations: int) -> float:
    """Median, in milliseconds."""
    times = []
    for _ in range(iterations + 1):  # the first is not counted
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return 1e3 * statistics.median(times[1:])


def main() -> int:
    parser = argparse.ArgumentParser(description="torch.compile with Jitney beside eager PyTorch")
    parser.add_argument("--model", default="resnet18", help="a classifier of torchvision")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--size", type=int, default=224, help="height and width of the images")
    parser.add_argument("--iterations", type=int, default=10)
    arguments = parser.parse_args()

    torch.manual_seed(0)
    model = torchvision.models.get_model(arguments.model, weights=None).eval()
    # Options are those of jitney.dynamo.CompilationSettings. dynamic=True: one graph for every batch from the start
    # (and one for a batch of 1, which PyTorch keeps apart), rather than one for the first and another for all others.
    compiled = torch.compile(model, backend="jitney", dynamic=True, options={"min_block_size": 3})
    worst = 1.0
    with torch.no_grad():
        for batch in arguments.batches:
            x = torch.randn(batch, 3, arguments.size, arguments.size)
            begin = time.perf_counter()
            found = compiled(x)
            first = time.perf_counter() - begin
            wanted = model(x)
            similarity = float(torch.cosine_similarity(found.flatten(), wanted.flatten(), dim=0))
            worst = min(worst, similarity)
            ours = latency(lambda: compiled(x), arguments.iterations)
            eager = latency(lambda: model(x), arguments.iterations)
            print(f"batch {batch}: first call {first:.2f} s, then {ours:.2f} ms; eager {eager:.2f} ms; "
                  f"cosine similarity {similarity:.7f}")
    for engine in jitney.dynamo.runtime.live_engines():
        stats = engine.stats()
        print(f"engine '{engine.name}': {stats['kernels']} steps, {stats['compiled']} kernels compiled, "
              f"{stats['from_cache']} from the cache")
    return 0 if worst > 0.9999 else 1


if __name__ == "__main__":
    sys.exit(main())
