# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""jitney build --precompile: an engine that brings its kernels, used only when trusted and for exactly this target.
And warming for other targets. Numbers are those of the failure modes."""
import json
import re

import numpy as np
import pytest

NO_COMPILE = {"JITNEY_NO_COMPILE": "error"}
V2, V3 = {"JITNEY_CPU_TARGET": "x86-64-v2"}, {"JITNEY_CPU_TARGET": "x86-64-v3"}


@pytest.fixture
def images():
    return {"images": np.random.default_rng(0).normal(size=(2, 1, 8, 8)).astype(np.float32)}


@pytest.fixture
def precompiled(jitney, digits, tmp_path):
    path = tmp_path / "digits.jitney"
    built = jitney("build", digits, "-o", path, "--precompile", "native,x86-64-v3", "--shape", "images=2x1x8x8")
    assert built.code == 0, built.stderr
    assert re.search(r"^[1-9]\d* kernels for x86-64-v3$", built.stdout, re.MULTILINE), built.stdout
    return path


@pytest.mark.parametrize("target", [{}, V3])
def test_mode30_the_first_run_compiles_nothing(jitney, digits, precompiled, images, target):
    plain = jitney.run(digits, images, "none", env=target)
    env = {**target, **NO_COMPILE, "JITNEY_COMPILER_CLANG": "/nonexistent"}
    trusting = jitney.run(precompiled, images, "none", env=env, arguments=["--trust-precompiled"])
    assert trusting.kernels["compiled"] == 0 and trusting.kernels["from_cache"] == 0
    assert trusting.kernels["precompiled"] == trusting.kernels["distinct"] > 0
    for name, wanted in plain.outputs.items():
        np.testing.assert_array_equal(trusting.outputs[name], wanted)


def test_mode30_without_trust_nothing_native_is_loaded(jitney, precompiled, images):
    """Where nothing may be compiled either, there is nothing to run."""
    result = jitney("run", precompiled, "--runtime-cache", "none", env=NO_COMPILE)
    assert result.code == 3 and "would have to be compiled" in result.stderr
    usual = jitney.run(precompiled, images, "none")
    assert usual.kernels["precompiled"] == 0 and usual.kernels["compiled"] > 0
    assert usual.kernels["precompiled_misses"] == {"not trusted": usual.kernels["distinct"]}


def test_mode30_for_another_target_it_compiles_as_usual(jitney, precompiled, images):
    other = jitney.run(precompiled, images, "none", env=V2, arguments=["--trust-precompiled"])
    assert other.kernels["precompiled"] == 0 and other.kernels["compiled"] > 0
    assert other.kernels["precompiled_misses"] == {"other device": other.kernels["distinct"]}
    text = jitney("run", precompiled, "--runtime-cache", "none", "--trust-precompiled", "--trace",
                  precompiled.parent / "trace.json", env=V2).stdout
    events = json.loads((precompiled.parent / "trace.json").read_text())["traceEvents"]
    reasons = [event["args"]["result"] for event in events if event.get("name") == "precompiled"]
    assert reasons == ["other device"] * other.kernels["distinct"]
    assert "not used (other device)" in text


def test_an_engine_is_the_same_file_again_and_without_kernels_when_not_asked_for(jitney, digits, precompiled, tmp_path):
    again, bare = tmp_path / "again.jitney", tmp_path / "bare.jitney"
    assert jitney("build", digits, "-o", again, "--precompile", "x86-64-v3,native", "--shape",
                  "images=2x1x8x8").code == 0
    assert again.read_bytes() == precompiled.read_bytes()
    assert jitney("build", digits, "-o", bare).code == 0
    assert "brings 2 compiled kernels for x86-64-v3," in jitney("inspect", again).stdout
    assert "brings" not in jitney("inspect", bare).stdout
    assert b"x86-64" not in bare.read_bytes() and b"x86-64-v3" in again.read_bytes()


def test_targets_that_cannot_be_made_here(jitney, digits, tmp_path):
    for target, code, words in [("x86-64-v9", 2, "allowed is one of x86-64,"), ("znver4", 2, "allowed is one of")]:
        result = jitney("build", digits, "-o", tmp_path / "x", "--precompile", target)
        assert result.code == code and f"target '{target}'" in result.stderr and words in result.stderr, result.stderr
        assert result.stderr.count("\n") == 1 and not (tmp_path / "x").exists()


def test_python_trusts_when_told_to(precompiled, images):
    import jitney

    usual = jitney.load(precompiled, runtime_cache="none")
    wanted = usual.run(images)
    assert usual.stats()["precompiled_misses"] == {"not trusted": usual.stats()["distinct_kernels"]}
    for model in (precompiled, precompiled.read_bytes()):
        trusting = jitney.load(model, runtime_cache="none", trust_precompiled=True)
        for name, array in trusting.run(images).items():
            np.testing.assert_array_equal(array, wanted[name])
        stats = trusting.stats()
        assert stats["compiled"] == 0 and stats["workers_started"] == 0 and stats["precompiled"] > 0
        assert stats["precompiled_misses"] == {}


def test_python_saves_the_kernels_of_a_cache(digits, images, tmp_path):
    import jitney
    from jitney.runtime import RuntimeCache, RuntimeSettings

    cache, path = RuntimeCache(), tmp_path / "digits.jitney"
    engine = jitney.load(digits, runtime_settings=RuntimeSettings("none", runtime_cache=cache))
    wanted = engine.run(images)
    assert engine.precompiled == {}
    engine.save(path, kernels=cache)
    usual, trusting = (jitney.load(path, runtime_cache="none", trust_precompiled=trust) for trust in (False, True))
    assert list(usual.precompiled.values()) == [1] and usual.precompiled == trusting.precompiled
    np.testing.assert_array_equal(trusting.run(images)["logits"], wanted["logits"])
    assert trusting.stats()["compiled"] == 0 and trusting.stats()["precompiled"] == 1
    usual.run(images)
    assert usual.stats()["compiled"] == 1
    usual.save(path, kernels=RuntimeCache())
    assert jitney.load(path).precompiled == {}


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_warming_fills_what_each_target_then_hits(jitney, digits, images, tmp_path, precision):
    """In bf16 libraries offer other calls on other processors: each target has kernels of its own."""
    store = f"{tmp_path}/store/"
    own = re.search(r"target (x86-64\S*)", jitney("doctor").stdout)[1]
    targets = {"native": {}, "x86-64-v3": V3, "x86-64-v2": V2, "x86-64": {"JITNEY_CPU_TARGET": "x86-64"}}
    warmed = jitney("warm", digits, "--precision", precision, "--shape", "images=2x1x8x8", "--runtime-cache", store,
                    "--json", *(word for target in targets for word in ("--target", target)))
    assert warmed.code == 0, warmed.stderr
    assert [(done["target"], done["compiled"] > 0) for done in warmed.report] == [(name, True) for name in targets]
    # By its name it is compiled as if it were elsewhere: the same kernels under the same keys.
    named = jitney("warm", digits, "--precision", precision, "--shape", "images=2x1x8x8", "--runtime-cache", store,
                   "--json", "--target", own)
    assert named.code == 0 and named.report[0]["compiled"] == 0 and named.report[0]["from_cache"] > 0, named.stderr
    for env in targets.values():
        hit = jitney.run(digits, images, store, iterations=3, env={**env, **NO_COMPILE},
                         arguments=["--precision", precision])
        assert hit.kernels["compiled"] == 0 and hit.kernels["from_cache"] == hit.kernels["distinct"]
        assert hit.report["cache"]["misses"] == {}, "the shape's own kernels, too"


@pytest.mark.parametrize("target", ["x86-64-v4", "x86-64-v4+avx512_fp16+amx_tile+amx_int8+amx_bf16"])
def test_targets_that_need_not_run_here(jitney, digits, tmp_path, target):
    """Kernels for a processor that can do more: compiled, told apart by their key, and never run."""
    store, engine = f"{tmp_path}/store/", tmp_path / "digits.jitney"
    warmed = jitney("warm", digits, "--precision", "bf16", "--shape", "images=2x1x8x8", "--runtime-cache", store,
                    "--target", target, "--json")
    assert warmed.code == 0 and warmed.report[0]["compiled"] > 0, warmed.stderr
    listed = json.loads(jitney("cache", "ls", store, "--json").stdout)["entries"]
    assert {entry["target"] for entry in listed if entry["kind"] == "kernel"} == {target}
    assert jitney("build", digits, "-o", engine, "--precompile", target).code == 0
    refused = jitney("run", engine, "--runtime-cache", "none", "--trust-precompiled",
                     env={"JITNEY_CPU_TARGET": target, "JITNEY_CPU_COMPILE_ONLY": "1"})
    assert refused.code == 3 and "compiles and runs nothing" in refused.stderr
