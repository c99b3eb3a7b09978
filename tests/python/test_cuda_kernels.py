# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Every kernel that a model needs on a GPU compiles, without a GPU: for the oldest, the usual and a recent architecture.

A few models in every run; with JITNEY_ALL_MODELS, as in ./dev check, all of tests/models and bench/models.
"""
import os
import re
import subprocess

import numpy as np
import onnx
import pytest
from onnx import helper

FEW = ["mlp", "encoder", "mobilenet_v2"]
ALL = ["encoder_torchscript", "resnet18", "resnet18_torchscript", "torch_encoder"]
BENCH = ["resnet50", "encoder_12x768", "vit_b_16", "gpt2_step"]


def has_compiler(build_dir):
    program = build_dir / "bin" / "jitney"
    doctor = subprocess.run([str(program), "doctor"], capture_output=True, text=True, timeout=120).stdout
    # Without a device it is found and not tried.
    return re.search("compiler nvrtc: (works|NVRTC)", doctor) is not None


def compile_all(build_dir, arguments):
    program = build_dir / "bin" / "jitney-test-cuda-kernels"
    if not program.exists():
        pytest.skip("built without the CUDA backend")
    if not has_compiler(build_dir):
        pytest.skip("there is no NVRTC here")
    process = subprocess.run([str(program), *map(str, arguments)], capture_output=True, text=True, timeout=3000)
    assert process.returncode == 0, process.stdout + process.stderr[-4000:]
    lines = process.stdout.splitlines()
    assert lines and all(" 0 failed, 0 interpreted" in line for line in lines), process.stdout
    assert {line.split()[1] for line in lines} == {"sm_75:", "sm_90:", "sm_120:"}
    return lines


@pytest.mark.parametrize("libraries", [[], ["--libraries"]], ids=["generated", "libraries"])
def test_kernels_of_a_few_models_compile(build_dir, filled, digits, libraries):
    lines = compile_all(build_dir, [*libraries, digits, *(filled(name) for name in FEW)])
    # Libraries can do all of a small model.
    assert sum(int(line.split()[2]) > 0 for line in lines) >= (9 if libraries else len(lines)), lines


def scatters_and_top_k(dtype):
    """Kernels that are no loop nests."""
    t = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    value = helper.make_tensor_value_info
    nodes = [helper.make_node("ScatterND", ["x", "at", "rows"], ["s0"], reduction="max")]
    for i, mode in enumerate(["none", "add", "mul", "max", "min"]):
        nodes.append(helper.make_node("ScatterElements", [f"s{i}", "i", "u"], [f"s{i + 1}"], axis=i % 2, reduction=mode))
    nodes += [helper.make_node("TopK", ["s5", "k"], [f"v{large}", f"o{large}"], axis=0, largest=large) for large in (0, 1)]
    graph = helper.make_graph(
        nodes, "algorithms",
        [value("x", t, ["n", "m"]), value("i", 7, ["a", "b"]), value("u", t, ["a", "b"]), value("at", 6, ["c", 1]),
         value("rows", t, ["c", "m"])],
        [value("v0", t, None), value("o1", 7, None)], [helper.make_tensor("k", 7, [1], [3])])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def test_scatters_and_top_k_compile(build_dir, tmp_path):
    paths = []
    for dtype in ("float32", "float16", "float64", "int8", "int64", "uint16"):
        paths.append(tmp_path / f"{dtype}.onnx")
        onnx.save(scatters_and_top_k(dtype), paths[-1])
    lines = compile_all(build_dir, paths)
    assert all(int(line.split()[2]) >= 8 for line in lines), lines


@pytest.mark.skipif("JITNEY_ALL_MODELS" not in os.environ, reason="./dev check compiles those of all models")
@pytest.mark.parametrize("libraries", [[], ["--libraries"]], ids=["generated", "libraries"])
def test_kernels_of_all_models_compile(build_dir, filled, tmp_path, libraries):
    from pathlib import Path

    import models

    root = Path(__file__).resolve().parents[2]
    paths = [filled(name) for name in ALL]
    for name in BENCH:
        paths.append(tmp_path / f"{name}.onnx")
        models.fill_file(root / "bench" / "models" / f"{name}.onnx", paths[-1])
    compile_all(build_dir, [*libraries, *paths])
