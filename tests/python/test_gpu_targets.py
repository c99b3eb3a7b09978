# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Kernels for a GPU that is not here: `jitney warm --target sm_90` and `jitney build --precompile sm_90` without any GPU
or driver. What they made is then asked for by the whole program on a driver that is none (tests/backend/plugins/
fake_cuda.cpp), which stands in for a GPU of that compute capability: it must find every kernel, and compile nothing."""
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper
from test_cuda_kernels import has_compiler

NO_COMPILE = {"JITNEY_NO_COMPILE": "error"}
ELSEWHERE = {"JITNEY_CUDA_TARGET": "sm_90"}
EAGER = ["--dynamic-shapes-kernel-specialization-strategy", "eager"]


@pytest.fixture
def gpu(jitney, build_dir):
    """gpu(MODEL, CACHE, ARGUMENTS...): `jitney run` on a GPU that is none, which may compile nothing."""
    folder = build_dir / "tests" / "fake_cuda"
    if not (folder / "jitney-backend-cuda.so").exists():
        pytest.skip("built without the CUDA backend and its tests")
    if not has_compiler(build_dir):
        pytest.skip("there is no NVRTC here")
    core = next(iter(os.sched_getaffinity(0)))

    def run(model, cache, *arguments, capability=90, multiprocessors=132, env=None):
        env = {"JITNEY_BACKEND_PATH": str(folder), "JITNEY_FAKE_GPU": f"{capability} {multiprocessors}", **NO_COMPILE,
               **(env or {})}
        # Fewer threads, so that the order of what is planned is always the same.
        return jitney("run", model, "--device", "cuda:0", "--runtime-cache", cache, "--iterations", "0", "--json",
                      *EAGER, *arguments, env=env, preexec_fn=lambda: os.sched_setaffinity(0, {core}))

    return run


@pytest.fixture
def libraries(jitney, gpu, build_dir):
    """What a GPU machine has: a GPU that is none offers it where it is installed."""
    doctor = jitney("doctor", env={"JITNEY_BACKEND_PATH": str(build_dir / "tests" / "fake_cuda")}).stdout
    if not re.search(r"^ +cuBLASLt \d", doctor, re.MULTILINE) or "cuDNN found" not in doctor:
        pytest.skip("cuBLASLt or cuDNN is not installed here")


def expect_all_hit(result):
    assert result.code == 0, result.stderr
    kernels = result.kernels
    assert kernels["compiled"] == 0 and kernels["failed"] == 0 and kernels["precompiled"] == 0
    assert kernels["from_cache"] == kernels["distinct"] > 0
    assert result.report["cache"]["misses"] == {}, "the shape's own kernels and the backend's own, too"


def warm(jitney, model, store, target, *arguments, env=None):
    result = jitney("warm", model, "--target", target, "--runtime-cache", store, "--json", *arguments, env=env)
    assert result.code == 0, result.stderr
    return result.report[0]


def listed(jitney, store):
    entries = json.loads(jitney("cache", "ls", store, "--json").stdout)["entries"]
    return [entry for entry in entries if entry["kind"] == "kernel"]


MODELS = {"digits": ["--shape", "images=2x1x8x8"], "mlp": ["--shape", "x=3x1024"],
          "encoder": ["--shape", "ids=1x8"]}


def test_without_libraries_everything_is_generated(jitney, gpu, filled, cache):
    found_there(jitney, gpu, filled("encoder"), cache, ["--shape", "ids=1x8"], {"JITNEY_CUDA_LIBRARIES": "none"})


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", MODELS)
def test_what_is_made_here_is_found_there(jitney, gpu, libraries, digits, filled, cache, name, precision):
    """On every chip of the architecture, however many multiprocessors it has."""
    model = digits if name == "digits" else filled(name)
    found_there(jitney, gpu, model, cache, [*MODELS[name], "--precision", precision], {})


def found_there(jitney, gpu, model, cache, arguments, env):
    made = warm(jitney, model, cache, "sm_90", *arguments, env=env)
    assert made["compiled"] > 0 and made["failed"] == 0
    assert {entry["target"] for entry in listed(jitney, cache)} == {"sm_90"}
    for multiprocessors in (16, 132):
        there = gpu(model, cache, *arguments, multiprocessors=multiprocessors, env=env)
        # Libraries refuse a driver that is none: what is theirs is interpreted, and says so.
        expect_all_hit(there)
    again = warm(jitney, model, cache, "sm_90", *arguments, env=env)
    assert again["compiled"] == 0 and again["from_cache"] > 0


def test_the_backends_own_kernels_are_among_them(jitney, gpu, libraries, filled, cache):
    """Attention and products of few rows, whose source follows from how many multiprocessors there are."""
    arguments = ["--shape", "ids=1x8", "--precision", "bf16"]
    warm(jitney, filled("encoder"), cache, "sm_90", *arguments)
    env = {"JITNEY_LOG": "debug"}
    for multiprocessors in (2, 20, 132):
        there = gpu(filled("encoder"), cache, *arguments, multiprocessors=multiprocessors, env=env)
        expect_all_hit(there)
        assert "is done by own:attention" in there.stderr and "is done by own:8x384x1152" in there.stderr
        assert "reference interpreter" not in there.stderr


def test_another_architecture_finds_nothing(jitney, gpu, libraries, digits, cache):
    arguments = MODELS["digits"]
    warm(jitney, digits, cache, "sm_80", *arguments)
    refused = gpu(digits, cache, *arguments)
    assert refused.code == 3 and "would have to be compiled" in refused.stderr
    expect_all_hit(gpu(digits, cache, *arguments, capability=80, multiprocessors=108))


def test_what_the_environment_names_counts_as_little_as_no_gpu(jitney, gpu, libraries, digits, cache):
    """Neither the GPU that it names nor another is taken for one that is here."""
    arguments = MODELS["digits"]
    for target, capability in (("sm_90", 90), ("sm_80", 80)):
        assert warm(jitney, digits, cache, target, *arguments, env=ELSEWHERE)["compiled"] > 0
        expect_all_hit(gpu(digits, cache, *arguments, capability=capability))


def test_a_gpu_that_is_newer_than_the_compiler_gets_ptx(jitney, gpu, libraries, digits, cache, tmp_path):
    arguments = MODELS["digits"]
    assert warm(jitney, digits, cache, "sm_130+ptx", *arguments)["compiled"] > 0
    expect_all_hit(gpu(digits, cache, *arguments, capability=130))
    assert {entry["target"] for entry in listed(jitney, cache)} == {"sm_130+ptx"}


def test_several_targets_side_by_side(jitney, gpu, libraries, digits, cache):
    arguments = MODELS["digits"]
    result = jitney("warm", digits, *arguments, "--runtime-cache", cache, "--json", "--target", "sm_75", "--target",
                    "native", "--target", "sm_90", "--target", "sm_120")
    assert result.code == 0, result.stderr
    assert [(done["target"], done["compiled"] > 0) for done in result.report] == [
        (target, True) for target in ("sm_75", "native", "sm_90", "sm_120")]
    for capability in (75, 90, 120):
        expect_all_hit(gpu(digits, cache, *arguments, capability=capability))


def test_the_engine_file_brings_kernels_for_a_processor_and_a_gpu(jitney, gpu, libraries, filled, tmp_path):
    engine, model, shape = tmp_path / "encoder.jitney", filled("encoder"), ["--shape", "ids=1x8"]
    built = jitney("build", model, "-o", engine, "--precompile", "x86-64-v3,sm_90", *shape)
    assert built.code == 0, built.stderr
    for target in ("x86-64-v3", "sm_90"):
        assert re.search(rf"^[1-9]\d* kernels for {target}$", built.stdout, re.MULTILINE), built.stdout
    # Without a compiler, on either.
    env = {"JITNEY_COMPILER_NVRTC": "/nonexistent", "JITNEY_COMPILER_CLANG": "/nonexistent"}
    on_gpu = gpu(engine, "none", *shape, "--trust-precompiled", env=env)
    assert on_gpu.code == 0, on_gpu.stderr
    on_cpu = jitney("run", engine, "--runtime-cache", "none", "--iterations", "0", "--json", *shape, *EAGER,
                    "--trust-precompiled", env={**env, **NO_COMPILE, "JITNEY_CPU_TARGET": "x86-64-v3"})
    assert on_cpu.code == 0, on_cpu.stderr
    for result in (on_gpu, on_cpu):
        kernels = result.kernels
        assert kernels["precompiled"] == kernels["distinct"] > 0 and kernels["compiled"] == kernels["from_cache"] == 0
        assert kernels["precompiled_misses"] == {} and result.report["workers_started"] == 0


def test_a_model_of_one_shape_needs_no_shapes(jitney, gpu, libraries, tmp_path, cache):
    """Its library calls are planned for the only one there is."""
    f16, w = onnx.TensorProto.FLOAT16, np.ones((64, 64), np.float16)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"]), helper.make_node("Relu", ["y"], ["r"]),
         helper.make_node("Softmax", ["r"], ["z"], axis=-1)], "g",
        [helper.make_tensor_value_info("x", f16, [4, 64])], [helper.make_tensor_value_info("z", f16, [4, 64])],
        [onnx.numpy_helper.from_array(w, "w")])
    model = tmp_path / "static.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), model)
    made = warm(jitney, model, cache, "sm_90")
    there = gpu(model, cache, env={"JITNEY_LOG": "debug"})
    expect_all_hit(there)
    assert "is done by own:4x64x64" in there.stderr
    assert made["from_cache"] == 0 and made["compiled"] == len(listed(jitney, cache))


def test_extents_that_follow_from_data(jitney, gpu, tmp_path, cache):
    """Such a model is several programs, of which the generic kernels are made."""
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["r"]), helper.make_node("NonZero", ["r"], ["i"]),
         helper.make_node("Transpose", ["i"], ["t"]), helper.make_node("GatherND", ["r", "t"], ["g"]),
         helper.make_node("Exp", ["g"], ["y"])], "g",
        [helper.make_tensor_value_info("x", 1, ["n"])], [helper.make_tensor_value_info("y", 1, None)])
    model = tmp_path / "staged.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), model)
    assert warm(jitney, model, cache, "sm_90", "--shape", "x=5")["compiled"] > 0
    there = gpu(model, cache, "--shape", "x=5")
    assert there.code == 0 and there.kernels["compiled"] == 0, there.stderr


# Models that need no kernel, or only one that copies; "both" gives its input back beside indices.
WITHOUT_KERNELS = {"nonzero": ["NonZero"], "identity": ["Identity"], "both": ["NonZero", "Identity"]}
IN_PYTHON = """
import sys, numpy as np, jitney
engine = jitney.load(sys.argv[1], device="cuda:0")
try:
    print(engine(np.arange(8, dtype=np.float32)))
