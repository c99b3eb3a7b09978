# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The shapes that an engine's inputs may have."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from . import _jitney

Shape = Sequence[int]


class ShapeRange(NamedTuple):
    """min_shape[i] <= extent i <= max_shape[i]; opt_shape is the shape that matters most."""

    min_shape: tuple[int, ...]
    opt_shape: tuple[int, ...]
    max_shape: tuple[int, ...]


Profile = dict[str, ShapeRange]  # one optimization profile, by name of the input


class Input:
    """What one input may be: Input((8, 3)) has one shape; Input(min_shape=..., opt_shape=..., max_shape=...) a range;
    Input(profiles=[{"min_shape": ..., "opt_shape": ..., "max_shape": ...}, ...]) several ranges, one an optimization
    profile. `dtype`, where it is given, must be the model's; `name` says which input it is where Inputs come in a list
    and not in the model's order."""

    def __init__(self, shape: Shape | None = None, *, min_shape: Shape | None = None, opt_shape: Shape | None = None,
                 max_shape: Shape | None = None, profiles: Sequence[Mapping[str, Shape]] | None = None,
                 dtype: Any = None, name: str = "") -> None:
        ways = [shape is not None, any(s is not None for s in (min_shape, opt_shape, max_shape)), profiles is not None]
        if sum(ways) != 1:
            raise _jitney.UserError("an Input takes a shape, or min_shape, opt_shape and max_shape, or profiles")
        if shape is not None:
            one = _extents("shape", shape)
            ranges = [ShapeRange(one, one, one)]
        elif profiles is not None:
            ranges = [_range(each) for each in profiles]
            if not ranges:
                raise _jitney.UserError("profiles of an Input must be one or more")
        else:
            given = {"min_shape": min_shape, "opt_shape": opt_shape, "max_shape": max_shape}
            ranges = [_range({name: value for name, value in given.items() if value is not None})]
        self.profiles: tuple[ShapeRange, ...] = tuple(ranges)
        self.dtype = dtype
        self.name = name

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The only one that there is; None where there are several."""
        first = self.profiles[0]
        return first.opt_shape if len(self.profiles) == 1 and first.min_shape == first.max_shape else None

    def __repr__(self) -> str:
        ranges = ", ".join(f"{list(r.min_shape)} to {list(r.max_shape)}" for r in self.profiles)
        return f"Input({self.name + ': ' if self.name else ''}{ranges})"


def _extents(what: str, shape: Shape) -> tuple[int, ...]:
    if isinstance(shape, (str, bytes)) or not isinstance(shape, Sequence):
        raise TypeError(f"{what} must be a sequence of ints, found {type(shape).__name__}")
    for extent in shape:
        if not isinstance(extent, int) or isinstance(extent, bool):
            raise TypeError(f"{what} must be a sequence of ints, found {extent!r} in it")
    return tuple(shape)


def _range(given: Mapping[str, Shape]) -> ShapeRange:
    if not isinstance(given, Mapping):
        raise TypeError(f"a profile must be a mapping of {list(ShapeRange._fields)} to shapes, found {type(given).__name__}")
    if set(given) != set(ShapeRange._fields):
        raise _jitney.UserError(f"a profile has {list(ShapeRange._fields)}, found {sorted(given)}")
    return ShapeRange(*(_extents(name, given[name]) for name in ShapeRange._fields))


Inputs = Mapping[str, Input] | Sequence[Input]


def profiles_of(inputs: Inputs, names: Sequence[str], dtypes: Sequence[str]) -> list[list[ShapeRange]]:
    """For each profile the ranges of all inputs, in the engine's order; empty ranges for inputs that are not given."""
    given = _by_name(inputs, names)
    for name, value in given.items():
        wanted = dtypes[list(names).index(name)]
        if value.dtype is not None and _dtype_name(value.dtype) != wanted:
            raise _jitney.UserError(f"input '{name}' must be {wanted}, found {_dtype_name(value.dtype)}")
    counts = {name: len(value.profiles) for name, value in given.items()}
    count = max(counts.values(), default=0)
    wrong = {name: found for name, found in counts.items() if found not in (1, count)}
    if wrong:
        raise _jitney.UserError(f"inputs must have one profile or equally many, found {counts}")
    empty = ShapeRange((), (), ())
    return [[given[name].profiles[i if counts[name] > 1 else 0] if name in given else empty for name in names]
            for i in range(count)]


def _by_name(inputs: Inputs, names: Sequence[str]) -> dict[str, Input]:
    if isinstance(inputs, Mapping):
        named = dict(inputs)
    elif isinstance(inputs, Sequence) and not isinstance(inputs, (str, bytes)):
        if len(inputs) > len(names):
            raise _jitney.UserError(f"the inputs are {list(names)}, found {len(inputs)} Inputs")
        named = {getattr(each, "name", "") or names[i]: each for i, each in enumerate(inputs)}
    else:
        raise TypeError(f"inputs must be a mapping of names to Inputs or a sequence of Inputs, found {type(inputs).__name__}")
    for name, value in named.items():
        if name not in names:
            raise _jitney.UserError(f"the inputs are {list(names)}; unknown: {name!r}")
        if not isinstance(value, Input):
            raise TypeError(f"input '{name}' must be an Input, found {type(value).__name__}")
    return named


def _dtype_name(dtype: Any) -> str:
    """'float32' of numpy's, torch's and Jitney's own way to say it."""
    text = dtype if isinstance(dtype, str) else getattr(dtype, "name", None) or getattr(dtype, "__name__", None)
    return str(text if text is not None else dtype).removeprefix("torch.")
