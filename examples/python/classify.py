# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Classifies handwritten digits: python examples/python/classify.py models/digits/digits.onnx [IMAGES.npy]"""
from __future__ import annotations

import sys

import jitney
import numpy as np
import numpy.typing as npt


def classify(engine: jitney.Engine, images: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    logits = engine.run({"images": images})["logits"]
    best: npt.NDArray[np.int64] = np.argmax(logits, axis=1)
    return best


def main() -> int:
    try:
        engine = jitney.load(sys.argv[1])
    except jitney.UserError as error:
        print(error, file=sys.stderr)
        return 2
    images = np.load(sys.argv[2]) if len(sys.argv) > 2 else np.zeros((1, 1, 8, 8), np.float32)
    for info in engine.inputs:
        print(info.name, info.dtype, info.shape)
    print(classify(engine, images.astype(np.float32)).tolist())
    stats = engine.stats()
    print(f"{stats['compiled']} kernels compiled, {stats['from_cache']} from the cache")
    return 0


if __name__ == "__main__":
    sys.exit(main())
