# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What an engine says of its inputs and outputs."""
from __future__ import annotations

from typing import Any, Literal, NamedTuple

Kind = Literal["tensor", "sequence"]


class _Tensor(NamedTuple):
    name: str
    dtype: str
    shape: tuple[int | str, ...]


class TensorInfo(_Tensor):
    """An input or output: (name, dtype, shape). An extent is a number, or an expression over symbols such as "batch" or
    "2*height": extents with the same text are equal in every run. `dtype` is numpy's name, and "bfloat16".

    Where `kind` is "sequence", it is a list of arrays of that dtype and shape, where names stand for any extents, and
    ("...",) for any shape. What is `optional` may be None."""

    kind: Kind = "tensor"
    optional: bool = False

    def __new__(cls, name: str, dtype: str, shape: tuple[int | str, ...], kind: Kind = "tensor",
                optional: bool = False) -> TensorInfo:
        info = super().__new__(cls, name, dtype, shape)
        info.kind = kind
        info.optional = optional
        return info

    def _replace(self, **changes: Any) -> TensorInfo:
        """The same with other fields, `kind` and `optional` among them."""
        fields = self._asdict() | {"kind": self.kind, "optional": self.optional} | changes
        return type(self)(**fields)

    __replace__ = _replace  # of copy.replace()

    def __repr__(self) -> str:
        return (f"TensorInfo(name={self.name!r}, dtype={self.dtype!r}, shape={self.shape!r}, kind={self.kind!r}, "
                f"optional={self.optional!r})")
