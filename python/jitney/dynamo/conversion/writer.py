# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What converters write with: the builder, the node that is being converted, and what many operators need."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch._prims_common import ELEMENTWISE_TYPE_PROMOTION_KIND as Promotion
from torch._prims_common import elementwise_dtypes
from torch.fx import Node

from .builder import Builder
from .shapes import Extents, is_symbolic
from .values import Unsupported, Value


class GraphWriter(Builder):
    """`b` in converters: Builder's nodes and constants, extents, and the dtype and shape of the node's own result."""

    def __init__(self, name: str = "graph") -> None:
        super().__init__(name)
        self.extents = Extents(self)
        self.node: Node | None = None

    # The node that is being converted

    def result(self, index: int | None = None) -> torch.Tensor:
        """The (fake) tensor that PyTorch computes: dtype and shape."""
        assert self.node is not None
        value = self.node.meta["val"]
        return value if index is None else value[index]

    @property
    def dtype(self) -> torch.dtype:
        """Of the node's result; of the first where there are several."""
        value = self.result()
        return value.dtype if isinstance(value, torch.Tensor) else value[0].dtype

    # Extents

    def shape_vector(self, extents: Sequence[Any]) -> Value:
        return self.extents.vector(extents)

    def dim(self, extent: Any) -> Value:
        """An extent as an int64 scalar."""
        return self.extents.scalar(extent)

    def number(self, value: Any, dtype: torch.dtype) -> Value:
        """A Python number, a symbolic one, or a tensor, as a tensor of the dtype."""
        if isinstance(value, Value):
            return self.Cast(value, dtype)
        if isinstance(value, torch.SymInt):
            return self.Cast(self.extents.scalar(value), dtype)
        if is_symbolic(value):
            raise Unsupported("it computes with a symbolic float")
        if isinstance(value, complex):
            raise Unsupported("complex numbers are not supported")
        return self.scalar(value, dtype)

    # Dtypes

    def promote(self, *values: Any, kind: Promotion = Promotion.DEFAULT) -> torch.dtype:
        """The dtype that PyTorch's rules give for tensors and numbers together."""
        def stand_in(value: Any) -> Any:
            if isinstance(value, Value):
                assert value.shape is not None
                return torch.empty([1] * len(value.shape), dtype=value.dtype, device="meta")
            return 1 if isinstance(value, torch.SymInt) else value

        return elementwise_dtypes(*map(stand_in, values), type_promotion_kind=kind)[1]

    def operands(self, *values: Any, kind: Promotion = Promotion.DEFAULT) -> list[Value]:
        dtype = self.promote(*values, kind=kind)
        return [self.number(value, dtype) for value in values]

    def floating(self, value: Value) -> Value:
        """Integers and booleans become the default dtype."""
        return value if value.dtype.is_floating_point else self.Cast(value, torch.get_default_dtype())

    # Shapes

    def reshape(self, value: Value, extents: Sequence[Any]) -> Value:
        return self.op("Reshape", value, self.shape_vector(extents), allowzero=1, shape=extents)

    def expand(self, value: Value, extents: Sequence[Any]) -> Value:
        return self.op("Expand", value, self.shape_vector(extents), shape=extents)

    def transpose(self, value: Value, order: Sequence[int]) -> Value:
        shape = None if value.shape is None else [value.shape[axis] for axis in order]
        return self.op("Transpose", value, perm=list(order), shape=shape)

    def swap(self, value: Value, first: int, second: int) -> Value:
        order = list(range(value.rank))
        order[first], order[second] = order[second], order[first]
        return self.transpose(value, order)

    def unsqueeze(self, value: Value, *axes: int) -> Value:
        """Axes count in the result."""
        shape = None
        if value.shape is not None:
            rank = len(value.shape) + len(axes)
            shape = list(value.shape)
            for axis in sorted(axis % rank for axis in axes):
                shape.insert(axis, 1)
        return self.op("Unsqueeze", value, self.ints(axes), shape=shape)

    def squeeze(self, value: Value, *axes: int) -> Value:
        shape = None
        if value.shape is not None:
            gone = {axis % len(value.shape) for axis in axes}
            shape = [extent for axis, extent in enumerate(value.shape) if axis not in gone]
        return self.op("Squeeze", value, self.ints(axes), shape=shape)

    def cut(self, value: Value, axis: int, start: Any, end: Any, step: Any = 1) -> Value:
        """Elements [start, end) of one axis; end is None for its last."""
        last = self.ints([2**63 - 1]) if end is None else self.shape_vector([end])
        return self.op("Slice", value, self.shape_vector([start]), last, self.ints([axis]), self.shape_vector([step]))

    def select(self, value: Value, axis: int, index: Any) -> Value:
        return self.op("Gather", value, self.dim(index), axis=axis)

    def count(self, value: Value, axes: Sequence[int]) -> Value:
        """How many elements those axes have, as an int64 scalar."""
        assert value.shape is not None
        total: Any = 1
        for axis in axes:
            total = total * value.shape[axis]
        return self.dim(total)


def normalized(axes: int | Sequence[int] | None, rank: int) -> list[int]:
    """Axes as 0 .. rank-1, sorted; all of them for None and for an empty list. A scalar has one axis, by courtesy."""
    if axes is None or (not isinstance(axes, int) and len(axes) == 0):
        return list(range(rank))
    return sorted(axis % max(rank, 1) for axis in ([axes] if isinstance(axes, int) else axes))
