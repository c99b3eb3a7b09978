# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What a module is traced with: examples in the place of jitney.Inputs, and which extents may change."""
from __future__ import annotations

import inspect
from typing import Any

import torch
from torch.utils import _pytree as pytree

from ..input import Input


def is_input(leaf: Any) -> bool:
    return isinstance(leaf, Input)


def is_dynamic(given: Input) -> bool:
    return given.shape is None


def _dtype(given: Input) -> torch.dtype:
    if given.dtype is None:
        return torch.float32
    return given.dtype if isinstance(given.dtype, torch.dtype) else getattr(torch, str(given.dtype))


def example(given: Input, device: torch.device) -> torch.Tensor:
    """Of the first profile's opt_shape, seeded: numbers that most models can run with. An extent that may change is 2 or
    more where that is allowed: torch.export takes what it sees as 1 for what is always 1."""
    dynamic = _axes(given) or {}
    shape = tuple(max(extent, min(2, dynamic[axis].max)) if axis in dynamic else extent
                  for axis, extent in enumerate(given.profiles[0].opt_shape))
    dtype = _dtype(given)
    generator = torch.Generator().manual_seed(0)
    if dtype.is_floating_point:
        return torch.rand(shape, generator=generator).to(device, dtype)
    return torch.randint(0, 2, shape, generator=generator).to(device, dtype)


def examples(module: Any, inputs: Any) -> Any:
    """Inputs of any nesting with an example tensor in the place of each Input, where the module is: on the device of its
    first parameter, buffer or engine."""
    device = _device_of(module)
    return pytree.tree_map(lambda leaf: example(leaf, device) if is_input(leaf) else leaf, inputs, is_leaf=is_input)


def _device_of(module: Any) -> torch.device:
    if isinstance(module, torch.export.ExportedProgram):
        tensors = [*module.state_dict.values(), *module.constants.values()]
        return next((t.device for t in tensors if isinstance(t, torch.Tensor)), torch.device("cpu"))
    if not isinstance(module, torch.nn.Module):
        return torch.device("cpu")
    for tensor in (*module.parameters(), *module.buffers()):
        return tensor.device
    engines = (child.bound for child in module.modules() if hasattr(child, "bound"))
    return next((torch.device(engine.device) for engine in engines), torch.device("cpu"))


def _axes(given: Input) -> dict[int, Any] | None:
    """For torch.export: which extents may change, over all profiles."""
    found = {}
    for axis in range(len(given.profiles[0].opt_shape)):
        low = min(profile.min_shape[axis] for profile in given.profiles)
        high = max(profile.max_shape[axis] for profile in given.profiles)
        if low != high:
            found[axis] = torch.export.Dim.DYNAMIC(min=low, max=high)
    return found or None


def dynamic_shapes(inputs: Any) -> Any:
    """The same nesting with what torch.export wants to know of each leaf."""
    return pytree.tree_map(lambda leaf: _axes(leaf) if is_input(leaf) else None, inputs, is_leaf=is_input)


def ranges_of(module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What torch.export takes as dynamic_shapes of a call; None where no Input has a range."""
    leaves = pytree.tree_leaves((args, kwargs), is_leaf=is_input)
    if not any(is_input(leaf) and is_dynamic(leaf) for leaf in leaves):
        return None
    bound = inspect.signature(module.forward).bind(*args, **kwargs)
    return {name: dynamic_shapes(value) for name, value in bound.arguments.items()}
