# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The record of an engine: its 12 slots, and what is said of other layouts (H1, H2, N2)."""
import base64
import json

import pytest
import small_models as models
import torch

from jitney import UserError
from jitney.dynamo.runtime import SERIALIZATION_LEN, JitneyModule, SerializedInfoIndex, record

pytestmark = pytest.mark.usefixtures("runtime")


@pytest.fixture
def slots(runtime):
    return JitneyModule(models.sum_and_difference(), ["b", "a"], ["difference", "sum"], name="both",
                        metadata={"made by": "a test"}).record().slots()


def test_H1_what_the_slots_hold(slots):
    assert SERIALIZATION_LEN == 12 and [slot.name for slot in SerializedInfoIndex] == [
        "ABI_TARGET", "NAME", "DEVICE", "ENGINE", "INPUT_BINDING_NAMES", "OUTPUT_BINDING_NAMES", "HW_COMPATIBLE",
        "SERIALIZED_METADATA", "TARGET_PLATFORM", "REQUIRES_OUTPUT_ALLOCATOR", "RESOURCE_ALLOCATION_STRATEGY",
        "REQUIRES_NATIVE_MULTIDEVICE"]
    assert len(slots) == 12 and all(isinstance(slot, str) for slot in slots)
    assert slots[SerializedInfoIndex.NAME] == "both" and slots[SerializedInfoIndex.DEVICE] == "cpu"
    assert json.loads(slots[SerializedInfoIndex.INPUT_BINDING_NAMES]) == ["b", "a"]
    assert json.loads(slots[SerializedInfoIndex.OUTPUT_BINDING_NAMES]) == ["difference", "sum"]
    assert json.loads(slots[SerializedInfoIndex.SERIALIZED_METADATA]) == {"made by": "a test"}
    engine = base64.b64decode(slots[SerializedInfoIndex.ENGINE])
    # What is in it is a .jitney file, which a module can be made of again.
    assert JitneyModule(engine)(torch.ones(1, 3), torch.ones(1, 3))[0].sum() == 6


def test_H1_the_two_runtimes_write_the_same():
    def of(runtime):
        return JitneyModule(models.unary("Neg"), name="neg", runtime=runtime).record().slots()

    assert of("cpp") == of("python")


def test_H1_no_settings_in_it():
    from jitney.runtime import RuntimeSettings

    module = JitneyModule(models.unary("Neg"), name="neg")
    before = module.record().slots()
    module.runtime_settings = RuntimeSettings(dynamic_shapes_kernel_specialization_strategy="eager", runtime_cache=None)
    module(torch.ones(2, 4))
    assert module.record().slots() == before


def test_H1_constants_are_those_of_the_library():
    ops = torch.ops.jitney
    assert [getattr(ops, f"{slot.name}_IDX")() for slot in SerializedInfoIndex] == list(range(12))
    assert ops.SERIALIZATION_LEN() == 12 and ops.ABI_VERSION() == record.ABI_TARGET
    assert ops.get_current_platform() == record.current_platform()


def test_H1_bytes_there_and_back(slots):
    whole = record.parse_slots(slots)
    assert record.parse_tensor(whole.to_tensor()).slots() == slots


def load(slots, runtime):
    if runtime == "cpp":
        return torch.classes.jitney.Engine(slots, None)
    return record.parse_slots(slots)


@pytest.mark.parametrize("change, words", [
    (lambda s: s + [""] * 4, "layout mismatch: an engine's record has 12 slots, found 16"),
    (lambda s: s[:11], "layout mismatch: an engine's record has 12 slots, found 11"),
    (lambda s: ["8", *s[1:]], "a TensorRT engine (ABI 8)"),
    (lambda s: ["jitney-2", *s[1:]], "must have the ABI 'jitney-1', found 'jitney-2'"),
    (lambda s: [*s[:8], "windows_x86_64", *s[9:]], "engine 'both' is for the platform 'windows_x86_64'; this is 'linux_"),
    (lambda s: [*s[:8], "unknown", *s[9:]], "for the platform 'unknown'"),
    (lambda s: [*s[:3], "*" * 8, *s[4:]], "not base64"),
    (lambda s: [*s[:3], "abcde", *s[4:]], "not base64"),
    (lambda s: [*s[:4], "a", *s[5:]], "INPUT_BINDING_NAMES"),
    (lambda s: [*s[:7], "[]", *s[8:]], "SERIALIZED_METADATA"),
    (lambda s: [*s[:9], "yes", *s[10:]], "REQUIRES_OUTPUT_ALLOCATOR"),
])
def test_H2_other_layouts_are_refused(slots, runtime, change, words):
    with pytest.raises(ValueError) as error:
        load(change(slots), runtime)
    assert words in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("cut", [0, 4, 100])
def test_H6_damaged_engines_are_refused(slots, runtime, cut):
    data = bytearray(base64.b64decode(slots[SerializedInfoIndex.ENGINE]))
    damaged = data[:cut] if cut < 100 else data[:-7] + bytes(7)
    with pytest.raises((ValueError, RuntimeError)):
        JitneyModule(bytes(damaged), runtime=runtime).setup_engine()


def test_N2_a_record_for_another_platform_is_kept_but_does_not_run():
    module = JitneyModule(models.unary("Neg"), name="neg", target_platform="windows_x86_64")
    assert module.target_platform == "windows_x86_64" and len(module.record().slots()) == 12
    with pytest.raises(UserError, match="'neg' is for the platform 'windows_x86_64'"):
        module(torch.ones(1, 4))


def test_base64_of_every_length(runtime):
    if runtime == "cpp":
        empty = JitneyModule(models.unary("Neg"), runtime="cpp")
        handle = empty.engine_handle
        assert base64.b64decode(handle.slots()[SerializedInfoIndex.ENGINE]) == handle.serialize().numpy().tobytes()
    for length in range(12):
        data = record.bytes_to_tensor(bytes(range(200, 200 + length)))
        slot = record.Record("n", data).slots()[SerializedInfoIndex.ENGINE]
        assert base64.b64decode(slot) == data.numpy().tobytes()
