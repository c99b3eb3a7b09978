# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""A compiled module that follows the changes of the module that it comes from."""
from __future__ import annotations

import enum
from typing import Any, cast

import torch

from ..evaluation import evaluating
from . import library
from .refit import refit_module_weights


class RefitFlag(enum.Enum):
    """How a compiled module stands to its original."""

    UNKNOWN = "unknown"  # nobody has looked since something may have changed
    NEEDS_REFIT = "needs refit"  # weights have other values
    NEEDS_RECOMPILE = "needs recompile"  # something else changed
    LIVE = "live"  # they agree


class MutableJitneyModule:
    """`MutableJitneyModule(model, **options)` runs as jitney.dynamo.compile() would make it, and looks at the original
    before each call: other values of parameters and buffers lead to a refit, everything else (other modules, shapes,
    dtypes, attributes that are numbers or texts, another number or shape of inputs) to a compile. Attributes are those
    of the original; setting them changes it. It runs as the original does after eval(), whatever mode that is in. Writes
    past PyTorch's own count (`parameter.data.copy_()`, `.numpy()`) are not seen.

    options: as jitney.compile takes them. set_expected_dynamic_shape_range() says which extents may change.
    """

    def __init__(self, pytorch_model: torch.nn.Module, **options: Any) -> None:
        own = self.__dict__
        own["original_model"] = pytorch_model
        own["options"] = options
        own["gm"] = None  # what was compiled
        own["dynamic_shapes"] = None
        own["state"] = RefitFlag.UNKNOWN
        own["compiles"] = own["refits"] = 0
        own["_structure"] = own["_values"] = own["_called_with"] = None

    def set_expected_dynamic_shape_range(self, args_dynamic_shape: Any, kwargs_dynamic_shape: Any = None) -> None:
        """As torch.export.export() takes dynamic_shapes, of the positional and of the keyword arguments."""
        args, kwargs = tuple(args_dynamic_shape or ()), dict(kwargs_dynamic_shape or {})
        self.__dict__["dynamic_shapes"] = (args, kwargs)
        self.__dict__["gm"] = None

    def update_refit_condition(self) -> RefitFlag:
        """Looks at the original."""
        own = self.__dict__
        if own["gm"] is None or _structure(own["original_model"]) != own["_structure"]:
            own["state"] = RefitFlag.NEEDS_RECOMPILE
        elif _values(own["original_model"]) != own["_values"]:
            own["state"] = RefitFlag.NEEDS_REFIT
        else:
            own["state"] = RefitFlag.LIVE
        return cast(RefitFlag, own["state"])

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        own = self.__dict__
        state = self.update_refit_condition()
        if state is RefitFlag.LIVE and not self._fits(args, kwargs):
            state = RefitFlag.NEEDS_RECOMPILE
        if state is RefitFlag.NEEDS_RECOMPILE:
            own["gm"] = self._compile(args, kwargs)
        elif state is RefitFlag.NEEDS_REFIT:
            refit_module_weights(own["gm"], self._trace(*own["_example"]), in_place=True)
            own["refits"] += 1
        if state is not RefitFlag.LIVE:
            model = own["original_model"]
            own["_structure"], own["_values"] = _structure(model), _values(model)
            # Kept, so that what comes instead lies elsewhere.
            own["_memory"] = [tensor.detach() for tensor in _tensors(model)]
            own["state"] = RefitFlag.LIVE
        return own["gm"](*args, **kwargs)

    forward = __call__

    def _trace(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> torch.export.ExportedProgram:
        shapes = self.__dict__["dynamic_shapes"]
        dynamic = None
        if shapes is not None:
            dynamic = (*shapes[0], *shapes[1].values()) if not kwargs else {**_by_name(self.original_model, shapes[0]),
                                                                             **shapes[1]}
        with torch.no_grad(), evaluating(self.__dict__["original_model"]) as model:
            return torch.export.export(model, args, kwargs or None, dynamic_shapes=dynamic, strict=False)

    def _compile(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        own = self.__dict__
        own["_example"] = (args, kwargs)
        own["_called_with"] = _shapes(args, kwargs)
        own["compiles"] += 1
        return library.front_end().compile(self._trace(args, kwargs), **own["options"])

    def _fits(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Whether what was compiled takes such arguments: extents may differ where they were said to."""
        called = self.__dict__["_called_with"]
        given = _shapes(args, kwargs)
        if self.__dict__["dynamic_shapes"] is None:
            return bool(called == given)
        return len(called) == len(given) and all(a[0] == b[0] and len(a[1]) == len(b[1]) for a, b in zip(called, given))

    def __getattr__(self, name: str) -> Any:
        # Copies ask for methods of theirs before there is a model, and those of the model would not copy this.
        if "original_model" not in self.__dict__ or (name.startswith("__") and name.endswith("__")):
            raise AttributeError(f"{type(self).__name__} has no attribute '{name}'")
        return getattr(self.__dict__["original_model"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.__dict__["original_model"], name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self.__dict__["original_model"], name)

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickles, which compile at their first call."""
        gone = {"gm": None, "state": RefitFlag.UNKNOWN, "compiles": 0, "refits": 0, "_structure": None, "_values": None,
                "_called_with": None}
        return {key: gone.get(key, value) for key, value in self.__dict__.items() if key not in ("_example", "_memory")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def __repr__(self) -> str:
        return f"MutableJitneyModule({self.__dict__['state'].value}, {self.__dict__['original_model']!r})"


def _structure(model: torch.nn.Module) -> tuple[Any, ...]:
    """Everything that a compile depends on but values."""
    plain = (bool, int, float, str, type(None))
    modules = tuple((name, type(module), tuple((key, value) for key, value in module.__dict__.items()
                                               if isinstance(value, plain) and key != "training"))
                    for name, module in model.named_modules())
    tensors = tuple((name, tensor.shape, tensor.dtype, tensor.device)
                    for name, tensor in (*model.named_parameters(), *model.named_buffers()))
    return modules, tensors


def _values(model: torch.nn.Module) -> tuple[tuple[int, int, int], ...]:
    """Changes whenever a parameter or a buffer is written or put in place of another."""
    return tuple((id(tensor), tensor.data_ptr(), tensor._version) for tensor in _tensors(model))


def _tensors(model: torch.nn.Module) -> tuple[torch.Tensor, ...]:
    return (*model.parameters(), *model.buffers())


def _shapes(args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[tuple[Any, Any]]:
    from torch.utils._pytree import tree_flatten

    leaves, structure = tree_flatten((args, kwargs))
    return [(structure, ())] + [((leaf.dtype, leaf.device), tuple(leaf.shape)) if isinstance(leaf, torch.Tensor)
                                else (leaf, ()) for leaf in leaves]


def _by_name(model: torch.nn.Module, shapes: tuple[Any, ...]) -> dict[str, Any]:
    import inspect

    return dict(zip(inspect.signature(model.forward).parameters, shapes))
