# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What an engine in a PyTorch program is made of: 12 slots, the same in both runtimes and in every file."""
from __future__ import annotations

import base64
import dataclasses
import enum
import json
import platform
import sys
from typing import Any

import torch

from ... import UserError, _jitney
from . import library


class SerializedInfoIndex(enum.IntEnum):
    """Where each slot is. libjitney_torch has the same numbers; importing checks it."""

    ABI_TARGET = 0
    NAME = 1
    DEVICE = 2
    ENGINE = 3
    INPUT_BINDING_NAMES = 4
    OUTPUT_BINDING_NAMES = 5
    HW_COMPATIBLE = 6
    SERIALIZED_METADATA = 7
    TARGET_PLATFORM = 8
    REQUIRES_OUTPUT_ALLOCATOR = 9
    RESOURCE_ALLOCATION_STRATEGY = 10
    REQUIRES_NATIVE_MULTIDEVICE = 11


SERIALIZATION_LEN = len(SerializedInfoIndex)
ABI_TARGET = "jitney-1"


def current_platform() -> str:
    system = {"linux": "linux", "win32": "windows"}.get(sys.platform)
    machine = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "aarch64"}.get(platform.machine())
    return f"{system}_{machine}" if system and machine else "unknown"


@dataclasses.dataclass
class Record:
    """One engine. Settings, streams and ranks are never in it. As slots: strings; ENGINE in base64, names as JSON lists,
    flags as "0" or "1", metadata as a JSON object."""

    name: str
    engine: torch.Tensor  # uint8, rank 1: the bytes of a .jitney file; empty where there is a built_engine
    device: str = "cpu"
    input_binding_names: list[str] = dataclasses.field(default_factory=list)
    output_binding_names: list[str] = dataclasses.field(default_factory=list)
    hw_compatible: bool = True
    metadata: dict[str, Any] = dataclasses.field(default_factory=dict)
    target_platform: str = dataclasses.field(default_factory=current_platform)
    requires_output_allocator: bool = False
    allocates_dynamically: bool = False
    requires_native_multidevice: bool = False
    built_engine: _jitney.Engine | None = None  # in place of bytes, as long as nobody needs those

    @property
    def engine_bytes(self) -> torch.Tensor:
        return self.engine if self.built_engine is None else bytes_to_tensor(self.built_engine.serialize())

    def slots(self, with_engine: bool = True) -> list[str]:
        """Without the engine its slot is empty: it travels as bytes."""
        flags = {True: "1", False: "0"}
        return [ABI_TARGET, self.name, self.device,
                base64.b64encode(self.engine_bytes.numpy().tobytes()).decode() if with_engine else "",
                json.dumps(self.input_binding_names), json.dumps(self.output_binding_names), flags[self.hw_compatible],
                json.dumps(self.metadata, sort_keys=True), self.target_platform, flags[self.requires_output_allocator],
                flags[self.allocates_dynamically], flags[self.requires_native_multidevice]]

    def to_tensor(self) -> torch.Tensor:
        """One uint8 tensor: the length of the slots' JSON in 8 bytes, little-endian; the JSON; the engine's bytes."""
        head = json.dumps(self.slots(with_engine=False)).encode()
        prefix = torch.frombuffer(bytearray(len(head).to_bytes(8, "little") + head), dtype=torch.uint8)
        return torch.cat([prefix, self.engine_bytes.cpu()])


