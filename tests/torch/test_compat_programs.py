# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Programs over torch_tensorrt's runtime API, unchanged but for the import (P, and the rules that they touch)."""
import copy
import io

import pytest
import torch

import jitney.compat.torch_tensorrt as torch_tensorrt
from jitney.compat.torch_tensorrt.runtime import RuntimeCache, RuntimeSettings

pytestmark = pytest.mark.usefixtures("runtime")


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.norm, self.head = torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8), torch.nn.Linear(8, 5)

    def forward(self, x):
        return self.head(self.norm(self.conv(x)).relu().mean((2, 3)))


X = torch.randn(2, 3, 8, 8)


@pytest.fixture
def net():
    return Net().eval()


@pytest.fixture
def module(net):
    with torch.no_grad():
        return torch_tensorrt.compile(net, ir="dynamo", arg_inputs=[torch_tensorrt.Input(shape=(2, 3, 8, 8), dtype=torch.float32)],
                                      min_block_size=1, truncate_double=True, immutable_weights=False,
                                      runtime_settings=RuntimeSettings(runtime_cache=None))


def same(a, b):
    with torch.no_grad():
        return torch_tensorrt.dynamo.utils.cosine_similarity(a, b) > torch_tensorrt.dynamo.utils.COSINE_THRESHOLD


def test_P_an_engine_before_and_after_its_first_run(net, module):
    child = module._run_on_acc_0
    assert isinstance(module, torch.fx.GraphModule)
    assert isinstance(child, torch_tensorrt.runtime.TorchTensorRTModule)
    engine = child.engine
    assert engine.runtime_config is None and not engine.has_context() and engine.num_execution_contexts_created() == 0
    assert same(net(X), module(X))
    assert engine.has_context() and engine.num_execution_contexts_created() == 1
    assert engine.runtime_config.settings == engine.runtime_settings == child.runtime_settings
    assert engine.input_shapes == [(2, 3, 8, 8)] and engine._is_monolithic_capturable(0)
    assert engine.runtime_cache is None or not engine.runtime_cache.path


def test_P_settings_and_scopes(net, module, tmp_path):
    base = module.runtime_settings
    with torch_tensorrt.runtime.runtime_config(module, dynamic_shapes_kernel_specialization_strategy="none") as same_module:
        assert same_module is module
        assert module.runtime_settings.dynamic_shapes_kernel_specialization_strategy == "none"
        with torch_tensorrt.runtime.set_cuda_graph_strategy(module, "whole_graph_capture"):
            assert module.runtime_settings.cuda_graph_strategy == "whole_graph_capture"
        with torch_tensorrt.runtime.runtime_cache(module, tmp_path / "k.jkp") as cache:
            assert same(net(X), module(X)) and cache.has_cache()
    assert module.runtime_settings == base and (tmp_path / "k.jkp").stat().st_size > 0
    with pytest.raises(TypeError, match="Unknown RuntimeSettings field"):
        torch_tensorrt.runtime.runtime_config(module, strategy="none")
    with pytest.raises(ValueError, match="Invalid cuda_graph_strategy: 'x'. Expected one of"):
        base.merge(cuda_graph_strategy="x")
    assert len({base, base.merge(), base.merge(runtime_cache=str(tmp_path / "k.jkp"))}) == 2


def test_P_one_cache_for_two_models_and_through_a_stream(net, module):
    cache, stream = RuntimeCache(), io.BytesIO()
    other = copy.deepcopy(module)
    for each in (module, other):
        each.runtime_settings = RuntimeSettings(runtime_cache=cache)
        assert same(net(X), each(X))
    assert cache.has_cache() and cache.save_to_stream(stream) > 0
    stream.seek(0)
    second = RuntimeCache()
    assert second.load_from_stream(stream) > 0 and not second.has_cache()
    module.runtime_settings = RuntimeSettings(runtime_cache=second)
    assert same(net(X), module(X)) and second.has_cache()


def test_P_engine_bytes_by_hand(net):
    program = torch.export.export(net, (X,))
    data = torch_tensorrt.dynamo.convert_exported_program_to_serialized_trt_engine(program, arg_inputs=(X,))
    settings = torch_tensorrt.dynamo.CompilationSettings(min_block_size=1)
    child = torch_tensorrt.dynamo.runtime.TorchTensorRTModule(
        serialized_engine=data, name="by hand", settings=settings, requires_output_allocator=False)
    assert child.input_binding_names and child.output_binding_names and same(net(X), child(X))
    state = child.state_dict()
    fresh = torch_tensorrt.dynamo.runtime.TorchTensorRTModule()
    fresh.load_state_dict(state)
    assert same(net(X), fresh(X)) and fresh.name == "by hand"
    fresh.engine.close()
    fresh.engine.close()


def test_P_the_backends_names(net):
    for name in ("torch_tensorrt", "tensorrt"):
        torch._dynamo.reset()
        with torch.no_grad():
            compiled = torch.compile(net, backend=name, options={"min_block_size": 1, "use_python_runtime": False,
                                                                 "enabled_precisions": {torch.float32}})
            assert same(net(X), compiled(X))
