# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Extents that are symbols: torch's expressions over them, in the model's words and as computations of the model."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy
import torch
from torch.utils._sympy.functions import CeilDiv, CleanDiv, FloorDiv, Max, Min, Mod, PythonMod

from .builder import Builder
from .values import Unsupported, Value

_DIVISIONS = (FloorDiv, CleanDiv)
_REMAINDERS = (Mod, PythonMod)


def is_symbolic(extent: Any) -> bool:
    return isinstance(extent, (torch.SymInt, torch.SymFloat, torch.SymBool))


def expression(extent: Any) -> sympy.Expr:
    """Of an int or a SymInt, with what is known of symbols put in."""
    if is_symbolic(extent):
        node = extent.node
        known = node.shape_env is not None and isinstance(extent, torch.SymInt)
        return sympy.sympify(node.shape_env.replace(node.expr) if known else node.expr)
    return sympy.Integer(int(extent))


def text(expr: sympy.Expr) -> str | None:
    """In the grammar of the model's extents; None for what it cannot say."""
    if expr.is_Integer:
        return str(int(expr)) if expr >= 0 else f"(0 - {-int(expr)})"
    if expr.is_Symbol:
        return str(expr)
    parts = [text(part) for part in expr.args]
    if any(part is None for part in parts):
        return None
    if expr.is_Add:
        return "(" + " + ".join(map(str, parts)) + ")"
    if expr.is_Mul:
        return "*".join(map(str, parts))
    if expr.is_Pow and expr.args[1].is_Integer and expr.args[1] > 0:
        return "*".join([str(parts[0])] * int(expr.args[1]))
    for kinds, name in ((_DIVISIONS, "floordiv"), (_REMAINDERS, "mod"), ((Max, sympy.Max), "max"),
                        ((Min, sympy.Min), "min")):
        if isinstance(expr, kinds):
            result = str(parts[0])
            for part in parts[1:]:
                result = f"{name}({result}, {part})"
            return result
    return None


class Extents:
    """Where the values of symbols come from in one model, and computations with them (int64 scalars)."""

    def __init__(self, builder: Builder) -> None:
        self._b = builder
        self._sources: dict[sympy.Expr, tuple[Value, int | None]] = {}
        self._values: dict[sympy.Expr, Value] = {}

    def learn(self, value: Value) -> None:
        """From here on the symbolic extents of a tensor can be computed from it."""
        for axis, extent in enumerate(value.shape or ()):
            if is_symbolic(extent):
                self._sources.setdefault(expression(extent), (value, axis))

    def learn_scalar(self, symbol: Any, value: Value) -> None:
        self._sources.setdefault(expression(symbol), (value, None))

    def knows(self, extent: Any) -> bool:
        return self._knows(expression(extent))

    def _knows(self, expr: sympy.Expr) -> bool:
        if expr.is_Integer or expr in self._sources:
            return True
        return not expr.is_Symbol and bool(expr.args) and all(self._knows(part) for part in expr.args)

    def scalar(self, extent: Any) -> Value:
        """An int64 of rank 0."""
        return self._compute(expression(extent))

    def vector(self, extents: Sequence[Any]) -> Value:
        """An int64 of rank 1; what a shape is given as."""
        if not any(is_symbolic(extent) for extent in extents):
            return self._b.ints([int(extent) for extent in extents])
        one = self._b.ints([0])
        parts = [self._b.Unsqueeze(self.scalar(extent), one) if is_symbolic(extent) else self._b.ints([int(extent)])
                 for extent in extents]
        return parts[0] if len(parts) == 1 else self._b.Concat(*parts, axis=0)

    def _compute(self, expr: sympy.Expr) -> Value:
        if expr not in self._values:
            self._values[expr] = self._make(expr)
        return self._values[expr]

    def _make(self, expr: sympy.Expr) -> Value:
        b = self._b
        if expr.is_Integer:
            return b.scalar(int(expr), torch.int64)
        if expr in self._sources:
            value, axis = self._sources[expr]
            if axis is None:
                return b.Cast(value, torch.int64)
            return b.Squeeze(b.Shape(value, start=axis, end=axis + 1))
        if expr.is_Symbol:
            raise Unsupported(f"the extent {expr} does not follow from its tensors")
        if expr.is_Pow and expr.args[1].is_Integer and expr.args[1] > 0:
            result = base = self._compute(expr.args[0])
            for _ in range(int(expr.args[1]) - 1):
                result = b.Mul(result, base)
            return result
        if isinstance(expr, _DIVISIONS) or isinstance(expr, _REMAINDERS):
            dividend, divisor = map(self._compute, expr.args)
            return (b.Div if isinstance(expr, _DIVISIONS) else b.Mod)(dividend, divisor)
        if isinstance(expr, CeilDiv):
            dividend, divisor = map(self._compute, expr.args)
            return b.Div(b.Add(dividend, b.Sub(divisor, 1)), divisor)
        for kinds, name in ((sympy.Add, "Add"), (sympy.Mul, "Mul"), ((Max, sympy.Max), "Max"),
                            ((Min, sympy.Min), "Min")):
            if isinstance(expr, kinds):
                if any(not part.is_integer for part in expr.args):
                    break
                result, *others = map(self._compute, expr.args)
                for other in others:
                    result = b.op(name, result, other)
                return result
        raise Unsupported(f"the extent {expr} has no integer expression in a model")

