# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Levels of what Jitney says, as scopes: `with torch_tensorrt.logging.debug():`."""
from ...logging import debug, errors, graphs, info, set_level, warnings

internal_errors = errors


def set_reportable_log_level(level: str) -> None:
    """The level outside of scopes: "errors", "warnings", "info", "debug", "graphs"."""
    set_level(level)


__all__ = ["debug", "errors", "graphs", "info", "internal_errors", "set_reportable_log_level", "warnings"]
