# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Enumerations by their old names."""
from __future__ import annotations

import enum
from typing import Any

import torch

from ...dynamo.runtime.record import current_platform


class DeviceType(enum.Enum):
    CPU = "cpu"
    GPU = "gpu"


class dtype(enum.Enum):
    """Element types: dtype.f32, dtype.half, ...; to(torch.dtype) and dtype._from(torch.float32) translate."""

    u8 = torch.uint8
    i8 = torch.int8
    i32 = torch.int32
    i64 = torch.int64
    f16 = torch.float16
    f32 = torch.float32
    f64 = torch.float64
    b = torch.bool
    bf16 = torch.bfloat16
    f8 = torch.float8_e4m3fn
    uint8 = u8
    int8 = i8
    int32 = i32
    int64 = i64
    long = i64
    float16 = f16
    fp16 = f16
    half = f16
    float32 = f32
    fp32 = f32
    float = f32
    float64 = f64
    double = f64
    bool = b
    bfloat16 = bf16
    fp8 = f8

    @classmethod
    def _from(cls, other: Any) -> dtype:
        return other if isinstance(other, cls) else cls(other)

    def to(self, kind: Any) -> Any:
        """As torch's dtype, where `kind` is torch.dtype."""
        if kind is not torch.dtype:
            raise TypeError(f"a dtype becomes a torch.dtype, not a {kind!r}")
        return self.value


class Platform(enum.Enum):
    """What engines are for."""

    LINUX_X86_64 = "linux_x86_64"
    LINUX_AARCH64 = "linux_aarch64"
    WIN_X86_64 = "windows_x86_64"
    UNKNOWN = "unknown"

    @classmethod
    def current_platform(cls) -> Platform:
        return cls(current_platform())
