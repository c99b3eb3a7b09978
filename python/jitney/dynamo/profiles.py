# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""From ranges of a program's inputs to optimization profiles of its engines."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sympy
import torch
from torch.export import ExportedProgram
from torch.fx import GraphModule
from torch.utils import _pytree as pytree
from torch.utils._sympy.numbers import int_oo

from .. import UserError
from ..input import ShapeRange
from .conversion.shapes import expression, is_symbolic
from .inputs import is_dynamic, is_input

_LARGEST = 2**63 - 1
# Of one profile: from where to where each symbol of the program goes, and its best value between.
SymbolRanges = dict[sympy.Symbol, ShapeRange]


def symbol_ranges(program: ExportedProgram, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[SymbolRanges]:
    """One a profile, of what Inputs among the arguments say; empty where none has a range. UserError where Inputs do not
    fit the program or one another."""
    from torch.export._tree_utils import reorder_kwargs

    leaves = pytree.tree_leaves((tuple(args), dict(kwargs)), is_leaf=is_input)
    ranged = [leaf for leaf in leaves if is_input(leaf) and is_dynamic(leaf)]
    if not ranged:
        return []
    if kwargs:
        leaves = pytree.tree_leaves((tuple(args), reorder_kwargs(dict(kwargs), program.call_spec.in_spec)), is_leaf=is_input)
    names = program.graph_signature.user_inputs
    if len(leaves) != len(names):
        raise UserError(f"the program has {len(names)} inputs {list(names)}, found {len(leaves)} for their ranges")
    count = max(len(leaf.profiles) for leaf in ranged)
    values = {node.name: node.meta.get("val") for node in program.graph.find_nodes(op="placeholder")}
    found: list[SymbolRanges] = [{} for _ in range(count)]
    for name, leaf in zip(names, leaves):
        if not is_input(leaf):
            continue
        if len(leaf.profiles) not in (1, count):
            raise UserError(f"inputs must have one profile or equally many, found {len(leaf.profiles)} of input '{name}' "
                            f"and {count} of another")
        for number in range(count):
            _learn(found[number], str(name), values.get(str(name)), leaf.profiles[number if len(leaf.profiles) > 1 else 0])
    return found


def symbol_limits(program: ExportedProgram) -> dict[str, tuple[int, int]]:
    """The least and the largest extent of symbols that torch.export took or found a limit for: outside of it the program
    may be another one, where it decides by a shape. A least extent of 2 is tracing's own, and holds for 0 and 1, too."""
    found = {}
    for symbol, limits in program.range_constraints.items():
        low = int(limits.lower) if limits.lower > 2 else 0
        is_open = bool(limits.upper == int_oo or limits.upper > _LARGEST)
        if low > 0 or not is_open:
            found[str(symbol)] = (low, _LARGEST if is_open else int(limits.upper))
    return found


def _learn(ranges: SymbolRanges, name: str, tensor: Any, wanted: ShapeRange) -> None:
    shape = tuple(tensor.shape) if isinstance(tensor, torch.Tensor) else ()
    if len(shape) != len(wanted.opt_shape):
        raise UserError(f"the Input for '{name}' has rank {len(wanted.opt_shape)}, the program's input has {len(shape)}")
    for axis, extent in enumerate(shape):
        low, best, high = wanted.min_shape[axis], wanted.opt_shape[axis], wanted.max_shape[axis]
        if not 0 <= low <= best <= high:
            raise UserError(f"the Input for '{name}' must have 0 <= min_shape <= opt_shape <= max_shape along axis {axis}, "
                            f"found {low}, {best}, {high}")
        if not is_symbolic(extent):
            if (low, high) != (int(extent), int(extent)):
                raise UserError(f"axis {axis} of input '{name}' is always {int(extent)} in this program; the Input asks for "
                                f"{low} to {high}")
            continue
        symbol = expression(extent)
        if not isinstance(symbol, sympy.Symbol):
            continue  # such as 2*s0: the engine's own expression limits it
        known = ranges.get(symbol)
        if known is not None:  # two inputs share it: what both allow
            low, high = max(low, known.min_shape[0]), min(high, known.max_shape[0])
            if low > high:
                raise UserError(f"axis {axis} of input '{name}' must equal an axis of another input in this program, and "
                                "their ranges have nothing in common")
            best = min(max(best, low), high)
        ranges[symbol] = ShapeRange((low,), (best,), (high,))


def engine_profiles(module: GraphModule, profiles: Sequence[SymbolRanges]) -> list[list[ShapeRange]]:
    """For each profile the ranges of an engine's inputs, which are the module's placeholders that are tensors; empty
    where an extent follows from no symbol that has a range. No profiles where an extent falls as symbols grow: there
    is no least and no largest shape then."""
    given = [node.meta["val"] for node in module.graph.find_nodes(op="placeholder")
             if isinstance(node.meta.get("val"), torch.Tensor)]
    made = [[_range_of(tensor, ranges) for tensor in given] for ranges in profiles]
    for ranges in made:
        for each in ranges:
            if any(not low <= best <= high for low, best, high in zip(*each)):
                return []
    return made


def _range_of(tensor: torch.Tensor, ranges: SymbolRanges) -> ShapeRange:
    shape = [expression(extent) for extent in tensor.shape]
    if any(not expr.free_symbols <= ranges.keys() for expr in shape):
        return ShapeRange((), (), ())

    def at(corner: str) -> tuple[int, ...]:
        values = {symbol: getattr(found, corner)[0] for symbol, found in ranges.items()}
        return tuple(int(expr.subs(values)) for expr in shape)

    return ShapeRange(at("min_shape"), at("opt_shape"), at("max_shape"))
