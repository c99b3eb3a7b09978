# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Optimization profiles (L): in Input, in engine files, in runs, and on the command line."""
import json

import numpy as np
import onnx
import pytest
from runtime_models import random, softmax_model, softmax_reference

import jitney
from jitney import Input
from jitney.runtime import RuntimeSettings, optimization_profile

NONE = RuntimeSettings("none", runtime_cache=None)
TWO = [{"min_shape": (1, 1), "opt_shape": (2, 8), "max_shape": (4, 64)},
       {"min_shape": (1, 32), "opt_shape": (1, 48), "max_shape": (8, 512)}]


pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture
def engine():
    return jitney.load(softmax_model(), inputs={"x": Input(profiles=TWO)}, runtime_settings=NONE)


def run(engine, *shape):
    x = random(*shape)
    np.testing.assert_allclose(engine(x), softmax_reference(x), rtol=1e-5, atol=1e-5)


def test_ways_to_say_an_input():
    assert Input((2, 3)).shape == (2, 3) and Input([2, 3]).profiles == (((2, 3), (2, 3), (2, 3)),)
    ranged = Input(min_shape=(1, 2), opt_shape=(3, 4), max_shape=(5, 6))
    assert ranged.shape is None and ranged.profiles[0].max_shape == (5, 6)
    assert [p.opt_shape for p in Input(profiles=TWO).profiles] == [(2, 8), (1, 48)]
    for bad in ({}, {"shape": (1,), "min_shape": (1,)}, {"min_shape": (1,)}, {"profiles": []}, {"profiles": [{}]},
                {"shape": (1,), "profiles": TWO}, {"profiles": [{**TWO[0], "more": (1,)}]}):
        with pytest.raises(ValueError):
            Input(**bad)
    for bad in ("12", 3, (1.0,), ("n",), (True,)):
        with pytest.raises(TypeError):
            Input(bad)
    with pytest.raises(TypeError):
        Input(profiles=[3])


@pytest.mark.parametrize("inputs", [{"x": Input(profiles=TWO)}, [Input(profiles=TWO)], [Input(profiles=TWO, name="x")],
                                    [Input(profiles=TWO, dtype=np.float32)], [Input(profiles=TWO, dtype="float32")]],
                         ids=["named", "in order", "with a name", "numpy's dtype", "dtype"])
def test_profiles_are_the_engines(inputs):
    engine = jitney.load(softmax_model(), inputs=inputs)
    assert [p["x"]._asdict() for p in engine.profiles] == TWO
    assert jitney.load(softmax_model()).profiles == ()


@pytest.mark.parametrize("inputs, error, words", [
    ({"z": Input((1, 2))}, ValueError, r"the inputs are \['x'\]; unknown: 'z'"),
    ([Input((1, 2)), Input((1, 2))], ValueError, "found 2 Inputs"),
    ({"x": (1, 2)}, TypeError, "must be an Input, found tuple"),
    (3, TypeError, "mapping of names"),
    ({"x": Input((1, 2, 3))}, ValueError, "min_shape .* of input 'x' has 3 dimensions"),
    ({"x": Input(min_shape=(2, 2), opt_shape=(1, 2), max_shape=(3, 2))}, ValueError, "along axis 0, found 2, 1, 3"),
    ({"x": Input((1, 2), dtype=np.int64)}, ValueError, "input 'x' must be float32, found int64"),
])
def test_what_does_not_fit_is_named(inputs, error, words):
    with pytest.raises(error, match=words):
        jitney.load(softmax_model(), inputs=inputs)


def test_they_travel_in_the_file(tmp_path):
    jitney.build(softmax_model(), tmp_path / "m.jitney", inputs=[Input(profiles=TWO)])
    engine = jitney.load(tmp_path / "m.jitney", runtime_settings=NONE)
    assert [p["x"]._asdict() for p in engine.profiles] == TWO
    with pytest.raises(ValueError, match="No optimization profile matches"):
        engine(random(5, 8))
    other = jitney.load(tmp_path / "m.jitney", inputs=[Input((5, 8))], runtime_settings=NONE)
    run(other, 5, 8)


def test_auto_keeps_switches_and_refuses(engine):
    assert engine.active_profile == 0
    for shape, profile in [((2, 8), 0), ((8, 512), 1), ((2, 40), 1), ((2, 8), 0), ((2, 40), 0)]:
        run(engine, *shape)
        assert engine.active_profile == profile
    with pytest.raises(ValueError, match=r"No optimization profile matches: input 'x' has shape \[5, 8\] \(allowed: profile "
                                         r"0: 'x' \[1, 1\] to \[4, 64\]; profile 1: 'x' \[1, 32\] to \[8, 512\]\)"):
        engine(random(5, 8))
    assert engine.num_execution_contexts_created() == 1


