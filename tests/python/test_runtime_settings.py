# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""RuntimeSettings: the value (A1 to A6, A10) and how an engine takes it (A7, A9, A11 to A13)."""
import dataclasses
import os
import pathlib
import pickle
import warnings

import numpy as np
import pytest
from runtime_models import random, relu_model, softmax_model, softmax_reference

import jitney
from jitney import _jitney
from jitney.runtime import (
    CUDA_GRAPH_STRATEGIES,
    DYNAMIC_SHAPES_KERNEL_SPECIALIZATION_STRATEGIES,
    RuntimeCache,
    RuntimeConfig,
    RuntimeSettings,
    default_runtime_settings,
)

VARIABLES = ["JITNEY_DYNAMIC_SHAPES_KERNEL_SPECIALIZATION_STRATEGY", "JITNEY_CUDA_GRAPH_STRATEGY", "JITNEY_RUNTIME_CACHE"]


@pytest.fixture(autouse=True)
def no_variables(own_cache, monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


MEMORY = RuntimeSettings("none", runtime_cache=None)


def test_A1_a_frozen_value_with_defaults(tmp_path):
    settings = RuntimeSettings()
    assert settings.dynamic_shapes_kernel_specialization_strategy == "lazy"
    assert settings.cuda_graph_strategy == "disabled"
    assert settings.runtime_cache == str(tmp_path / "default-cache") + "/" == _jitney.default_cache_path()
    assert not os.path.exists(settings.runtime_cache), "a setting makes nothing"
    for name in ("cuda_graph_strategy", "runtime_cache", "another"):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(settings, name, "x")
    assert {settings: 1}[RuntimeSettings()] == 1 and hash(settings) == hash(RuntimeSettings())


def test_A2_underlying_integers():
    assert DYNAMIC_SHAPES_KERNEL_SPECIALIZATION_STRATEGIES == {"lazy": 0, "eager": 1, "none": 2}
    assert CUDA_GRAPH_STRATEGIES == {"disabled": 0, "whole_graph_capture": 1}
    settings = RuntimeSettings("eager", "whole_graph_capture", "p")
    assert settings.fields() == (1, 1, "p") and RuntimeSettings.from_fields(1, 1, "p") == settings
    for fields in ((3, 0, None), (0, 2, None), (-1, 0, None)):
        with pytest.raises(ValueError, match="Invalid .*strategy: .* Expected one of"):
            RuntimeSettings.from_fields(*fields)


@pytest.mark.parametrize("value", ["x", "", "Lazy", 0, None, ["lazy"]])
def test_A3_bad_strategies(value):
    with pytest.raises(ValueError, match=r"Invalid cuda_graph_strategy: .*\. Expected one of \['disabled', 'whole_graph_"):
        RuntimeSettings(cuda_graph_strategy=value)
    with pytest.raises(ValueError, match=r"Invalid dynamic_shapes_kernel_specialization_strategy: .*\['lazy', 'eager', 'no"):
        RuntimeSettings(dynamic_shapes_kernel_specialization_strategy=value)


def test_A3_caches():
    handle = RuntimeCache()
    for given, kept in [(None, None), ("", None), ("p", "p"), (pathlib.Path("p"), "p"), (handle, handle)]:
        assert RuntimeSettings(runtime_cache=given).runtime_cache == kept
    for bad in (3, True, [], b"p", object()):
        with pytest.raises(TypeError, match="runtime_cache must be None, a path or a RuntimeCache, found "):
            RuntimeSettings(runtime_cache=bad)


def test_A4_merge():
    settings = RuntimeSettings().merge(cuda_graph_strategy="whole_graph_capture", runtime_cache="p")
    assert settings.fields() == (0, 1, "p") and settings.merge() == settings
    with pytest.raises(TypeError, match=r"Unknown RuntimeSettings field\(s\): \['a', 'b'\]. Valid fields: \['dynamic_shapes_k"):
        settings.merge(b=1, a=2, runtime_cache=None)
    with pytest.raises(ValueError, match="Invalid cuda_graph_strategy: 'x'"):
        settings.merge(cuda_graph_strategy="x")


def test_A5_equality():
    a, b = RuntimeCache("p"), RuntimeCache("p")
    assert RuntimeSettings(runtime_cache=a) == RuntimeSettings(runtime_cache=a) != RuntimeSettings(runtime_cache=b)
    assert RuntimeSettings(runtime_cache="p") == RuntimeSettings(runtime_cache="p") != RuntimeSettings(runtime_cache=a)
    assert RuntimeSettings("eager") != RuntimeSettings("lazy")


def test_A6_an_engine_file_has_no_settings(tmp_path):
    built = jitney.build(relu_model(), tmp_path / "a.jitney", runtime_settings=MEMORY)
    jitney.build(relu_model(), tmp_path / "b.jitney", runtime_settings=RuntimeSettings("eager", runtime_cache="q"))
    assert (tmp_path / "a.jitney").read_bytes() == (tmp_path / "b.jitney").read_bytes()
    assert built.runtime_settings == MEMORY
    assert jitney.load(tmp_path / "a.jitney").runtime_settings == RuntimeSettings()


def test_A6_settings_pickle_by_themselves():
    settings = RuntimeSettings("eager", "whole_graph_capture", "p")
    assert pickle.loads(pickle.dumps(settings)) == settings


def test_the_environment_is_where_engines_start(monkeypatch):
    assert default_runtime_settings() == RuntimeSettings()
    for name, value in zip(VARIABLES, ["none", "whole_graph_capture", "none"]):
        monkeypatch.setenv(name, value)
    wanted = RuntimeSettings("none", "whole_graph_capture", None)
    assert default_runtime_settings() == wanted == jitney.load(relu_model()).runtime_settings
    assert RuntimeSettings() != wanted
    monkeypatch.setenv(VARIABLES[0], "sometimes")
    with pytest.raises(ValueError, match="sometimes"):
        jitney.load(relu_model())


def test_A7_A9_one_bundled_setter():
    engine = jitney.load(relu_model())
    engine.runtime_settings = MEMORY
    assert engine.runtime_settings == MEMORY
    assert engine.update_runtime_settings(MEMORY) is False
    assert engine.update_runtime_settings(MEMORY.merge(cuda_graph_strategy="whole_graph_capture")) is True
    for bad in (None, "lazy", (0, 0, None)):
        with pytest.raises(TypeError, match="must be a RuntimeSettings"):
            engine.runtime_settings = bad


def test_A10_lines():
    def text(cache):
        return RuntimeSettings("eager", "whole_graph_capture", cache).to_str()

    assert text("p/q").splitlines() == ["Dynamic Shapes Kernel Strategy: eager",
                                        "CUDA Graph Strategy: whole_graph_capture", "Runtime Cache: p/q"]
    assert text(None).endswith("Runtime Cache: <engine-local, in-memory>")
    assert text(RuntimeCache()).endswith("Runtime Cache: <in-memory shared>")


def run(engine, *shape):
    x = random(*shape)
    np.testing.assert_allclose(engine(x), softmax_reference(x), rtol=1e-5, atol=1e-5)


def test_A11_contexts_are_counted_as_they_are_made():
    engine = jitney.load(softmax_model(), runtime_settings=MEMORY)
    count = engine.num_execution_contexts_created
    assert count() == 0 and not engine.has_context() and engine.runtime_config is None and engine.input_shapes == []
    engine.get_layer_info(), engine.inspect(), engine.stats(), engine.compile_status(), engine.wait_until_specialized()
    assert count() == 0, "questions make none"
    engine.runtime_settings = MEMORY.merge(dynamic_shapes_kernel_specialization_strategy="lazy")
    assert count() == 0, "a setting alone makes none"
    run(engine, 2, 5)
    run(engine, 3, 5)
    assert count() == 1 and engine.has_context() and engine.input_shapes == [(3, 5)]
    compiled = engine.stats()["compiled"]
    assert compiled > 0
    engine.runtime_settings = MEMORY
    run(engine, 2, 5)
    assert count() == 2
    engine.runtime_settings = MEMORY.merge(dynamic_shapes_kernel_specialization_strategy="lazy")
    run(engine, 2, 5)
    assert count() == 3
    engine.runtime_settings = engine.runtime_settings
    run(engine, 2, 5)
    assert count() == 3, "an equal setting makes none"
    assert engine.stats()["compiled"] == compiled, "and nothing is compiled again"


def test_A11_warm_makes_the_first_and_invalidating_another():
    engine = jitney.load(softmax_model(), runtime_settings=MEMORY.merge(dynamic_shapes_kernel_specialization_strategy="lazy"))
    engine.warm([{"x": (2, 8)}, [(3, 8)]])
    assert engine.num_execution_contexts_created() == 1 and engine.compile_status()["shapes"] == 2
    run(engine, 2, 8)
    assert engine.num_execution_contexts_created() == 1
    engine.invalidate_context()
    assert not engine.has_context()
    run(engine, 2, 8)
    assert engine.num_execution_contexts_created() == 2
    for bad, words in [([{"z": (2, 8)}], "missing: .*'x'"), ([[(2, 8), (2, 8)]], "expected the shapes of 1 inputs, found 2"),
                       ([[(2,)]], "must have 2 dimensions, found 1"), ([[(2, -8)]], "negative extent -8")]:
        with pytest.raises(ValueError, match=words):
            engine.warm(bad)


def test_A12_runtime_config():
    engine = jitney.load(relu_model(), runtime_settings=MEMORY)
    engine(random(2, 2))
    config = engine.runtime_config
    assert config is engine.runtime_config and config.settings == MEMORY
    assert not config.set_settings(MEMORY) and config.set_settings(MEMORY.merge(cuda_graph_strategy="whole_graph_capture"))
    assert engine.runtime_settings.cuda_graph_strategy == "whole_graph_capture"
    assert config.uses_internal_capture(False) and config.is_monolithic_capturable(True)
    lazy = RuntimeConfig(RuntimeSettings("lazy", runtime_cache=None))
    assert not lazy.uses_internal_capture(False) and lazy.uses_internal_capture(True)
    assert lazy.is_monolithic_capturable(False) and not lazy.is_monolithic_capturable(True)
    assert lazy.is_monolithic_capturable(False, stream=7) and not lazy.is_monolithic_capturable(False, stream=0)
    assert lazy.is_monolithic_capturable(True, engine.context, 0), "on a CPU there is nothing to capture"
    before = engine.num_execution_contexts_created()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context = lazy.create_execution_context(engine)
    assert context.number == before + 1 and context.is_current and engine.runtime_settings == lazy.settings
    lazy.reset()
    lazy.set_settings(MEMORY)
    assert engine.runtime_settings != MEMORY


def test_A13_the_context_is_lazy_and_read_only():
    engine = jitney.load(relu_model(), runtime_settings=MEMORY)
    context = engine.context
    assert context.number == 1 and context.is_current and context.runtime_settings == MEMORY
    with pytest.raises(AttributeError):
        engine.context = None
    engine.invalidate_context()
    assert not context.is_current
    assert engine.context.number == 2


def test_close():
    engine = jitney.load(relu_model(), runtime_settings=MEMORY)
    engine(random(2, 2))
    engine.close()
    engine.close()
    with pytest.raises(ValueError, match="is closed"):
        engine(random(2, 2))
    unused = jitney.load(relu_model())
    unused.close()
    with pytest.raises(ValueError, match="is closed"):
        unused(random(2, 2))
    jitney.Engine.__new__(jitney.Engine).close()


def test_a_setting_without_effect_warns_once(tmp_path):
    """Needs a process of its own: once is once a process."""
    import subprocess
    import sys

    from conftest import BUILD
    code = """
import warnings, sys, numpy as np, jitney
from jitney.runtime import RuntimeSettings
from runtime_models import relu_model
x = np.float32([[-1, 2]])
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    a, b = [jitney.load(relu_model(), runtime_settings=RuntimeSettings("none", "whole_graph_capture", None)) for _ in "ab"]
    assert not caught
    for engine in (a, a, b):
        assert engine(x).tolist() == [[0, 2]]
assert [(w.category, "no effect" in str(w.message)) for w in caught] == [(UserWarning, True)], caught
"""
    environment = {**os.environ, "PYTHONPATH": f"{BUILD / 'python'}:{pathlib.Path(__file__).parent}"}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=120)
