# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Programs with engines in them as files: exported programs, TorchScript, AOTInductor packages."""
from __future__ import annotations

import contextlib
import functools
import os
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch

from ... import UserError, _jitney
from .. import inputs as given_inputs
from . import bound_engine, library, operators
from .compiled import with_modules
from .live import live_engines
from .module import JitneyModule

FORMATS = ("exported_program", "torchscript", "aot_inductor")


def save(module: Any, file_path: str | os.PathLike[str] = "", *, output_format: str = "exported_program",
         inputs: Sequence[Any] | None = None, arg_inputs: Sequence[Any] | None = None,
         kwarg_inputs: Mapping[str, Any] | None = None, dynamic_shapes: Any = None,
         inductor_configs: Mapping[str, Any] | None = None, **options: Any) -> None:
    """Writes a program with engines in it to `file_path`.

    module: a module with engines, an exported program, or (as TorchScript only) a script module.
    output_format: "exported_program" (runs in both runtimes, with jitney.load()), "torchscript" or "aot_inductor" (a
        package that C++ programs run without Python; Linux only). The last two need libjitney_torch.
    arg_inputs, kwarg_inputs: an example of what it is called with, or jitney.Inputs; `inputs` is another name of
        arg_inputs.
    dynamic_shapes: as torch.export.export() takes them; by default the ranges of Inputs, and no others.
    inductor_configs: for torch._inductor.aoti_compile_and_package().
    """
    if output_format not in FORMATS:
        raise UserError(f"Invalid output_format: {output_format!r}. Expected one of {list(FORMATS)}")
    path = os.fspath(file_path)
    args = tuple(arg_inputs if arg_inputs is not None else inputs or ())
    kwargs = dict(kwarg_inputs or {})
    if dynamic_shapes is None and isinstance(module, torch.nn.Module):
        dynamic_shapes = given_inputs.ranges_of(module, args, kwargs)
    args, kwargs = given_inputs.examples(module, (args, kwargs))
    if output_format == "torchscript":
        library.require_torch_library("saving TorchScript")
        if not isinstance(module, torch.jit.ScriptModule):
            _check_example(args, kwargs, output_format)
            with _in_cpp(module), torch.no_grad(), _state_kept(module):
                module = torch.jit.trace(_module_of(module), args, example_kwarg_inputs=kwargs or None) if not args else \
                    torch.jit.trace(_module_of(module), args)
        torch.jit.save(module, path)
        return
    if isinstance(module, torch.jit.ScriptModule):
        raise UserError(f"a ScriptModule is saved with output_format 'torchscript', not {output_format!r}")
    if output_format == "aot_inductor":
        if sys.platform != "linux":
            raise ValueError("AOTInductor packages can be made on Linux only")
        library.require_torch_library("saving an AOTInductor package")
        program = _export(module, args, kwargs, dynamic_shapes, output_format)
        torch._inductor.aoti_compile_and_package(program, package_path=path, inductor_configs=dict(inductor_configs or {}))
        return
    program = _export(module, args, kwargs, dynamic_shapes, output_format)
    with open(path, "wb") as file:
        torch.export.save(program, file, **options)


@contextlib.contextmanager
def _state_kept(module: Any) -> Iterator[None]:
    """Buffers are afterwards what they were, and hold what they held: tracing a model runs it."""
    owners = [(owner, dict(owner._buffers)) for owner in _module_of(module).modules()]
    tensors = {id(value): value for _, held in owners for value in held.values() if value is not None}
    before = [(value, value.clone(), None if value.is_inference() else value._version) for value in tensors.values()]
    try:
        yield
    finally:
        for owner, held in owners:
            owner._buffers.update(held)
        for value, kept, version in before:
            if version is None or value._version != version:
                value.copy_(kept)


def load(file_path: str | os.PathLike[str], **options: Any) -> Any:
    """What save() wrote, told apart by content: an ExportedProgram, whose module() has its engines as children; a
    ScriptModule; or the callable of an AOTInductor package. Each is a target of jitney.runtime's scopes."""
    path = os.fspath(file_path)
    before = {number for number, _ in _jitney.registered_sessions("")}
    kind = content(path)
    if kind == "exported_program":
        library.has_torch_library()  # programs that torch.export.save() wrote may have its classes
        with open(path, "rb") as file:
            return _with_children(torch.export.load(file, **options))
    library.require_torch_library(f"loading {path!r}")
    loaded = torch.jit.load(path, **options) if kind == "torchscript" else torch._inductor.aoti_load_package(path, **options)
    engines = tuple(live_engines(without=before))
    loaded.__dict__["_jitney_engines_"] = lambda: engines
    return loaded


