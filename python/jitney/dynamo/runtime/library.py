# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Which of the two runtimes engines get: libjitney_torch, or the Python package alone."""
from __future__ import annotations

import contextlib
import functools
import importlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from ... import EnvironmentError, UserError, _jitney

_logger = logging.getLogger("jitney.dynamo")
RUNTIMES = ("cpp", "python")
_chosen: list[str] = []


@functools.cache
def _load() -> str:
    """Loads the library; why it cannot be, or ""."""
    package = Path(_jitney.__file__).parent
    # Installed, the library lies in the package; in a build tree it is beside the other libraries.
    for folder in (package / "lib", package.parents[1] / "lib"):
        path = folder / "libjitney_torch.so"
        if path.exists():
            try:
                torch.classes.load_library(str(path))
            except OSError as error:
                return f"{path} cannot be loaded: {error}"
            return ""
    return f"there is no libjitney_torch.so in {package / 'lib'}"


@functools.cache
def calls() -> Any:
    """The module jitney._torch_calls, for calls without the dispatcher's way through Python; None where it is not, for
    another Python or another torch than it was built for."""
    if _load():
        return None
    try:
        return importlib.import_module("jitney._torch_calls")
    except ImportError as error:
        _logger.debug("calls take the longer way: %s", error)
        return None


def has_torch_library() -> bool:
    """Whether libjitney_torch is there; loads it."""
    return not _load()


def require_torch_library(what: str) -> None:
    """EnvironmentError that says what needs the library."""
    if _load():
        raise EnvironmentError(f"{what} needs libjitney_torch, and {_load()}; exported programs work without it")


def runtime() -> str:
    """Of engines that are made from now on: "cpp" where libjitney_torch is, else "python". The environment variable
    JITNEY_TORCH_RUNTIME, and over it use_runtime(), say another."""
    wanted = _chosen[-1] if _chosen else os.environ.get("JITNEY_TORCH_RUNTIME", "")
    if wanted and wanted not in RUNTIMES:
        raise UserError(f"Invalid JITNEY_TORCH_RUNTIME: {wanted!r}. Expected one of {list(RUNTIMES)}")
    if wanted == "cpp":
        require_torch_library("the runtime 'cpp'")
    return wanted or ("cpp" if has_torch_library() else "python")


@contextlib.contextmanager
def use_runtime(name: str) -> Iterator[None]:
    """Engines that are made in the block get this runtime, in all threads."""
    if name not in RUNTIMES:
        raise UserError(f"Invalid runtime: {name!r}. Expected one of {list(RUNTIMES)}")
    _chosen.append(name)
    try:
        yield
    finally:
        _chosen.remove(name)


def front_end() -> Any:
    """jitney.dynamo, which needs more than this package does."""
    return importlib.import_module("jitney.dynamo")
