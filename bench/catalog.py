# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The models that are measured, with seeded weights and inputs: the same for every peer."""
import os
from pathlib import Path

import numpy as np
import onnx
from half import to_half
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

# What is measured on a GPU, in float16; token ids stay int64.
GPU_MODELS = {
    "mlp-b8": ("tests/models/mlp.onnx", [((8, 1024), "float16")]),
    "resnet18": ("tests/models/resnet18.onnx", [((1, 3, 224, 224), "float16")]),
    "resnet50-b8": ("bench/models/resnet50.onnx", [((8, 3, 224, 224), "float16")]),
    "encoder-12x768": ("bench/models/encoder_12x768.onnx", [((1, 128), "int64")]),
    "encoder-6x384-b8": ("tests/models/encoder.onnx", [((8, 128), "int64")]),
    "mobilenet_v2": ("tests/models/mobilenet_v2.onnx", [((1, 3, 224, 224), "float16")]),
}


def skeleton(name, table=None):
    return ROOT / (table or MODELS)[name][0]


def _made(source, target, make):
    """`target`, made by make(part) where it is missing or older than its source."""
    if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(f".{os.getpid()}.part")
        make(part)
        part.rename(target)
    return target


def model_file(name, table=None):
    """The model with its weights; filled once."""
    source = skeleton(name, table)
    return _made(source, ROOT / ".cache" / "bench" / source.name, lambda part: fill_file(source, part))


def half_model_file(name, table=None):
    """The same in float16."""
    source = model_file(name, table)
    return _made(source, source.with_suffix(".f16.onnx"), lambda part: onnx.save(to_half(onnx.load(source)), part))


def input_names(name):
    return [i.name for i in onnx.load(skeleton(name), load_external_data=False).graph.input]


def make_inputs(name, folder, table=None):
    """Writes INDEX.bin and, for `jitney run`, INDEX.npy into the folder. What a worker is told about them."""
    random = np.random.default_rng(0)
    made = []
    for index, (shape, dtype) in enumerate((table or MODELS)[name][1]):
        value = random.integers(0, 1000, shape) if dtype == "int64" else random.standard_normal(shape)
        path = Path(folder) / f"{index}.bin"
        value.astype(dtype).tofile(path)
        np.save(path.with_suffix(".npy"), value.astype(dtype))
        made.append({"file": str(path), "dtype": dtype, "shape": list(shape)})
    return made
