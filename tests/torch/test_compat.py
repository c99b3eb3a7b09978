# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The names of torch_tensorrt, and installing them under that name (P)."""
import os
import subprocess
import sys

import pytest
import small_models as models
import torch

import jitney.compat.torch_tensorrt as torch_tensorrt

NAMES = {
    "": "compile save load convert_method_to_trt_engine cross_compile_for_windows Input Device DeviceType dtype Platform "
        "ENABLED_FEATURES MutableTorchTensorRTModule logging runtime dynamo",
    "runtime": "RuntimeSettings RuntimeCache TorchTensorRTModule RuntimeCacheHandle runtime_config runtime_cache "
               "set_dynamic_shapes_kernel_strategy set_cuda_graph_strategy enable_cudagraphs set_cudagraphs_mode "
               "get_cudagraphs_mode get_whole_cudagraphs_mode CudaGraphsMode weight_streaming enable_output_allocator "
               "enable_pre_allocated_outputs optimization_profile ResourceAllocationStrategy",
    "runtime._runtime_cache": "_RuntimeCacheHandle _autosave_at_exit RuntimeCache",
    "dynamo.utils": "COSINE_THRESHOLD DYNAMIC_DIM cosine_similarity prepare_inputs check_output_equal",
    "dynamo.runtime": "TorchTensorRTModule", "dynamo.runtime._TRTEngine": "TRTEngine",
    "dynamo.conversion": "convert_module",
    "dynamo": "convert_exported_program_to_serialized_trt_engine refit_module_weights compile",
    "_defaults": "RUNTIME_CACHE_PATH DYNAMIC_SHAPES_KERNEL_SPECIALIZATION_STRATEGY CUDA_GRAPH_STRATEGY",
}


@pytest.mark.parametrize("module", NAMES, ids=lambda m: m or "top")
def test_P_names(module):
    import importlib

    found = importlib.import_module("jitney.compat.torch_tensorrt" + (f".{module}" if module else ""))
    missing = [name for name in NAMES[module].split() if not hasattr(found, name)]
    assert not missing


def test_P_values():
    assert torch_tensorrt.dynamo.utils.COSINE_THRESHOLD == 0.99 and torch_tensorrt.dynamo.utils.DYNAMIC_DIM == -1
    assert torch_tensorrt.ENABLED_FEATURES.tensorrt_rtx and torch_tensorrt.ENABLED_FEATURES.torch_tensorrt_runtime
    assert torch_tensorrt.dtype._from(torch.float16) is torch_tensorrt.dtype.half
    assert torch_tensorrt.dtype.f32.to(torch.dtype) is torch.float32
    assert torch_tensorrt.Device("cuda:1").gpu_id == 1 and torch_tensorrt.Device(gpu_id=2).to_torch() == torch.device("cuda:2")
    assert torch_tensorrt.Platform.current_platform() is torch_tensorrt.Platform.LINUX_X86_64


def run(code, **environment):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100,
                          env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment})


def test_P_importing_makes_nothing_and_only_install_takes_the_name(tmp_path):
    process = run("""
import sys
import jitney.compat.torch_tensorrt as torch_tensorrt
assert "torch_tensorrt" not in sys.modules
import torch
assert not torch.cuda.is_initialized()
assert torch_tensorrt._defaults.RUNTIME_CACHE_PATH == torch_tensorrt.runtime.RuntimeSettings().runtime_cache
print(torch_tensorrt._defaults.RUNTIME_CACHE_PATH)
""", JITNEY_CACHE_DIR=str(tmp_path / "cache"))
    assert process.stdout == f"{tmp_path / 'cache'}/\n" and not (tmp_path / "cache").exists(), process.stderr


def test_P_install():
    process = run("""
import jitney.compat
jitney.compat.install()
jitney.compat.install()
import torch
import torch_tensorrt
from torch_tensorrt.dynamo.runtime import TorchTensorRTModule
from torch_tensorrt.runtime._runtime_cache import _RuntimeCacheHandle
import small_models
module = TorchTensorRTModule(small_models.unary("Neg"), ["x"], ["y"], name="neg",
                             requires_output_allocator=False)
x = torch.ones(2, 4)
assert torch.equal(module(x), -x)
assert torch.ops.tensorrt.SERIALIZATION_LEN() == 12 and torch.ops.tensorrt.ABI_TARGET_IDX() == 0
assert torch.equal(torch.ops.tensorrt.execute_engine([x], module.engine_handle)[0], -x)
handle = torch.classes.tensorrt.RuntimeCacheHandle("")
assert torch_tensorrt.runtime.RuntimeSettings(runtime_cache=handle).runtime_cache.path == ""
engine = torch.classes.tensorrt.Engine(module.engine_handle.slots(), None)
torch.ops.tensorrt.set_cudagraphs_mode(1)
assert torch_tensorrt.runtime.get_cudagraphs_mode() and torch.ops.tensorrt.get_cudagraphs_mode()
print("fine")
""")
    assert process.stdout == "fine\n", process.stderr


