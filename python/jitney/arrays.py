# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Types that numpy has only with ml_dtypes."""
from __future__ import annotations

from typing import Any


def with_extension_type(array: Any, dtype: str) -> Any:
    """The bits of `array` as ml_dtypes' type of that name; as they are where ml_dtypes is not installed."""
    try:
        import ml_dtypes
    except ImportError:
        return array
    return array.view(getattr(ml_dtypes, dtype))


def needs_extension_type(dtype: str) -> bool:
    return dtype == "bfloat16" or dtype.startswith(("float8", "float4", "int4", "uint4", "int2", "uint2"))
