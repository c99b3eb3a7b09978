# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What a model is compiled for: examples, or shapes with ranges."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from .. import UserError


class Input:
    """Dtype and shape of an input. Input((2, 3)) has one shape; Input(min_shape=(1, 3), opt_shape=(4, 3),
    max_shape=(8, 3)) any between, and opt_shape is what tracing sees. Input(profiles=[{"min_shape": ..., "opt_shape": ...,
    "max_shape": ...}, ...]) gives several such ranges: any extent from the least to the most is allowed."""

    def __init__(self, shape: Sequence[int] | None = None, *, min_shape: Sequence[int] | None = None,
                 opt_shape: Sequence[int] | None = None, max_shape: Sequence[int] | None = None,
                 profiles: Sequence[Mapping[str, Sequence[int]]] | None = None, dtype: torch.dtype = torch.float32,
                 name: str = "", device: torch.device | str | None = None) -> None:
        ranges = [min_shape, opt_shape, max_shape]
        ways = (shape is not None) + any(given is not None for given in ranges) + (profiles is not None)
        if ways != 1 or (any(given is not None for given in ranges) and None in ranges):
            raise UserError("an Input has a shape, or min_shape, opt_shape and max_shape, or profiles of these three")
        if profiles is not None:
            self.profiles = [{key: tuple(profile[key]) for key in ("min_shape", "opt_shape", "max_shape")}
                             for profile in profiles]
        elif shape is not None:
            self.profiles = [dict.fromkeys(("min_shape", "opt_shape", "max_shape"), tuple(shape))]
        else:
            self.profiles = [dict(zip(("min_shape", "opt_shape", "max_shape"), map(tuple, ranges)))]  # type: ignore
        for profile in self.profiles:
            low, best, high = profile["min_shape"], profile["opt_shape"], profile["max_shape"]
            if not len(low) == len(best) == len(high) or any(not a <= o <= z for a, o, z in zip(low, best, high)):
                raise UserError(f"an Input needs min_shape <= opt_shape <= max_shape of one rank, found {low}, {best} "
                                f"and {high}")
        self.min_shape = tuple(map(min, zip(*(p["min_shape"] for p in self.profiles))))
        self.max_shape = tuple(map(max, zip(*(p["max_shape"] for p in self.profiles))))
        self.opt_shape = self.profiles[0]["opt_shape"]
        self.dtype, self.name, self.device = dtype, name, torch.device(device or "cpu")

    @property
    def is_dynamic(self) -> bool:
        return self.min_shape != self.max_shape

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.opt_shape)

    @classmethod
    def from_tensor(cls, tensor: torch.Tensor) -> Input:
        return cls(tuple(tensor.shape), dtype=tensor.dtype, device=tensor.device)

    def example_tensor(self) -> torch.Tensor:
        """Of opt_shape, seeded: numbers that most models can run with."""
        generator = torch.Generator().manual_seed(0)
        if self.dtype.is_floating_point:
            return torch.rand(self.shape, generator=generator).to(self.dtype).to(self.device)
        if self.dtype == torch.bool:
            return torch.ones(self.shape, dtype=torch.bool, device=self.device)
        return torch.randint(0, 2, self.shape, generator=generator).to(self.dtype).to(self.device)

    def dynamic_dims(self, prefix: str) -> dict[int, Any] | None:
        """For torch.export: which extents may change."""
        found = {}
        for axis, (low, high) in enumerate(zip(self.min_shape, self.max_shape)):
            if low != high:
                found[axis] = torch.export.Dim.DYNAMIC(min=max(low, 0), max=high)
        return found or None

    def __repr__(self) -> str:
        if not self.is_dynamic:
            return f"Input({self.shape}, dtype={self.dtype})"
        return f"Input(min_shape={self.min_shape}, opt_shape={self.shape}, max_shape={self.max_shape}, " \
               f"dtype={self.dtype})"


def examples(inputs: Any) -> Any:
    """Inputs of any nesting with an example tensor in the place of each Input."""
    return torch.utils._pytree.tree_map(lambda leaf: leaf.example_tensor() if isinstance(leaf, Input) else leaf,
                                        inputs, is_leaf=lambda leaf: isinstance(leaf, Input))


def dynamic_shapes(inputs: Any) -> Any:
    """The same nesting with what torch.export wants to know of each leaf."""
    number = iter(range(1 << 30))
    return torch.utils._pytree.tree_map(
        lambda leaf: leaf.dynamic_dims(f"d{next(number)}") if isinstance(leaf, Input) else None, inputs,
        is_leaf=lambda leaf: isinstance(leaf, Input))