def test_P_install_after_the_other(tmp_path):
    (tmp_path / "torch_tensorrt.py").write_text("")
    process = run(f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
import torch_tensorrt
import jitney.compat
jitney.compat.install()
""")
    assert "torch_tensorrt has been imported already" in process.stderr


def test_P_an_engine_by_its_record(runtime):
    import pickle

    from jitney.compat.torch_tensorrt.dynamo.runtime._TRTEngine import TRTEngine
    from jitney.dynamo.runtime import JitneyModule

    slots = JitneyModule(models.unary("Neg"), name="neg").record().slots()
    engine = TRTEngine(slots)
    x = torch.ones(2, 4)
    assert torch.equal(engine.execute([x])[0], -x)
    assert engine.has_context() and engine.num_execution_contexts_created() == 1 and engine.input_shapes == [(2, 4)]
    assert engine.runtime_config.settings == engine.runtime_settings and engine._is_monolithic_capturable(0)
    assert not engine._rtx_native_cudagraphs
    assert torch.equal(pickle.loads(pickle.dumps(engine)).execute([x])[0], -x)
    engine.close()
    engine.close()
    TRTEngine.__new__(TRTEngine).close()


@pytest.mark.parametrize("a, b, least, most", [
    ([1.0, 2], [2.0, 4], 1, 1), ([1.0, 0], [0.0, 1], 0, 0), ([0.0, 0], [0.0, 0], 1, 1), ([0.0, 0], [0.0, 1], 0, 0),
    ([1.0, float("inf")], [1.0, float("inf")], 1, 1), ([1.0, float("nan")], [1.0, 2.0], 0, 0),
    ([1.0, float("inf")], [1.0, float("-inf")], 0, 0), ([1.0], [1.0, 2.0], 0, 0)])
def test_P_cosine_similarity(a, b, least, most):
    found = torch_tensorrt.dynamo.utils.cosine_similarity(torch.tensor(a), torch.tensor(b))
    assert least - 1e-12 <= found <= most + 1e-12


def test_P_check_output_equal_and_prepare_inputs():
    equal = torch_tensorrt.dynamo.utils.check_output_equal
    x = torch.ones(2)
    assert equal([x, {"a": (x,)}], [x.clone(), {"a": (x + 1e-5,)}])
    assert not equal([x], [x, x]) and not equal(x, x + 1) and not equal({"a": x}, {"b": x}) and not equal(x, [x])
    inputs = torch_tensorrt.dynamo.utils.prepare_inputs([x, {"k": (torch.ones(3, 1),)}])
    assert inputs[0].shape == (2,) and inputs[1]["k"][0].shape == (3, 1)


class Small(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = torch.nn.Linear(4, 8), torch.nn.Linear(8, 3)

    def forward(self, x):
        return self.b(self.a(x).relu()).softmax(-1)


def test_P_a_program_from_model_to_file(runtime, tmp_path):
    """What programs of torch_tensorrt do: compile, set, run, save, load."""
    net, x = Small().eval(), torch.randn(2, 4)
    settings = torch_tensorrt.runtime.RuntimeSettings(runtime_cache=tmp_path / "k.jkp")
    module = torch_tensorrt.compile(net, ir="dynamo", inputs=[x], min_block_size=1, runtime_settings=settings,
                                    enabled_precisions={torch.float32}, use_explicit_typing=True, device="cpu")
    assert [n for n, _ in module.named_children() if n.startswith("_run_on_acc_")] == ["_run_on_acc_0"]
    expected = net(x)
    assert torch_tensorrt.dynamo.utils.cosine_similarity(expected, module(x)) > 0.9999
    assert module._run_on_acc_0.runtime == runtime and module._run_on_acc_0.runtime_settings == settings
    with torch_tensorrt.runtime.runtime_cache(module, tmp_path / "other.jkp"):
        module(x)
    assert (tmp_path / "other.jkp").exists()
    torch_tensorrt.save(module, tmp_path / "net.ep", inputs=[x])
    loaded = torch_tensorrt.load(tmp_path / "net.ep").module()
    torch.testing.assert_close(loaded(x), expected, rtol=1e-4, atol=1e-4)
    engine = torch_tensorrt.convert_method_to_trt_engine(net, inputs=[x], min_block_size=1)
    by_hand = torch_tensorrt.dynamo.runtime.TorchTensorRTModule(engine, name="by hand")
    torch.testing.assert_close(by_hand(x), expected, rtol=1e-4, atol=1e-4)
    with pytest.raises(TypeError, match="runtime_settings"):
        torch_tensorrt.compile(net, inputs=[x], cuda_graph_strategy="disabled")


def test_N2_cross_compiling(runtime, tmp_path):
    net, x = Small().eval(), torch.randn(2, 4)
    module = torch_tensorrt.cross_compile_for_windows(net, inputs=[x], min_block_size=1)
    child = module._run_on_acc_0
    assert child.target_platform == "windows_x86_64"
    with pytest.raises(ValueError, match="is for the platform 'windows_x86_64'; this is 'linux_x86_64'"):
        module(x)
