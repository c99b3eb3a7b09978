# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The operators that run engines inside traced and exported programs, and what they give for tensors without data."""
from __future__ import annotations

import hashlib
import threading
import weakref
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch.utils._python_dispatch import _disable_current_modes
from torch.utils.weak import WeakIdKeyDictionary

from ... import UserError
from . import bound_engine, library, record, tensors
from .bound_engine import BoundEngine
from .extents import bind, evaluate
from .signature import Signature

_library = torch.library.Library("jitney", "FRAGMENT")
# Where there may be no libjitney_torch: the engine is a constant of bytes. `signature` says what without them nobody
# could: inputs and outputs with their symbolic shapes.
_library.define("execute_record(Tensor[] inputs, Tensor record, str signature) -> Tensor[]",
                tags=(torch.Tag.pt2_compliant_tag,))

_lock = threading.Lock()
# Engines for as long as there is the tensor; weakly where the engine keeps the tensor.
_of_tensor: WeakIdKeyDictionary = WeakIdKeyDictionary()
_of_digest: weakref.WeakValueDictionary[tuple[str, str], BoundEngine] = weakref.WeakValueDictionary()


def engine_of_record(tensor: torch.Tensor) -> BoundEngine:
    """The engine of a record: one for equal bytes, made at the first call."""
    with _lock:
        found = _of_tensor.get(tensor)
        if isinstance(found, weakref.ref):
            found = found()
        if found is None:
            runtime = library.runtime()
            key = (runtime, hashlib.sha256(tensor.cpu().numpy()).hexdigest())
            found = _of_digest.get(key)
            if found is None:
                found = _of_digest[key] = bound_engine.make(record.parse_tensor(tensor), runtime)
            _of_tensor[tensor] = found
        return cast(BoundEngine, found)


def engine_of_handle(handle: Any) -> BoundEngine:
    """The engine of a torchbind object."""
    return bound_engine.of_handle(handle)


def record_of(engine: BoundEngine) -> torch.Tensor:
    """Its record as a tensor, which execute_record runs with this very engine."""
    if engine.record_tensor is not None:  # before the lock, which torch.compile does not take
        return engine.record_tensor
    with _lock:
        if engine.record_tensor is None:
            with _disable_current_modes():
                engine.record_tensor = engine.full_record().to_tensor()
                _of_tensor[engine.record_tensor] = weakref.ref(engine)
        return engine.record_tensor


def _execute_record(inputs: Sequence[torch.Tensor], record: torch.Tensor, signature: str) -> list[torch.Tensor]:
    return engine_of_record(record).execute(inputs)


_library.impl("execute_record", _execute_record, "CompositeExplicitAutograd")


def outputs_without_data(signature: Signature, inputs: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Empty tensors of the outputs' dtypes and of shapes that follow from the inputs' by the engine's own expressions;
    an extent that follows from data is a new symbol. UserError where an expression cannot be evaluated."""
    if len(inputs) != len(signature.inputs):
        raise UserError(f"{signature.where} expects {len(signature.inputs)} inputs, found {len(inputs)}")
    values = bind([info.shape for info in signature.inputs], [tensor.shape for tensor in inputs])
    made = []
    for info in signature.outputs:
        if info.name in signature.aliases:
            continue
        sizes = [_extent(signature, info.name, extent, values) for extent in info.shape]
        made.append(torch.empty(sizes, dtype=tensors.DTYPES[info.dtype], device=signature.device))
    return made


def _extent(signature: Signature, output: str, extent: int | str, values: dict[str, Any]) -> Any:
    if isinstance(extent, int):
        return extent
    try:
        return evaluate(extent, values)
    except KeyError as missing:
        if signature.is_data_dependent:
            values[missing.args[0]] = torch.library.get_ctx().new_dynamic_size()
            return _extent(signature, output, extent, values)
        raise UserError(f"output '{output}' of {signature.where} has the extent '{extent}', and no input says what "
                        f"{missing} is: its symbolic shape cannot be told") from None


def _fake_record(inputs: Sequence[torch.Tensor], record: torch.Tensor, signature: str) -> list[torch.Tensor]:
    return outputs_without_data(Signature.parse(signature), inputs)


torch.library.register_fake("jitney::execute_record", _fake_record, lib=_library)


def register() -> None:
    """What needs libjitney_torch. Called once, by the package."""
    if not library.has_torch_library():
        return

    def fake_engine(inputs: Sequence[torch.Tensor], engine: Any) -> list[torch.Tensor]:
        return outputs_without_data(bound_engine.of_handle(engine).signature, inputs)

    torch.library.register_fake("jitney::execute_engine", fake_engine, lib=_library)