except jitney.EnvironmentError as error:
    print(f"refused: {error}")
"""


@pytest.mark.parametrize("name", WITHOUT_KERNELS)
def test_models_without_kernels_run_no_more_than_others(jitney, gpu, tmp_path, cache, build_dir, name):
    """What would be read back is memory that nobody computed."""
    operators = WITHOUT_KERNELS[name]
    types = {"NonZero": onnx.TensorProto.INT64, "Identity": onnx.TensorProto.FLOAT}
    graph = helper.make_graph(
        [helper.make_node(operator, ["x"], [operator]) for operator in operators], "g",
        [helper.make_tensor_value_info("x", 1, ["n"])],
        [helper.make_tensor_value_info(operator, types[operator], None) for operator in operators])
    model = tmp_path / f"{name}.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), model)
    why = "JITNEY_CUDA_TARGET is set: this process compiles for sm_90 and runs nothing on a GPU"
    for command in ("run", "bench"):
        ran = jitney(command, model, "--shape", "x=8", "--device", "cuda:0", "--runtime-cache", cache, env=ELSEWHERE)
        assert ran.code == 3 and ran.stderr.endswith(f": {why}\n"), ran.stdout + ran.stderr
    python = subprocess.run([sys.executable, "-c", IN_PYTHON, str(model)], capture_output=True, text=True, timeout=120,
                            env={**os.environ, **ELSEWHERE, "PYTHONPATH": str(build_dir / "python")})
    assert python.stdout.startswith("refused: ") and python.stdout.endswith(f"{why}\n"), python.stdout + python.stderr
    # To compile for one, nothing is read back.
    warm(jitney, model, cache, "sm_90", "--shape", "x=8")
    built = jitney("build", model, "-o", tmp_path / "x.jitney", "--precompile", "sm_90", "--shape", "x=8")
    assert built.code == 0, built.stderr


def test_targets_that_there_are_not(jitney, gpu, digits, cache, tmp_path):
    for target in ("sm_12", "sm_70", "sm_999", "sm_130", "sm_90a", "sm_"):
        for command in (["warm", digits, "--target", target, "--runtime-cache", cache],
                        ["build", digits, "-o", tmp_path / "x.jitney", "--precompile", f"x86-64-v3,{target}"]):
            result = jitney(*command)
            assert result.code == 2 and result.stderr.count("\n") == 1, result.stderr
            assert f"target '{target}'" in result.stderr and "allowed is one of sm_75, sm_80," in result.stderr
            assert "sm_121, and sm_NNN+ptx for a GPU that is newer" in result.stderr
    assert not (tmp_path / "x.jitney").exists()


def test_what_only_the_gpu_can_tell_is_refused(jitney, gpu, digits, cache):
    for where, env in ((["--target", "sm_75"], {}), (["--target", "sm_90"], ELSEWHERE),
                       (["--device", "cuda:0"], ELSEWHERE)):
        timed = jitney("warm", digits, *where, "--tactics", "timed", "--runtime-cache", cache, *MODELS["digits"],
                       env=env)
        assert timed.code == 3 and timed.stderr.count("\n") == 1, (where, timed.stdout, timed.stderr)
        assert "--tactics timed needs that GPU, and it is not here" in timed.stderr
    ran = jitney("run", digits, "--device", "cuda:0", "--runtime-cache", cache, env=ELSEWHERE)
    assert ran.code == 3 and "compiles for sm_90 and runs nothing" in ran.stderr and ran.stderr.count("\n") == 1
    other = jitney("warm", digits, "--target", "sm_90", "--runtime-cache", cache,
                   env={"JITNEY_CUDA_LIBRARIES": "cublas"})
    assert other.code == 2 and "allowed is cublaslt, cudnn, cublaslt,cudnn or none" in other.stderr


def test_the_tool_that_carries_kernels_to_a_gpu(gpu, libraries, program, build_dir, tmp_path):
    """tools/warm_elsewhere.py, which has the last word on a real GPU: here on the one that is none."""
    tool, folder = Path(__file__).resolve().parents[2] / "tools" / "warm_elsewhere.py", tmp_path / "carried"
    core = next(iter(os.sched_getaffinity(0)))
    # Kernels that do nothing leave memory as it was: always the same.
    env = {**os.environ, "JITNEY_BACKEND_PATH": str(build_dir / "tests" / "fake_cuda"), "JITNEY_FAKE_GPU": "90 132"}

    def call(what, **options):
        words = [sys.executable, str(tool), what, str(folder), "--program", str(program)]
        return subprocess.run(words, capture_output=True, text=True, timeout=500, **options)

    made = call("make")
    assert made.returncode == 0 and re.search(r" [1-9]\d* kernels for sm_90 ", made.stdout), made.stdout + made.stderr
    there = {"env": env, "preexec_fn": lambda: os.sched_setaffinity(0, {core})}
    checked = call("check", **there)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    lines = checked.stdout.splitlines()
    assert lines[-1] == f"warm_elsewhere: passed, {len(json.loads((folder / 'cases.json').read_text())['cases'])} cases"
    assert all(line.startswith("passed") for line in lines[:-1]) and "(4 sorts of own kernels)" in checked.stdout
    # It notices what is missing.
    for path in (folder / "kernels").rglob("*.jk"):
        path.unlink()
    missing = call("check", **there)
    assert missing.returncode == 1 and "would have to be compiled" in missing.stderr, missing.stdout + missing.stderr
    no_gpu = call("check", env={**env, "JITNEY_FAKE_GPU": "80 108"})
    assert no_gpu.returncode == 1 and "cuda:0 is not a sm_90" in no_gpu.stderr
