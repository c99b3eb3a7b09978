# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The models that are measured, with seeded weights and inputs: the same for every peer."""
import os
from pathlib import Path

import numpy as np
import onnx
from models import fill_file

ROOT = Path(__file__).resolve().parent.parent

PAST = 128  # positions that the decoder has in its cache

# name: (skeleton or model, [(shape, dtype) of each input])
MODELS = {
    "digits": ("models/digits/digits.onnx", [((1, 1, 8, 8), "float32")]),
    "mlp-b1": ("tests/models/mlp.onnx", [((1, 1024), "float32")]),
    "mlp-b64": ("tests/models/mlp.onnx", [((64, 1024), "float32")]),
    "resnet18": ("tests/models/resnet18.onnx", [((1, 3, 224, 224), "float32")]),
    "resnet50": ("bench/models/resnet50.onnx", [((1, 3, 224, 224), "float32")]),
    "mobilenet_v2": ("tests/models/mobilenet_v2.onnx", [((1, 3, 224, 224), "float32")]),
    "encoder-6x384": ("tests/models/encoder.onnx", [((1, 128), "int64")]),
    "encoder-12x768": ("bench/models/encoder_12x768.onnx", [((1, 128), "int64")]),
    "vit_b_16": ("bench/models/vit_b_16.onnx", [((1, 3, 224, 224), "float32")]),
    "gpt2-step": ("bench/models/gpt2_step.onnx", [((1, 1), "int64"), *[((1, 12, PAST, 64), "float32")] * 24]),
}


def skeleton(name):
    return ROOT / MODELS[name][0]


def model_file(name):
    """The model with its weights; filled once."""
    source = skeleton(name)
    target = ROOT / ".cache" / "bench" / source.name
    if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(f".{os.getpid()}.part")
        fill_file(source, part)
        part.rename(target)
    return target


def input_names(name):
    return [i.name for i in onnx.load(skeleton(name), load_external_data=False).graph.input]


def make_inputs(name, folder):
    """Writes INDEX.bin and, for `jitney run`, INDEX.npy into the folder. What a worker is told about them."""
    random = np.random.default_rng(0)
    made = []
    for index, (shape, dtype) in enumerate(MODELS[name][1]):
        value = random.integers(0, 1000, shape) if dtype == "int64" else random.standard_normal(shape)
        path = Path(folder) / f"{index}.bin"
        value.astype(dtype).tofile(path)
        np.save(path.with_suffix(".npy"), value.astype(dtype))
        made.append({"file": str(path), "dtype": dtype, "shape": list(shape)})
    return made
