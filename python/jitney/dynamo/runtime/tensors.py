# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Tensors of torch as Jitney takes and gives them, without a copy."""
from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import torch

from ... import UserError
from ...arrays import with_extension_type
from ...tensor_info import TensorInfo

# Jitney's names are torch's, for every dtype that both have.
_NAMES = ("float32", "float64", "float16", "bfloat16", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32",
          "uint64", "bool", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu")
DTYPES: dict[str, torch.dtype] = {name: getattr(torch, name) for name in _NAMES if hasattr(torch, name)}
NAMES: dict[torch.dtype, str] = {dtype: name for name, dtype in DTYPES.items()}


def check(tensors: Sequence[Any], infos: Sequence[TensorInfo], where: str,
          device: torch.device) -> list[torch.Tensor]:
    """The inputs as an engine reads them: plain, without a graph of gradients, views made real where they have to be.
    Numbers become tensors of the dtype that the engine expects. UserError or TypeError names the input."""
    if len(tensors) != len(infos):
        names = ", ".join(info.name for info in infos)
        raise UserError(f"{where} expects {len(infos)} inputs ({names}), found {len(tensors)}")
    return [_check_one(value, info, where, device) for value, info in zip(tensors, infos)]


def as_tensors(values: Sequence[Any], infos: Sequence[TensorInfo], where: str,
               device: torch.device) -> list[torch.Tensor]:
    """For libjitney_torch, which checks tensors itself: numbers made tensors, gradients left outside."""
    given = []
    for index, value in enumerate(values):
        if isinstance(value, (bool, int, float)) and index < len(infos):
            value = torch.tensor(value, dtype=DTYPES.get(infos[index].dtype), device=device)
        elif not isinstance(value, torch.Tensor):
            name = f"'{infos[index].name}'" if index < len(infos) else str(index)
            raise TypeError(f"input {name} of {where} must be a torch.Tensor, found {type(value).__name__}")
        if value.is_meta and type(value) is torch.Tensor and index < len(infos):  # the operator takes it as traced
            raise UserError(f"input '{infos[index].name}' of {where} must be on {device}, found {value.device}")
        if value.requires_grad:
            value = _without_gradient(value, infos[index].name if index < len(infos) else str(index), where)
        given.append(value)
    return given


def _without_gradient(value: torch.Tensor, name: str, where: str) -> torch.Tensor:
    if torch.is_grad_enabled() and not torch.compiler.is_compiling():  # which could not go on behind a warning
        warnings.warn(f"jitney: input '{name}' of {where} requires a gradient, and outputs of engines have none; call it "
                      "under torch.no_grad() or torch.inference_mode()", stacklevel=2)
    return value.detach()


def _check_one(value: Any, info: TensorInfo, where: str, device: torch.device) -> torch.Tensor:
    if isinstance(value, (bool, int, float)):
        value = torch.tensor(value, dtype=DTYPES.get(info.dtype), device=device)
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"input '{info.name}' of {where} must be a torch.Tensor, found {type(value).__name__}")
    if value.layout is not torch.strided:
        raise UserError(f"input '{info.name}' of {where} must be dense (torch.strided), found {value.layout}")
    if value.is_quantized or NAMES.get(value.dtype) != info.dtype:
        raise UserError(f"input '{info.name}' of {where} must have dtype torch.{info.dtype}, found {value.dtype}")
    if value.device.type != device.type or (value.device.index or 0) != (device.index or 0):
        raise UserError(f"input '{info.name}' of {where} must be on {device}, found {value.device}")
    if value.requires_grad:
        value = _without_gradient(value, info.name, where)
    return value.resolve_neg() if value.is_neg() else value


def exchange(tensor: torch.Tensor) -> Any:
    """The same memory as what the bindings take: DLPack has no float8, numpy has with ml_dtypes."""
    name = NAMES[tensor.dtype]
    return with_extension_type(tensor.view(torch.uint8).numpy(), name) if name.startswith("float8") else tensor


def from_array(array: Any, info: TensorInfo) -> torch.Tensor:
    """What an engine gave, numpy's or one with __dlpack__, over the same memory."""
    if not hasattr(array, "view"):
        tensor = torch.from_dlpack(array)
    elif array.dtype.kind == "V":
        tensor = torch.from_numpy(array.view(f"uint{8 * array.dtype.itemsize}"))
    else:
        tensor = torch.from_numpy(array)
    dtype = DTYPES[info.dtype]
    return tensor if tensor.dtype == dtype else tensor.view(dtype)
