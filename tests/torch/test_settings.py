# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Settings, caches and scopes of modules, in both runtimes (A6-A13, B2-B10, D, F1-F10, K, L)."""
import copy
import gc
import pickle
import warnings

import pytest
import small_models as models
import torch

import jitney
from jitney import UserError
from jitney.dynamo.runtime import (CudaGraphsModule, JitneyModule, compiled, enable_output_allocator,
                                   enable_pre_allocated_outputs)
from jitney.runtime import (RuntimeCache, RuntimeSettings, enable_cudagraphs, get_cudagraphs_mode,
                            get_whole_cudagraphs_mode, optimization_profile, runtime_cache, runtime_config,
                            set_cuda_graph_strategy, set_cudagraphs_mode, set_dynamic_shapes_kernel_strategy)

pytestmark = pytest.mark.usefixtures("runtime")
X = torch.randn(2, 4)


def neg(**options):
    return JitneyModule(models.unary("Neg"), name="neg", **options)


def memory(strategy="none"):
    return RuntimeSettings(dynamic_shapes_kernel_specialization_strategy=strategy, runtime_cache=None)


class Pair(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.middle, self.second = neg(), torch.nn.ReLU(), JitneyModule(models.unary("Abs"), name="abs")

    def forward(self, x):
        return self.second(self.middle(self.first(x)) - 1)


def wanted(x):
    return ((-x).relu() - 1).abs()


def graph_module():
    return compiled(torch.fx.GraphModule(Pair(), _graph()))


def _graph():
    graph = torch.fx.Graph()
    x = graph.placeholder("x")
    x = graph.call_module("middle", (graph.call_module("first", (x,)),))
    graph.output(graph.call_module("second", (graph.call_function(torch.sub, (x, 1)),)))
    return graph


def test_A7_settings_before_and_after_the_engine_exists():
    module = neg(lazy_engine_init=True)
    module.runtime_settings = memory("eager")
    assert module._bound is None and module.runtime_settings == memory("eager")
    assert torch.equal(module(X), -X)
    assert module.engine.runtime_settings == memory("eager")
    module.runtime_settings = memory("none")
    assert module.engine.runtime_settings == module.runtime_settings == memory("none")
    with pytest.raises(TypeError, match="RuntimeSettings"):
        module.runtime_settings = "eager"


def test_A7_settings_of_a_compiled_graph_module():
    for model in (graph_module(), copy.deepcopy(graph_module()), pickle.loads(pickle.dumps(graph_module()))):
        model.runtime_settings = memory("eager")
        assert model.first.runtime_settings == model.second.runtime_settings == model.runtime_settings == memory("eager")
        torch.testing.assert_close(model(X), wanted(X))
        model.second.runtime_settings = memory("none")
        with pytest.raises(RuntimeError, match="(?s)'neg'.*eager.*'abs'.*none"):
            model.runtime_settings
    empty = compiled(torch.fx.GraphModule(torch.nn.Module(), torch.fx.symbolic_trace(torch.nn.ReLU()).graph))
    with pytest.raises(RuntimeError, match="no engine"):
        empty.runtime_settings


def test_A9_the_bundled_setter_of_the_library():
    module = neg(runtime="cpp")
    handle = torch.classes.jitney.RuntimeCacheHandle("")
    module.engine_handle.update_runtime_settings(1, 1, handle)
    settings = module.runtime_settings
    assert settings.dynamic_shapes_kernel_specialization_strategy == "eager"
    assert settings.cuda_graph_strategy == "whole_graph_capture"
    assert settings == RuntimeSettings("eager", "whole_graph_capture", handle)
    module.engine_handle.update_runtime_settings(2, 0, None)
    assert module.runtime_settings == memory("none")
    with pytest.raises(RuntimeError, match="Invalid dynamic_shapes_kernel_specialization_strategy: 9. Expected one of"):
        module.engine_handle.update_runtime_settings(9, 0, None)
    assert module.runtime_settings == memory("none")


def test_A10_settings_as_text():
    text = neg(runtime="cpp").engine_handle.runtime_settings()
    assert [line.split(":")[0] for line in text.splitlines()] == [
        "Dynamic Shapes Kernel Strategy", "CUDA Graph Strategy", "Runtime Cache"]


def test_A11_contexts_are_made_by_runs_alone():
    module = neg(runtime_settings=memory())
    engine = module.engine
    assert engine.num_execution_contexts_created() == 0 and not engine.has_context() and engine.runtime_config is None
    module.runtime_settings = memory("eager")
    assert engine.num_execution_contexts_created() == 0
    module(X)
    assert engine.num_execution_contexts_created() == 1 and engine.has_context()
    module.runtime_settings = memory("eager")
    module(X)
    assert engine.num_execution_contexts_created() == 1
    compiled_before = engine.stats()["compiled"]
    assert compiled_before > 0
    module.runtime_settings = memory("none")
    module(X)
    assert engine.num_execution_contexts_created() == 2
    module.runtime_settings = memory("eager")
    module(X)
    assert engine.num_execution_contexts_created() == 3 and engine.stats()["compiled"] == compiled_before


def test_A13_invalidating():
    module = neg(runtime_settings=memory())
    module(X)
    module.engine.invalidate_context()
    assert not module.engine.has_context()
    assert torch.equal(module(X), -X) and module.engine.num_execution_contexts_created() == 2
    assert module.engine.input_shapes == [(2, 4)]


def test_B4_a_path_makes_a_cache_that_the_module_owns(tmp_path):
    path = tmp_path / "kernels.jkp"
    module = neg(runtime_settings=RuntimeSettings("none", runtime_cache=path))
    handle = module._implicit_cache_handle
    assert handle is not None and handle.path == str(path)
    module(X)
    assert module._implicit_cache_handle is handle and handle.has_cache() and not path.exists()
    module.runtime_settings = memory()
    assert path.exists() and module._implicit_cache_handle is None
    again = neg(runtime_settings=RuntimeSettings("none", runtime_cache=path))
    again(X)
    assert again.engine.stats()["compiled"] == 0 and again.engine.stats()["from_cache"] > 0


def test_B5_a_module_that_goes_saves_its_cache(tmp_path):
    path = tmp_path / "kernels.jkp"
    module = neg(runtime_settings=RuntimeSettings("none", runtime_cache=path))
    module(X)
    del module
    gc.collect()
    assert path.exists()


def test_B9_one_handle_on_engines_of_both_runtimes():
    cache = RuntimeCache()
    settings = RuntimeSettings("none", runtime_cache=cache)
    first = neg(runtime="cpp", runtime_settings=settings)
    second = neg(runtime="python", runtime_settings=settings)
    first(X)
    assert first.engine.stats()["compiled"] > 0
    second(X)
    assert second.engine.stats()["compiled"] == 0 and second.engine.stats()["from_cache"] > 0
    assert first.engine.runtime_cache is second.engine.runtime_cache is cache


def test_B2_B10_the_handle_of_the_library(tmp_path):
    handle = torch.classes.jitney.RuntimeCacheHandle(str(tmp_path / "kernels.jkp"))
    assert handle.path == str(tmp_path / "kernels.jkp") and not handle.has_cache() and handle.serialize().numel() == 0
    module = neg(runtime_settings=RuntimeSettings("none", runtime_cache=handle))
    module(X)
    data = handle.serialize()
    assert handle.has_cache() and data.dtype == torch.uint8 and data.numel() > 100
    for other in (pickle.loads(pickle.dumps(handle)), copy.deepcopy(handle)):
        assert other.path == handle.path and not other.has_cache() and not other == handle
        assert torch.equal(other.serialize(), data)  # pending, as it was given
        reader = neg(runtime_settings=RuntimeSettings("none", runtime_cache=other))
        reader(X)
        assert reader.engine.stats()["compiled"] == 0
    cache = RuntimeCache()
    cache.deserialize(data.numpy().tobytes())
    reader = neg(runtime_settings=RuntimeSettings("none", runtime_cache=cache))
    reader(X)
    assert reader.engine.stats()["compiled"] == 0
    with pytest.raises(ValueError, match="uint8"):
        handle.deserialize(torch.ones(3))


def test_A6_H3_settings_and_caches_stay_out_of_pickles(tmp_path):
    module = neg(runtime_settings=RuntimeSettings("eager", runtime_cache=tmp_path / "k.jkp"))
    module(X)
    data = pickle.dumps(module)
    assert b"k.jkp" not in data and b"eager" not in data
    loaded = pickle.loads(data)
    assert str(loaded.runtime_settings.runtime_cache) != str(tmp_path / "k.jkp")
    assert torch.equal(loaded(X), -X)


def test_H3_settings_of_the_compile_lose_those_of_the_run():
    import dataclasses

    global Settings

    @dataclasses.dataclass
    class Settings:
        device: str = "cpu"
        runtime_settings: object = None
        progress: object = None

    Settings.__qualname__ = "Settings"
    module = neg(settings=Settings(runtime_settings=memory("eager"), progress=lambda *a: None))
    loaded = pickle.loads(pickle.dumps(module))
    assert loaded.settings == Settings() and module.settings.runtime_settings == memory("eager")


def test_D1_scopes_on_modules_at_any_depth():
    model = torch.nn.Sequential(Pair(), torch.nn.Sequential(Pair()))
    engines = [m.engine for m in model.modules() if isinstance(m, JitneyModule)]
    for engine in engines:
        engine.update_runtime_settings(memory("none"))
    with runtime_config(model, dynamic_shapes_kernel_specialization_strategy="eager") as same:
        assert same is model and all(e.runtime_settings == memory("eager") for e in engines)
        with set_dynamic_shapes_kernel_strategy([model[0], model], "lazy"):
            assert all(e.runtime_settings == memory("lazy") for e in engines)
        assert all(e.runtime_settings == memory("eager") for e in engines)
    assert all(e.runtime_settings == memory("none") for e in engines)
    with pytest.raises(TypeError, match="Unknown RuntimeSettings field"):
        runtime_config(model, cuda_graphs=True)


def test_D2_a_cache_for_a_model(tmp_path):
    model = Pair()
    with runtime_cache(model, tmp_path / "k.jkp") as handle:
        torch.testing.assert_close(model(X), wanted(X))
        assert handle.has_cache()
    assert (tmp_path / "k.jkp").exists()
    other = Pair()
    with runtime_cache(other, tmp_path / "k.jkp"):
        other(X)
    assert other.first.engine.stats()["compiled"] == other.second.engine.stats()["compiled"] == 0
    with pytest.raises(RuntimeError, match="requires at least one"), runtime_cache(torch.nn.ReLU()):
        pass


def test_D1_settings_in_a_scope_are_those_of_the_run_in_the_other_thread():
    """Settings belong to the engine, not to the thread."""
    import threading

    module, seen = neg(runtime_settings=memory("none")), []
    with runtime_config(module, dynamic_shapes_kernel_specialization_strategy="eager"):
        thread = threading.Thread(target=lambda: seen.append(module.runtime_settings))
        thread.start()
        thread.join()
    assert seen == [memory("eager")]


def test_F1_modes():
    assert not get_cudagraphs_mode() and not get_whole_cudagraphs_mode()
    try:
        set_cudagraphs_mode(True)
        assert get_cudagraphs_mode() and not get_whole_cudagraphs_mode() and torch.ops.jitney.get_cudagraphs_mode()
        with enable_cudagraphs(Pair()):
            assert not get_cudagraphs_mode() and get_whole_cudagraphs_mode() and torch.ops.jitney.get_whole_cudagraphs_mode()
        assert get_cudagraphs_mode()
    finally:
        torch.ops.jitney.set_cudagraphs_mode(0)
    assert not get_cudagraphs_mode()
    with pytest.raises(ValueError, match="0, 1 or 2"):
        torch.ops.jitney.set_cudagraphs_mode(7)


def test_F2_F10_on_a_cpu_everything_is_accepted_and_right():
    model, single = Pair(), neg()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with enable_cudagraphs(model, cuda_graph_strategy="whole_graph_capture") as wrapped:
            assert isinstance(wrapped, CudaGraphsModule)
            assert model.first.runtime_settings.cuda_graph_strategy == "whole_graph_capture"
            torch.testing.assert_close(wrapped(X), wanted(X))
            wrapped._check_monolithic_capturability(0)
        assert model.first.runtime_settings.cuda_graph_strategy == "disabled"
        with enable_cudagraphs(single) as same:
            assert same is single and get_cudagraphs_mode()
            assert torch.equal(same(X), -X)
        with set_cuda_graph_strategy(single, "whole_graph_capture"):
            assert torch.equal(single(X), -X) and single.engine._rtx_native_cudagraphs


def test_F10_one_warning_a_process(runtime):
    """In a process of its own, because it is told once."""
    import os
    import subprocess
    import sys

    code = """
import warnings
import small_models as models, torch
from jitney.dynamo.runtime import JitneyModule
from jitney.runtime import RuntimeSettings
x = torch.ones(1, 4)
settings = RuntimeSettings(cuda_graph_strategy="whole_graph_capture", runtime_cache=None)
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    for _ in range(2):
        module = JitneyModule(models.unary("Neg"), runtime_settings=settings)
        before = len(told)
        module(x), module(x)
print(before - 0, len(told), told[0].category.__name__, "has no effect" in str(told[0].message))
"""
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100,
                             env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert process.stdout == "1 1 UserWarning True\n", process.stdout + process.stderr


def test_K1_an_output_allocator():
    module = JitneyModule(models.nonzero())
    x = torch.tensor([[0.0, 1, 0, 2]])
    with enable_output_allocator(module) as same:
        assert same is module and torch.equal(module(x), x.nonzero().t())


def test_K2_pre_allocated_outputs_are_new_tensors_all_the_same():
    module = neg()
    with enable_pre_allocated_outputs(module):
        assert module.bound.use_pre_allocated_outputs
        outputs = [module(X + i) for i in range(3)]
        with enable_pre_allocated_outputs([module]):
            outputs.append(module(X + 3))
        assert module.bound.use_pre_allocated_outputs
        assert torch.equal(module(torch.ones(5, 4)), -torch.ones(5, 4))
        outputs.append(module(X + 4))
        outputs.append(module(outputs[-1]))  # what it gave is what it is given
    assert not module.bound.use_pre_allocated_outputs
    for i, output in enumerate(outputs[:5]):
        assert torch.equal(output, -(X + i))
    assert torch.equal(outputs[5], X + 4)
    assert len({output.data_ptr() for output in outputs}) == len(outputs)


def kv_cache(aliased=True):
    return JitneyModule(models.kv_cache(), name="kv", aliased_io={"cache_out": "cache"} if aliased else None)


def test_K4_an_output_that_is_written_into_an_input():
    for module in (kv_cache(), pickle.loads(pickle.dumps(kv_cache()))):
        cache = torch.zeros(2, 4)
        where = cache.data_ptr()
        for step in range(1, 4):
            y = module(cache, torch.ones(2, 4))
            assert isinstance(y, torch.Tensor) and torch.equal(y, torch.full((2, 4), -float(step)))
            assert torch.equal(cache, torch.full((2, 4), float(step))) and cache.data_ptr() == where
        with pytest.raises(UserError, match="'kv'.*output allocator"), enable_output_allocator(module):
            pass
    with pytest.raises(UserError, match="must map outputs to inputs"):
        JitneyModule(models.unary("Neg"), aliased_io={"y": "z"})


def test_L_profiles_of_a_module():
    native = jitney.load(models.unary("Neg"), inputs={"x": jitney.Input(profiles=[
        {"min_shape": (1, 4), "opt_shape": (2, 4), "max_shape": (4, 4)},
        {"min_shape": (8, 4), "opt_shape": (8, 4), "max_shape": (16, 4)}])})
    module = JitneyModule(native._native.serialize(), name="ranges")
    assert torch.equal(module(torch.ones(9, 4)), -torch.ones(9, 4))
    with pytest.raises(UserError, match="No optimization profile matches"):
        module(torch.ones(6, 4))
    with optimization_profile(torch.nn.Sequential(module), 0):
        module(torch.ones(3, 4))
        with pytest.raises(UserError):
            module(torch.ones(9, 4))
    module(torch.ones(9, 4))
    with pytest.raises((TypeError, UserError)), optimization_profile(module, 7):
        pass


def test_nothing_leaks_over_a_thousand_runs():
    import resource

    module = neg()
    for rows in (0, 1, 3):
        assert module(torch.ones(rows, 4)).shape == (rows, 4)
    for _ in range(200):
        module(X)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(1000):
        module(X)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1024


def test_a_module_goes_when_nobody_has_it():
    import weakref

    module = neg()
    module(X)
    bound, engine = weakref.ref(module.bound), weakref.ref(module.engine)
    module.record_tensor()
    del module
    gc.collect()
    assert bound() is None and engine() is None
