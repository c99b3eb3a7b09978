# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Exported programs and modules as modules with engines."""
from __future__ import annotations

import os
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.export import ExportedProgram
from torch.fx import GraphModule
from torch.fx.experimental.symbolic_shapes import GuardOnDataDependentSymNode

from .. import UserError
from .compiler import build_engine, compile_graph
from .conversion import ConversionError
from .inputs import examples, ranges_of
from .lowering.decompositions import decompositions
from .lowering.cleanup import clean
from .lowering.results import keep_results
from .partitioning import Report, partition
from .profiles import symbol_limits, symbol_ranges
from .runtime import compiled
from .settings import CompilationSettings

WINDOWS = "windows_x86_64"


def trace(module: torch.nn.Module, inputs: Sequence[Any] | None = None, *, arg_inputs: Sequence[Any] | None = None,
          kwarg_inputs: Mapping[str, Any] | None = None, dynamic_shapes: Any = None, strict: bool = False,
          **_: Any) -> ExportedProgram:
    """torch.export of a module. Inputs are tensors, or Inputs with ranges; `dynamic_shapes` as torch.export takes them
    goes before the ranges."""
    arguments = tuple(arg_inputs if arg_inputs is not None else inputs if inputs is not None else ())
    keywords = dict(kwarg_inputs or {})
    if dynamic_shapes is None:
        dynamic_shapes = ranges_of(module, arguments, keywords)
    with torch.no_grad():
        try:
            arguments, keywords = examples(module, (arguments, keywords))
            return torch.export.export(module, arguments, keywords, dynamic_shapes=dynamic_shapes, strict=strict)
        except GuardOnDataDependentSymNode as error:
            raise UserError(f"{type(module).__name__} cannot be traced{_place(error)}: what runs next depends on the value of a "
                            "tensor; use torch.cond or torch.where there, or torch.compile(backend=\"jitney\"), which runs such "
                            "lines in Python") from error


def _place(error: BaseException) -> str:
    """Where in the program: the innermost line that is neither PyTorch's nor Jitney's."""
    own = (os.path.dirname(torch.__file__) + os.sep, os.path.dirname(os.path.dirname(__file__)) + os.sep)
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(own)]
    return f" at {lines[-1].filename}:{lines[-1].lineno}, '{lines[-1].line}'" if lines else ""


def compile(program: ExportedProgram, inputs: Sequence[Any] | None = None, *,  # noqa: A001: upstream's name
            arg_inputs: Sequence[Any] | None = None, kwarg_inputs: Mapping[str, Any] | None = None,
            settings: CompilationSettings | None = None, **options: Any) -> GraphModule:
    """An exported program as a GraphModule with the same calling convention, whose children `_run_on_acc_N` are
    engines and `_run_on_gpu_N` what stays in PyTorch. A program knows its inputs; where `inputs` (or `arg_inputs` and
    `kwarg_inputs`, as it is called) has jitney.Inputs with ranges, these are the engines' optimization profiles: shapes
    outside are errors. `options` are CompilationSettings. `report` of the result says what became of each operator,
    `runtime_settings` is how all of its engines run."""
    if not isinstance(program, ExportedProgram):
        raise TypeError(f"jitney.dynamo.compile takes a torch.export.ExportedProgram, found {type(program).__name__}; "
                        f"jitney.compile takes a module")
    settings = settings or CompilationSettings.of(options)
    profiles = symbol_ranges(program, arg_inputs if arg_inputs is not None else inputs or (), kwarg_inputs or {})
    result, report = compile_graph(lower(program), settings, profiles, symbol_limits(program))
    result.report = report
    return compiled(result)


def lower(program: ExportedProgram) -> GraphModule:
    """Functional core ATen without what is converted whole; parameters and buffers are attributes, mutations of
    buffers and inputs `copy_` at the end."""
    with torch.no_grad():
        module = program.run_decompositions(decompositions()).module(check_guards=False)
    assert isinstance(module, GraphModule)
    clean(module)
    return module


def dry_run(program: ExportedProgram, **options: Any) -> Report:
    """What compile() would do with each operator, and why. Builds nothing."""
    module = lower(program)
    keep_results(module)
    return partition(module, CompilationSettings.of(options), {})[1]


def convert_exported_program_to_serialized_engine(program: ExportedProgram, inputs: Sequence[Any] | None = None, *,
                                                  arg_inputs: Sequence[Any] | None = None,
                                                  kwarg_inputs: Mapping[str, Any] | None = None,
                                                  **options: Any) -> bytes:
    """The whole program as the bytes of one engine, whose inputs and outputs are the program's tensors in order. Raises
    ConversionError for an operator that would stay in PyTorch."""
    settings = CompilationSettings.of({**options, "require_full_compilation": True, "min_block_size": 1})
    module = lower(program)
    for entry in partition(module, settings, {})[1].stayed:
        node = next(node for node in module.graph.nodes if node.name == entry.node)
        raise ConversionError(node, entry.reason)
    returned = next(iter(reversed(module.graph.nodes)))
    profiles = symbol_ranges(program, arg_inputs if arg_inputs is not None else inputs or (), kwarg_inputs or {})
    flat = [leaf for leaf in torch.utils._pytree.tree_leaves(returned.args) if isinstance(leaf, torch.fx.Node)]
    returned.args = (tuple(flat),)
    return build_engine(module, type(module).__name__, profiles, limits=symbol_limits(program),
                        owns_weights=False)[0].serialize()


def cross_compile_for_windows(program: ExportedProgram, inputs: Sequence[Any] | None = None, **options: Any) \
        -> GraphModule:
    """As compile(). Engines have no device code in them, so that those built here run on Windows; what is written with
    jitney.save() is marked for it."""
    given = {name: options.pop(name) for name in ("arg_inputs", "kwarg_inputs") if name in options}
    return compile(program, inputs, settings=CompilationSettings.of({**options, "target_platform": WINDOWS}), **given)
