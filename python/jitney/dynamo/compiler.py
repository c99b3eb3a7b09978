# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""From a functional graph to a module with engines in it."""
from __future__ import annotations

import logging
import operator
import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.fx import GraphModule

from .. import UserError, _jitney
from .conversion import ConversionError, convert
from .lowering.cleanup import clean
from .lowering.results import keep_results
from .partitioning import Report, partition
from .profiles import SymbolRanges, engine_profiles
from .runtime import JitneyModule
from .settings import CompilationSettings
from .splitting import split

_logger = logging.getLogger("jitney.dynamo")
_NODE = re.compile(r"at node '([^']+?)(?:\.\d+)?'")


class _Refused(Exception):
    """Nodes that turned out to be none for an engine."""

    def __init__(self, names: Sequence[str], reason: str) -> None:
        super().__init__(reason)
        self.names, self.reason = names, reason


def build_engine(module: GraphModule, name: str, profiles: Sequence[SymbolRanges] = (), *,
                 limits: Mapping[str, tuple[int, int]] | None = None, owns_weights: bool = True) \
        -> tuple[_jitney.Engine, tuple[str, ...], tuple[str, ...]]:
    """A graph without PyTorch parts as an engine, its inputs and its outputs. `profiles`: the ranges of the program's
    symbols, which become the engine's; limits: what its symbols may be where there are no profiles, which are within
    the limits and say more of a shape that does not fit. owns_weights: it has copies, which nobody else writes into.
    Raises ConversionError, and UserError for what the engine refuses."""
    model = convert(module, name)
    engine = _jitney.Engine.build(model.bytes, dict(model.weights), owns_weights,
                                  {} if profiles else dict(limits or {}))
    ranges = engine_profiles(module, profiles)
    if ranges:
        engine = engine.with_profiles(ranges)
    return engine, model.inputs, model.outputs


def convert_module(module: GraphModule, inputs: Sequence[Any] | None = None, settings: Any = None, name: str = "",
                   profiles: Sequence[SymbolRanges] = (), limits: Mapping[str, tuple[int, int]] | None = None,
                   **options: Any) -> JitneyModule:
    """One engine of a functional graph (placeholders with `meta["val"]`), all of it. `profiles` and `limits` as
    build_engine() takes them. Raises ConversionError for an operator that cannot be in an engine."""
    settings = settings or CompilationSettings.of(options)
    engine, given, results = build_engine(module, name or type(module).__name__, profiles, limits=limits)
    return JitneyModule(engine, given, results, name=name, settings=settings, device=_device(module, settings),
                        runtime_settings=settings.runtime_settings, target_platform=settings.target_platform,
                        dynamically_allocate_resources=settings.dynamically_allocate_resources, precision=settings.precision)


def compile_graph(module: GraphModule, settings: CompilationSettings, profiles: Sequence[SymbolRanges] = (),
                  limits: Mapping[str, tuple[int, int]] | None = None) \
        -> tuple[GraphModule, Report]:
    """Engines where they are worth it, PyTorch elsewhere; `profiles` and `limits` as build_engine() takes
    them. Raises ConversionError where an operator would stay in PyTorch against require_full_compilation."""
    clean(module)
    keep_results(module)
    excluded: dict[str, str] = {}
    while True:
        partitions, report = partition(module, settings, excluded)
        if settings.require_full_compilation:
            _require_all(module, report)
        if settings.dryrun:
            return module, report
        result = split(module, partitions)
        try:
            _build_engines(result, settings, profiles, limits)
        except _Refused as refused:
            _logger.info("%s stays in PyTorch: %s", ", ".join(refused.names), refused.reason)
            excluded |= dict.fromkeys(refused.names, refused.reason)
            continue
        for entry in report.stayed:
            _logger.debug("'%s' stays in PyTorch: %s", entry.operator, entry.reason)
        if not report.engines:
            _logger.warning("no part of the model runs in Jitney: %s", report)
        return result, report


def _require_all(module: GraphModule, report: Report) -> None:
    for entry in report.stayed:
        if "min_block_size" in entry.reason:
            continue
        node = next(node for node in module.graph.nodes if node.name == entry.node)
        raise ConversionError(node, f"{entry.reason}, and require_full_compilation was asked for")


def _build_engines(module: GraphModule, settings: CompilationSettings, profiles: Sequence[SymbolRanges],
                   limits: Mapping[str, tuple[int, int]] | None) -> None:
    names = [name for name, _ in module.named_children() if name.startswith("_run_on_acc_")]
    for number, name in enumerate(names):
        child = getattr(module, name)
        if settings.progress is not None:
            settings.progress(number, len(names), name)
        try:
            engine = convert_module(child, settings=settings, name=name, profiles=profiles, limits=limits)
        except ConversionError as error:
            node = error.node
            while node.target is operator.getitem:  # one of several results: who gives them stays in PyTorch
                node = node.args[0]
            if node.op != "call_function":
                raise
            raise _Refused([node.name], error.reason) from error
        except UserError as error:
            found = _NODE.search(str(error))
            known = {node.name for node in child.graph.nodes if node.op == "call_function"}
            nodes = [found.group(1)] if found and found.group(1) in known else sorted(known)
            raise _Refused(nodes, str(error)) from error
        setattr(module, name, engine)
    if settings.progress is not None:
        settings.progress(len(names), len(names), "")


def _device(module: GraphModule, settings: CompilationSettings) -> Any:
    if settings.device is not None:
        return settings.device
    for node in module.graph.find_nodes(op="placeholder"):
        value = node.meta.get("val")
        if isinstance(value, torch.Tensor) and value.device.type not in ("cpu", "meta"):
            return value.device
    for tensor in [*module.parameters(), *module.buffers()]:
        return tensor.device
    return torch.device("cpu")
