# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What a compile can be told."""
from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, fields
from typing import Any

import torch

from ..runtime import RuntimeSettings
from . import no_effect

_MODES = {
    "runtime_cache_path": "runtime_cache", "runtime_cache": "runtime_cache",
    "cuda_graph_strategy": "cuda_graph_strategy",
    "dynamic_shapes_kernel_specialization_strategy": "dynamic_shapes_kernel_specialization_strategy",
}
_PRECISIONS = frozenset({torch.float32, torch.float16, torch.bfloat16, torch.float64})


@dataclass
class CompilationSettings:
    """min_block_size: an engine with fewer operators than this is not worth the way there and back.
    torch_executed_ops: operators that stay in PyTorch: OpOverloads, or their names ("aten.add.Tensor", "torch.ops.aten.add").
    require_full_compilation: raise where an operator would stay in PyTorch.
    enabled_precisions: what engines may compute float32 values in. torch.bfloat16 among them keeps these values in
        bfloat16 between an engine's inputs and outputs, with sums in float32. Others change nothing: a model computes in
        its own dtypes. torch.float16 warns of that.
    runtime_settings: what the engines begin with; None is jitney.runtime.default_runtime_settings().
    device: where the model runs; None is where its tensors are.
    dynamically_allocate_resources: as JitneyModule takes it.
    dryrun: only say what would be done (jitney.dynamo.dry_run gives the report).
    use_python_runtime, lazy_engine_init, target_platform: as JitneyModule takes them.
    progress: called with (done, total, name) around each engine's build.
    """

    min_block_size: int = 5
    torch_executed_ops: Collection[Any] = field(default_factory=frozenset)
    require_full_compilation: bool = False
    enabled_precisions: Collection[torch.dtype] = field(default_factory=lambda: frozenset({torch.float32}))
    runtime_settings: RuntimeSettings | None = None
    device: torch.device | str | None = None
    dynamically_allocate_resources: bool = False
    dryrun: bool = False
    use_python_runtime: bool | None = None
    lazy_engine_init: bool = False
    target_platform: str | None = None
    progress: Callable[[int, int, str], None] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.min_block_size, int) or isinstance(self.min_block_size, bool):
            raise TypeError(f"min_block_size must be an int, found {type(self.min_block_size).__name__}")
        if self.min_block_size < 1:
            raise ValueError(f"min_block_size must be 1 or more, found {self.min_block_size}")
        if isinstance(self.torch_executed_ops, str):
            raise TypeError("torch_executed_ops must be a collection of operators, found a str")
        self._executed = frozenset(_plain_name(op) for op in self.torch_executed_ops)
        wrong = [p for p in self.enabled_precisions if p not in _PRECISIONS]
        if wrong:
            raise ValueError(f"Invalid enabled_precisions: {wrong}. Expected some of {sorted(map(str, _PRECISIONS))}")
        if torch.float16 in self.enabled_precisions:
            no_effect.warn_once("enabled_precisions: torch.float16", "a float32 model computes in float32 or, where "
                                "torch.bfloat16 is enabled, in bfloat16; model.half() computes in float16")
        if self.runtime_settings is not None and not isinstance(self.runtime_settings, RuntimeSettings):
            raise TypeError(f"runtime_settings must be a jitney.runtime.RuntimeSettings, found "
                            f"{type(self.runtime_settings).__name__}")
        if self.device is not None:
            self.device = torch.device(self.device)

    @property
    def precision(self) -> str:
        """Of the engines: "fp32" or "bf16"."""
        return "bf16" if torch.bfloat16 in self.enabled_precisions else "fp32"

    def stays_in_torch(self, target: Any) -> bool:
        if not self._executed:
            return False
        name = _plain_name(target)
        return name in self._executed or name.rsplit(".", 1)[0] in self._executed

    @classmethod
    def of(cls, options: dict[str, Any]) -> CompilationSettings:
        """From keyword arguments. A runtime mode among them is a TypeError that says where it belongs."""
        known = {entry.name for entry in fields(cls)}
        for name in options:
            if name in _MODES and name not in known:
                raise TypeError(f"'{name}' is no argument of a compile: pass runtime_settings="
                                f"jitney.runtime.RuntimeSettings({_MODES[name]}=...)")
            if name not in known:
                raise TypeError(f"Unknown compilation setting '{name}'. Valid settings: {sorted(known)}")
        return cls(**options)


def _plain_name(op: Any) -> str:
    """"aten.add.Tensor", "aten.add"."""
    return str(op).removeprefix("torch.ops.").removesuffix(".default")
