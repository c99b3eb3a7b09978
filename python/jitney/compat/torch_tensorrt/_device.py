# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Where a model runs."""
from __future__ import annotations

from typing import Any

import torch

from ._enums import DeviceType


class Device:
    """Device("cuda:0"), Device(gpu_id=0), Device(torch.device(...))."""

    def __init__(self, device: Any = None, *, gpu_id: int = 0, device_type: Any = None, **options: Any) -> None:
        if isinstance(device, Device):
            device = device.to_torch()
        if device is None:
            kind = DeviceType.GPU if device_type is None else DeviceType(device_type)
            device = "cpu" if kind is DeviceType.CPU else f"cuda:{gpu_id}"
        self._device = torch.device(device)

    @property
    def device_type(self) -> DeviceType:
        return DeviceType.CPU if self._device.type == "cpu" else DeviceType.GPU

    @property
    def gpu_id(self) -> int:
        return self._device.index or 0

    def to_torch(self) -> torch.device:
        return self._device

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) and self._device == other._device

    def __hash__(self) -> int:
        return hash(self._device)

    def __repr__(self) -> str:
        return f"Device({str(self._device)!r})"
