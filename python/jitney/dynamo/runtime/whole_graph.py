# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""One CUDA graph over all engines of a model and the PyTorch code between them."""
from __future__ import annotations

import ctypes
import operator
import os
import threading
import warnings
from types import TracebackType
from typing import Any

import torch
from torch.utils import _pytree as pytree

from ...runtime import runtime_config
from ...runtime.cudagraphs import register_whole_graph_wrapper
from ..nodes import is_number, is_view
from .module import JitneyModule


def has_other_parts(model: torch.nn.Module) -> bool:
    """Whether there is PyTorch code around the engines of a model that has work for the device: views have none."""
    if isinstance(model, JitneyModule):
        return False
    if isinstance(model, torch.fx.GraphModule):
        return any(node.op == "call_function" and not (node.target is operator.getitem or is_view(node) or is_number(node))
                   or node.op == "call_method"
                   or node.op == "call_module" and not isinstance(model.get_submodule(node.target), JitneyModule)
                   for node in model.graph.nodes)
    return True


class CudaGraphsModule(torch.nn.Module):
    """Stands in for a model: records it once for each set of shapes, and replays. Inputs are copied into tensors of its
    own, outputs are clones. On a CPU it is the model itself. Calls from several threads take turns."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.compiled_module = model
        self._lock = threading.Lock()
        self._recordings: dict[Any, _Recording] = {}
        self._dump_folder: str | None = None

    def enable_profiling(self, folder: str) -> None:
        """Graphs that are recorded from now on are written there, as .dot files."""
        self._dump_folder = os.fspath(folder)

    def disable_profiling(self) -> None:
        self._dump_folder = None

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        leaves, structure = pytree.tree_flatten((args, kwargs))
        if not any(isinstance(leaf, torch.Tensor) and leaf.is_cuda for leaf in leaves):
            return self.compiled_module(*args, **kwargs)
        key = (structure, *((leaf.shape, leaf.stride(), leaf.dtype, leaf.device) if isinstance(leaf, torch.Tensor) else leaf
                            for leaf in leaves))
        with self._lock:
            recording = self._recordings.get(key)
            if recording is None:
                recording = self._recordings[key] = _Recording(self, leaves, structure)
            return recording.replay(leaves)

    def reset(self) -> None:
        """Forgets what was recorded."""
        with self._lock:
            self._recordings.clear()

    def _check_monolithic_capturability(self, stream: Any = 0) -> None:
        """RuntimeError that names the first engine that cannot be recorded on that stream, why, and what to do."""
        for name, module in self.compiled_module.named_modules():
            if not isinstance(module, JitneyModule):
                continue
            why = module.bound.engine.why_not_capturable(int(getattr(stream, "cuda_stream", stream)))
            if why:
                raise RuntimeError(
                    f"submodule '{name}' is not monolithically capturable: {why}. Set its "
                    "dynamic_shapes_kernel_specialization_strategy to 'eager' or 'none', give it static shapes, or let each "
                    "engine capture itself: cuda_graph_strategy='whole_graph_capture' with set_cudagraphs_mode(True)")


def _dump(graph: torch.cuda.CUDAGraph, path: str) -> None:
    """By the driver: torch's debug_dump writes nothing, without a word, for graphs that were not made for it."""
    code = ctypes.CDLL("libcuda.so.1").cuGraphDebugDotPrint(ctypes.c_void_p(graph.raw_cuda_graph()), os.fsencode(path), 0)
    if code != 0:
        warnings.warn(f"the CUDA graph could not be written to {path}: the driver says {code}", UserWarning, stacklevel=5)


class _Recording:
    """Of one set of shapes."""

    def __init__(self, owner: CudaGraphsModule, leaves: list[Any], structure: Any) -> None:
        model = owner.compiled_module
        self.inputs = [leaf.clone() if isinstance(leaf, torch.Tensor) and leaf.is_cuda else leaf for leaf in leaves]
        args, kwargs = pytree.tree_unflatten(self.inputs, structure)
        is_dumped = owner._dump_folder is not None
        self.graph = torch.cuda.CUDAGraph(keep_graph=is_dumped)
        side = torch.cuda.Stream()
        # What captures itself would be a graph inside the graph.
        with torch.no_grad(), runtime_config(model, cuda_graph_strategy="disabled"):
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(2):
                    model(*args, **kwargs)
            torch.cuda.current_stream().wait_stream(side)
            owner._check_monolithic_capturability(side)
            with torch.cuda.graph(self.graph, stream=side, capture_error_mode="thread_local"):
                self.outputs = model(*args, **kwargs)
            if owner._dump_folder is not None:
                _dump(self.graph, os.path.join(owner._dump_folder, f"whole_graph_{id(self)}.dot"))
                self.graph.instantiate()

    def replay(self, leaves: list[Any]) -> Any:
        for own, given in zip(self.inputs, leaves):
            if isinstance(own, torch.Tensor) and own.is_cuda:
                own.copy_(given)
        self.graph.replay()
        return pytree.tree_map_only(torch.Tensor, torch.Tensor.clone, self.outputs)


class _Wrapped:
    """The context manager that enable_cudagraphs enters."""

    def __init__(self, model: torch.nn.Module) -> None:
        self._model = model

    def __enter__(self) -> CudaGraphsModule:
        self._wrapper = CudaGraphsModule(self._model)
        return self._wrapper

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._wrapper.reset()


def _wrap(target: Any) -> _Wrapped | None:
    is_model = isinstance(target, torch.nn.Module) and any(isinstance(m, JitneyModule) for m in target.modules())
    return _Wrapped(target) if is_model and has_other_parts(target) else None


register_whole_graph_wrapper(_wrap)
