# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Extents of outputs from extents of inputs, whether these are numbers or symbols of torch.export."""
from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from ... import UserError

_TOKEN = re.compile(r"\s*(?:(\d+)|([A-Za-z_.][A-Za-z0-9_.:]*)|(.))")


def _min(a: Any, b: Any) -> Any:
    return torch.sym_min(a, b)


def _max(a: Any, b: Any) -> Any:
    return torch.sym_max(a, b)


_FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {"floordiv": lambda a, b: a // b, "mod": lambda a, b: a % b,
                                                    "min": _min, "max": _max}


class _Parser:
    """expr := ["-"] term (("+" | "-") term)*, term := factor ("*" factor)*,
    factor := INT | NAME | FUNC "(" expr "," expr ")" | "(" expr ")"."""

    def __init__(self, text: str, values: Mapping[str, Any]) -> None:
        self.text, self.values = text, values
        self.tokens = [match.group(0).strip() for match in _TOKEN.finditer(text)]
        self.at = 0

    def take(self, *wanted: str) -> str:
        token = self.tokens[self.at] if self.at < len(self.tokens) else ""
        if wanted and token not in wanted:
            return ""
        self.at += 1
        return token

    def need(self, wanted: str) -> None:
        if not self.take(wanted):
            raise UserError(f"the extent '{self.text}' is not understood")

    def expression(self) -> Any:
        value = -self.term() if self.take("-") else self.term()
        while operator := self.take("+", "-"):
            value = value + self.term() if operator == "+" else value - self.term()
        return value

    def term(self) -> Any:
        value = self.factor()
        while self.take("*"):
            value = value * self.factor()
        return value

    def factor(self) -> Any:
        token = self.take()
        if token.isdigit():
            return int(token)
        if token == "(":
            value = self.expression()
            self.need(")")
            return value
        if token in _FUNCTIONS and self.at < len(self.tokens) and self.tokens[self.at] == "(":
            self.need("(")
            first = self.expression()
            self.need(",")
            second = self.expression()
            self.need(")")
            return _FUNCTIONS[token](first, second)
        if token not in self.values:
            raise KeyError(token)
        return self.values[token]


def evaluate(text: str, values: Mapping[str, Any]) -> Any:
    """An extent as TensorInfo says it, for numbers or SymInts of its symbols. KeyError names a symbol without value."""
    parser = _Parser(text, values)
    value = parser.expression()
    if parser.at != len(parser.tokens):
        raise UserError(f"the extent '{text}' is not understood")
    return value


def is_symbol(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z_.][A-Za-z0-9_.:]*", text) is not None


def bind(shapes: Sequence[Sequence[int | str]], found: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """Values of the symbols that inputs of these shapes have. Symbols stand alone where they can; an extent such as
    2*n + 1 gives n where no other does."""
    values: dict[str, Any] = {}
    pairs = [(extent, size) for shape, sizes in zip(shapes, found) for extent, size in zip(shape, sizes)]
    for extent, size in pairs:
        if isinstance(extent, str) and is_symbol(extent):
            values.setdefault(extent, size)
    for extent, size in pairs:
        if isinstance(extent, str) and not is_symbol(extent):
            _solve(extent, size, values)
    return values


def _solve(extent: str, size: Any, values: dict[str, Any]) -> None:
    """a*n + b = size for the one symbol n that has no value."""
    try:
        evaluate(extent, values)
    except KeyError as missing:
        name = missing.args[0]
        try:
            offset = evaluate(extent, {**values, name: 0})
            factor = evaluate(extent, {**values, name: 1}) - offset
        except KeyError:
            return
        values[name] = (size - offset) // factor
