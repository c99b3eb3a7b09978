# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Memory for intermediate values, through modules of PyTorch in both runtimes (K3)."""
import gc
import pickle

import pytest
import torch
from small_models import model as onnx_model

import jitney
import jitney.compat.torch_tensorrt as torch_tensorrt
from jitney.dynamo.runtime import JitneyModule, ResourceAllocationStrategy
from jitney.runtime import RuntimeSettings

pytestmark = pytest.mark.usefixtures("runtime")


class Sums(torch.nn.Module):
    """A product between two reductions: there is an intermediate value that no fusion removes."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.eye(64))

    def forward(self, x):
        return (x.softmax(-1) @ self.weight).softmax(-1)


def wanted(x):
    return x.softmax(-1).softmax(-1)


def compiled(**options):
    rows = torch.export.Dim("rows", min=0, max=8192)
    program = torch.export.export(Sums().eval(), (torch.randn(8, 64),), dynamic_shapes=({0: rows},))
    return jitney.dynamo.compile(program, min_block_size=1, runtime_settings=RuntimeSettings("none", runtime_cache=None),
                                 **options)


def held(module):
    gc.collect()  # what other modules held counts, too
    return module._run_on_acc_0.engine.stats()["device_bytes"]


def test_K3_dynamic_gives_back_what_static_keeps():
    module, x = compiled(), torch.randn(4096, 64)
    with torch.no_grad():
        torch.testing.assert_close(module(x), wanted(x))
        kept, arena = held(module), module._run_on_acc_0.engine.stats()["arena_bytes"]
        assert arena >= 4096 * 64 * 4
        with ResourceAllocationStrategy(module) as same:
            assert same is module and held(module) <= kept - arena, "given back at once"
            torch.testing.assert_close(module(x), wanted(x))
            assert held(module) <= kept - arena, "and after each run"
            with torch_tensorrt.runtime.ResourceAllocationStrategy([module], dynamically_allocate_resources=False):
                module(x)
                assert held(module) > kept - arena
            torch.testing.assert_close(module(x), wanted(x))
            assert held(module) <= kept - arena
        module(x)
        assert held(module) == kept
        assert module._run_on_acc_0.engine.num_execution_contexts_created() == 1


@pytest.mark.parametrize("is_dynamic", [True, False])
def test_K3_empty_inputs_and_a_thousand_runs(is_dynamic):
    module, x = compiled(dynamically_allocate_resources=is_dynamic), torch.randn(16, 64)
    assert module._run_on_acc_0.engine.dynamically_allocate_resources == is_dynamic
    with torch.no_grad():
        assert module(torch.empty(0, 64)).shape == (0, 64)
        for _ in range(100):
            module(x)
        before = held(module), resident()
        for _ in range(1000):
            module(x)
        assert held(module) == before[0]
        assert resident() - before[1] < 1 << 20
        torch.testing.assert_close(module(x), wanted(x))


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def small(**options):
    data = onnx_model([("Neg", ["x"], ["y"], {})], [("x", 1, ("n", 4))], [("y", 1, ("n", 4))])
    return JitneyModule(data, name="neg", **options)


def test_H1_K3_the_record_says_what_holds():
    """In its slot, for whoever loads it: of the engine's own and of scopes, in either runtime."""
    assert [small(dynamically_allocate_resources=on).record().slots()[10] for on in (True, False)] == ["1", "0"]
    module = pickle.loads(pickle.dumps(small(dynamically_allocate_resources=True)))
    assert module.engine.dynamically_allocate_resources and module.record().slots()[10] == "1"
    if module.engine_handle is not None:
        assert module.engine_handle.slots()[10] == "1"
    with ResourceAllocationStrategy(module, dynamically_allocate_resources=False):
        assert module.record().slots()[10] == "0"
        if module.engine_handle is not None:
            assert module.engine_handle.slots()[10] == "0"
    assert module.record().slots()[10] == "1"
    assert torch.equal(module(torch.ones(2, 4)), -torch.ones(2, 4))


def test_K3_by_the_name_of_a_compile():
    module = torch_tensorrt.compile(Sums().eval(), inputs=[torch.randn(8, 64)], min_block_size=1,
                                    dynamically_allocate_resources=True)
    assert module._run_on_acc_0.engine.dynamically_allocate_resources
    x = torch.randn(8, 64)
    torch.testing.assert_close(module(x), wanted(x))
