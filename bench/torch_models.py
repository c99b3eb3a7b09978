# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The PyTorch module behind a benchmark's ONNX file, with the file's weights.

The exporter folds a batch normalization into the convolution before it, so the module's are folded the same way; and it
stores the transposed weight of a linear layer without its name, so those are matched in the order of execution.
"""
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))
import model_zoo  # noqa: E402


def fold_batch_norms(module):
    """Every convolution gets a bias and every normalization after one becomes nothing."""
    for name, child in module.named_children():
        if isinstance(child, nn.Conv2d) and child.bias is None:
            child.bias = nn.Parameter(torch.zeros(child.out_channels))
        elif isinstance(child, nn.BatchNorm2d):
            setattr(module, name, nn.Identity())
        else:
            fold_batch_norms(child)


def build(name, path):
    """Raises KeyError for a parameter that the file does not have, with its name and shape."""
    if name not in model_zoo.MODELS:
        raise KeyError(f"there is no PyTorch module for '{name}'")
    model = model_zoo.MODELS[name][0]()
    fold_batch_norms(model)
    graph = onnx.load(path).graph
    weights = {t.name: np.array(numpy_helper.to_array(t)) for t in graph.initializer}
    unnamed = [weights[n.input[1]] for n in graph.node if n.op_type == "MatMul" and n.input[1] in weights]
    state = model.state_dict()
    for key, value in state.items():
        stem = key.removesuffix(".bias")
        found = weights.get(key, weights.get(f"{stem}.weight_bias"))
        if found is None and key.endswith("weight") and unnamed:
            found = unnamed.pop(0).T
        if found is None or tuple(found.shape) != tuple(value.shape):
            raise KeyError(f"{path} has no weight for '{key}' of shape {tuple(value.shape)}")
        state[key] = torch.from_numpy(np.ascontiguousarray(found))
    model.load_state_dict(state)
    return model
