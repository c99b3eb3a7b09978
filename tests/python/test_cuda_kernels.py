# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Every kernel that a model needs on a GPU compiles, without a GPU: for the oldest, the usual and a recent architecture.

A few models in every run; with JITNEY_ALL_MODELS, as in ./dev check, all of tests/models and bench/models.
"""
import os
import subprocess

import pytest

FEW = ["mlp", "encoder", "mobilenet_v2"]
ALL = ["encoder_torchscript", "resnet18", "resnet18_torchscript", "torch_encoder"]
BENCH = ["resnet50", "encoder_12x768", "vit_b_16", "gpt2_step"]


def has_compiler(build_dir):
    program = build_dir / "bin" / "jitney"
    doctor = subprocess.run([str(program), "doctor"], capture_output=True, text=True, timeout=120).stdout
    return "compiler nvrtc: works" in doctor


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
    assert all(int(line.split()[2]) > 0 for line in lines)


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