def test_scopes(engine):
    with engine.optimization_profile(1) as target:
        assert target is engine
        run(engine, 2, 40)
        engine.invalidate_context()  # A11: a pin survives
        with pytest.raises(ValueError, match="Optimization profile 1 does not match: input 'x' has shape"):
            engine(random(2, 8))
        with optimization_profile([engine], None):
            run(engine, 2, 8)
            with pytest.raises(ValueError, match="Optimization profile 0 does not match"):
                engine(random(8, 40))
            with optimization_profile(engine, "auto"):
                run(engine, 8, 40)
        with pytest.raises(ValueError, match="profile 1"):
            engine(random(2, 8))
    run(engine, 2, 8)
    engine.set_optimization_profile(1)
    with pytest.raises(ValueError, match="profile 1"):
        engine(random(2, 8))
    engine.set_optimization_profile("auto")
    run(engine, 2, 8)


@pytest.mark.parametrize("bad, error", [("first", ValueError), (-1, ValueError), (1.0, TypeError), (True, TypeError),
                                        ([0], TypeError)])
def test_bad_indices(engine, bad, error):
    with pytest.raises(error):
        optimization_profile(engine, bad)


def test_an_index_that_the_engine_has_not(engine):
    with pytest.raises(ValueError, match="has no optimization profile 2: it has 2, counted from 0"):
        with optimization_profile(engine, 2):
            pass
    plain = jitney.load(softmax_model(), runtime_settings=NONE)
    with pytest.raises(ValueError, match="has no optimization profile 1"):
        with optimization_profile([engine, plain], 1):
            pass
    run(engine, 2, 8)
    with optimization_profile(plain, None):
        run(plain, 100, 3)


def test_optima_have_kernels_from_the_first_context_on():
    engine = jitney.load(softmax_model(), inputs=[Input(profiles=TWO)], runtime_settings=RuntimeSettings(runtime_cache=None))
    run(engine, 1, 1)
    assert engine.wait_until_specialized(60) and engine.compile_status()["specialized"] >= 2


def test_one_range_for_several_inputs_and_open_ones():
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Add", ["a", "b"], ["y"])], "g",
        [onnx.helper.make_tensor_value_info(name, 1, ["n", "m"]) for name in "ab"],
        [onnx.helper.make_tensor_value_info("y", 1, ["n", "m"])])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 21)], ir_version=10)
    engine = jitney.load(model, inputs={"a": Input(profiles=TWO)})
    assert engine.profiles[1]["b"] == engine.profiles[1]["a"], "b follows from a"
    with pytest.raises(ValueError, match="one profile or equally many"):
        jitney.load(model, inputs=[Input(profiles=TWO), Input(profiles=TWO[:1] * 3)])
    both = jitney.load(model, inputs=[Input(profiles=TWO[:1]), Input(profiles=TWO[:1] * 2)])
    assert len(both.profiles) == 2


def test_the_command_line(jitney, tmp_path):
    model, built = tmp_path / "m.onnx", tmp_path / "m.jitney"
    onnx.save(softmax_model(), model)
    result = jitney("build", model, "-o", built, "--profile", "x=1x1:2x8:4x64", "--profile", "x=1x32:1x48:8x512")
    assert result.code == 0, result.stderr
    shown = jitney("inspect", built)
    assert "profile 1: 'x' [1, 32] to [8, 512], best [1, 48]" in shown.stdout
    outside = jitney("run", built, "--shape", "x=5x8")
    assert outside.code == 2 and "No optimization profile matches: input 'x' has shape [5, 8]" in outside.stderr
    for bad, words in [("x", "names no input"), ("x=1x1:2x2", "2 shapes"), ("x=1x1:2xb:3x3", "'2xb' is no shape"),
                       ("", "no input"), ("z=1:1:1", "no input 'z'"), ("x=1x1:2x2:3x3 x=1x1:2x2:3x3", "twice"),
                       ("x=3x1:2x8:4x64", "along axis 0")]:
        result = jitney("build", model, "-o", built, "--profile", bad)
        assert result.code == 2 and words in result.stderr, result.stderr


def test_warm_without_shapes_takes_the_optima(jitney, tmp_path):
    model, built, cache = tmp_path / "m.onnx", tmp_path / "m.jitney", tmp_path / "kernels.jkp"
    onnx.save(softmax_model(), model)
    assert jitney("build", model, "-o", built, "--profile", "x=1x1:2x8:4x64").code == 0
    plain = jitney("warm", model, "--runtime-cache", f"{tmp_path / 'plain'}/", "--json")
    assert plain.code == 0, plain.stderr
    warmed = jitney("warm", built, "--runtime-cache", cache, "--json")
    assert warmed.code == 0, warmed.stderr
    keys = json.loads(jitney("cache", "stats", cache, "--json").stdout)
    few = json.loads(jitney("cache", "stats", f"{tmp_path / 'plain'}/", "--json").stdout)
    assert keys["entries"] > few["entries"], (keys, few)