def content(path: str) -> str:
    """Which of FORMATS a zip file is; UserError for another."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    inner = [name.partition("/")[2] for name in names]
    if any(name.startswith("data/aotinductor/") for name in inner):
        return "aot_inductor"
    if any(name.startswith("code/") for name in inner) and "constants.pkl" in inner:
        return "torchscript"
    if "archive_format" in inner or any(name.startswith("models/") for name in inner) or "serialized_exported_program.json" in names:
        return "exported_program"
    raise UserError(f"'{path}' is no exported program, TorchScript or AOTInductor package")


def _with_children(program: torch.export.ExportedProgram) -> torch.export.ExportedProgram:
    """Its module() gives modules with the program's engines as children: the same engines each time."""
    original = program.module

    @functools.wraps(original)
    def module(*args: Any, **kwargs: Any) -> torch.fx.GraphModule:
        return with_modules(original(*args, **kwargs))

    def engines() -> tuple[Any, ...]:
        records = _record_constants(program)
        found = []
        for name, value in program.constants.items():
            if name in records:
                found.append(operators.engine_of_record(value).engine)
            elif isinstance(value, torch.ScriptObject) and value._type().name() == "Engine":
                found.append(operators.engine_of_handle(value).engine)
        return tuple(found)

    program.module = module
    program._jitney_engines_ = engines
    return program


def _record_constants(program: torch.export.ExportedProgram) -> set[str]:
    """Targets of the constants that execute_record runs."""
    by_placeholder = {spec.arg.name: spec.target for spec in program.graph_signature.input_specs}
    found = set()
    for node in program.graph.nodes:
        if node.op == "call_function" and node.target is torch.ops.jitney.execute_record.default:
            target = by_placeholder.get(node.args[1].name)
            if target:
                found.add(target)
    return found


def _export(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], dynamic_shapes: Any,
            output_format: str) -> torch.export.ExportedProgram:
    as_record = output_format == "exported_program"
    if isinstance(module, torch.export.ExportedProgram):
        holds = "execute_engine" if as_record else "execute_record"
        if not any(getattr(node.target, "_opname", "") == holds for node in module.graph.nodes):
            return module
        raise UserError(f"this exported program was made for another format; save the module that it comes from as "
                        f"{output_format!r}, or the program's module() with arg_inputs")
    _check_example(args, kwargs, output_format)
    with torch.no_grad(), _as_records(module) if as_record else _in_cpp(module):
        return torch.export.export(module, args, kwargs or None, dynamic_shapes=dynamic_shapes, strict=False)


def _check_example(args: tuple[Any, ...], kwargs: dict[str, Any], output_format: str) -> None:
    if not args and not kwargs:
        raise UserError(f"saving a module as {output_format!r} needs arg_inputs: an example of what it is called with")


def _module_of(module: Any) -> Any:
    return module.module() if isinstance(module, torch.export.ExportedProgram) else module


@contextlib.contextmanager
def _as_records(module: torch.nn.Module) -> Iterator[None]:
    """Engines are written down as bytes, which need no libjitney_torch to be loaded."""
    children = [child for child in module.modules() if isinstance(child, JitneyModule)]
    for child in children:
        child.record_tensor()
        child._is_exported_as_record = True
    try:
        yield
    finally:
        for child in children:
            child._is_exported_as_record = False


@contextlib.contextmanager
def _in_cpp(module: Any) -> Iterator[None]:
    """Modules in the Python runtime get an engine of libjitney_torch for as long as they are written down."""
    changed: list[tuple[JitneyModule, Any]] = []
    children = module.modules() if isinstance(module, torch.nn.Module) else ()
    for child in children:
        if isinstance(child, JitneyModule) and child.bound.handle is None:
            changed.append((child, child.bound))
            child._take(bound_engine.make(child.record(), "cpp"))
    try:
        yield
    finally:
        for child, bound in changed:
            child._take(bound)