def parse_slots(slots: list[str], engine: torch.Tensor | None = None, *, anywhere: bool = False) -> Record:
    """UserError that names expected and found for another length, ABI or platform and for slots that are not what they
    should be. `engine` takes the place of its slot. anywhere: whatever platform it is for."""
    if len(slots) != SERIALIZATION_LEN:
        raise UserError(f"layout mismatch: an engine's record has {SERIALIZATION_LEN} slots, found {len(slots)}")
    index = SerializedInfoIndex
    abi = slots[index.ABI_TARGET]
    if abi.isdigit():
        raise UserError(f"this is a record of a TensorRT engine (ABI {abi}); Jitney's have the ABI '{ABI_TARGET}', and "
                        "compiling the model with Jitney makes one")
    if abi != ABI_TARGET:
        raise UserError(f"an engine's record must have the ABI '{ABI_TARGET}', found '{abi}'")
    target, here = slots[index.TARGET_PLATFORM], current_platform()
    if target != here and not anywhere:
        raise UserError(f"engine '{slots[index.NAME]}' is for the platform '{target}'; this is '{here}'")
    if engine is None:
        try:
            engine = bytes_to_tensor(base64.b64decode(slots[index.ENGINE], validate=True))
        except ValueError as error:
            raise UserError(f"an engine's bytes are not base64: {error}") from None
    return Record(slots[index.NAME], engine, slots[index.DEVICE], _names(slots, index.INPUT_BINDING_NAMES),
                  _names(slots, index.OUTPUT_BINDING_NAMES), _flag(slots, index.HW_COMPATIBLE),
                  _json(slots, index.SERIALIZED_METADATA, dict, "a JSON object"), target,
                  _flag(slots, index.REQUIRES_OUTPUT_ALLOCATOR), _flag(slots, index.RESOURCE_ALLOCATION_STRATEGY),
                  _flag(slots, index.REQUIRES_NATIVE_MULTIDEVICE))


def parse_tensor(record: torch.Tensor) -> Record:
    """The opposite of to_tensor()."""
    data = record.cpu()
    size = int.from_bytes(data[:8].numpy().tobytes(), "little")
    if data.dtype != torch.uint8 or data.dim() != 1 or size > data.numel() - 8:
        raise UserError("an engine's record is damaged: its length is not what it says")
    try:
        slots = json.loads(data[8:8 + size].numpy().tobytes())
    except ValueError as error:
        raise UserError(f"an engine's record is damaged: {error}") from None
    if not isinstance(slots, list) or not all(isinstance(slot, str) for slot in slots):
        raise UserError("an engine's record is damaged: its slots are no list of texts")
    return parse_slots(slots, data[8 + size:])


def bytes_to_tensor(data: bytes | bytearray | memoryview) -> torch.Tensor:
    return torch.frombuffer(bytearray(data), dtype=torch.uint8) if len(data) else torch.empty(0, dtype=torch.uint8)


def check_library() -> None:
    """The layout is defined once: what libjitney_torch says must be what is said here."""
    if not library.has_torch_library():
        return
    theirs = [getattr(torch.ops.jitney, f"{slot.name}_IDX")() for slot in SerializedInfoIndex]
    if (theirs != list(SerializedInfoIndex) or torch.ops.jitney.SERIALIZATION_LEN() != SERIALIZATION_LEN
            or torch.ops.jitney.ABI_VERSION() != ABI_TARGET):
        raise ImportError(f"libjitney_torch is of another version: its records are {theirs} under ABI "
                          f"{torch.ops.jitney.ABI_VERSION()}, expected {SERIALIZATION_LEN} slots under {ABI_TARGET}")


def _json(slots: list[str], index: SerializedInfoIndex, kind: type, what: str) -> Any:
    try:
        value = json.loads(slots[index])
    except ValueError:
        value = None
    if not isinstance(value, kind):
        raise UserError(f"slot {index.name} of an engine's record must be {what}")
    return value


def _names(slots: list[str], index: SerializedInfoIndex) -> list[str]:
    names: list[str] = _json(slots, index, list, "a JSON list of names")
    if not all(isinstance(name, str) for name in names):
        raise UserError(f"slot {index.name} of an engine's record must be a JSON list of names")
    return names


def _flag(slots: list[str], index: SerializedInfoIndex) -> bool:
    if slots[index] not in ("0", "1"):
        raise UserError(f"slot {index.name} of an engine's record must be '0' or '1', found {slots[index]!r}")
    return slots[index] == "1"
