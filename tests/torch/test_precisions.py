# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""enabled_precisions: what engines compute in (P), in both runtimes."""
import pickle
import subprocess
import sys
import warnings

import pytest
import torch
from test_examples import environment

import jitney
import jitney.compat.torch_tensorrt as torch_tensorrt
from jitney.dynamo.runtime import JitneyModule
from jitney.runtime import RuntimeSettings

OPTIONS = {"min_block_size": 1, "runtime_settings": RuntimeSettings("none", runtime_cache=None)}


@pytest.fixture(autouse=True)
def inference():
    with torch.no_grad():
        yield


def net():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(64, 128), torch.nn.GELU(), torch.nn.Linear(128, 32), torch.nn.Softmax(-1)).eval()


X = torch.randn(16, 64, generator=torch.Generator().manual_seed(1))


def error(found, wanted):
    return float((found.double() - wanted.double()).abs().max() / wanted.double().abs().max())


@pytest.mark.parametrize("compile", [jitney.compile, torch_tensorrt.compile], ids=["jitney", "torch_tensorrt"])
@pytest.mark.parametrize("precisions", [{torch.bfloat16}, {torch.float32, torch.bfloat16}], ids=["alone", "beside"])
def test_bfloat16_of_a_float32_model(runtime, compile, precisions):
    model = net()
    exact = compile(model, inputs=[X], enabled_precisions={torch.float32}, **OPTIONS)
    lower = compile(model, inputs=[X], enabled_precisions=precisions, **OPTIONS)
    assert not lower.report.stayed
    wanted = model.double()(X.double())
    found = lower(X)
    assert found.dtype == torch.float32
    assert error(exact(X), wanted) < 1e-6
    assert 1e-4 < error(found, wanted) < 3e-2  # bfloat16 has 8 bits; and it is not float32 that ran


def test_it_travels_with_the_engine(runtime, tmp_path):
    lower = jitney.compile(net(), inputs=[X], enabled_precisions={torch.bfloat16}, **OPTIONS)
    found = lower(X)
    jitney.save(lower, tmp_path / "net.ep", arg_inputs=(X,))
    for again in (pickle.loads(pickle.dumps(lower)), jitney.load(tmp_path / "net.ep").module()):
        assert torch.equal(again(X), found)
    assert lower._run_on_acc_0.metadata == {"precision": "bf16"}


def test_the_two_runtimes_give_the_same(monkeypatch):
    found = []
    for runtime in ("cpp", "python"):
        monkeypatch.setenv("JITNEY_TORCH_RUNTIME", runtime)
        found.append(jitney.compile(net(), inputs=[X], enabled_precisions={torch.bfloat16}, **OPTIONS)(X))
    assert torch.equal(*found)


def test_torch_compile_has_it(runtime):
    torch._dynamo.reset()
    model = net()
    compiled = torch.compile(model, backend="jitney", options={**OPTIONS, "enabled_precisions": {torch.bfloat16}})
    assert 1e-4 < error(compiled(X), model.double()(X.double())) < 3e-2


@pytest.mark.parametrize("dtype, most", [(torch.float16, 2e-3), (torch.bfloat16, 3e-2), (torch.float64, 1e-12)], ids=str)
def test_a_model_has_its_own_dtype_whatever_is_enabled(runtime, dtype, most):
    wanted = net().double()(X.double())
    compiled = jitney.compile(net().to(dtype), inputs=[X.to(dtype)], enabled_precisions={torch.float32}, **OPTIONS)
    assert not compiled.report.stayed
    found = compiled(X.to(dtype))
    assert found.dtype == dtype and error(found, wanted) < most


def test_what_has_no_meaning_warns_once(tmp_path):
    code = """
import warnings, torch
import jitney.compat.torch_tensorrt as torch_tensorrt
x = torch.randn(2, 4)
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    for _ in range(2):
        module = torch_tensorrt.compile(torch.nn.Linear(4, 3).eval(), inputs=[x], min_block_size=1,
                                        enabled_precisions={torch.float16, torch.int8, torch_tensorrt.dtype.f8})
        with torch.no_grad():
            assert module(x).dtype == torch.float32 and not module.report.stayed
print(sorted(str(each.message).split(" has no effect")[0] for each in told if "has no effect" in str(each.message)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=200, env=environment(tmp_path))
    assert done.stdout == ("['jitney: enabled_precisions: torch.float16', 'jitney: enabled_precisions: torch.float8_e4m3fn', "
                           "'jitney: enabled_precisions: torch.int8']\n"), done.stdout + done.stderr


def test_no_warning_without_a_reason():
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        jitney.dynamo.CompilationSettings()
        jitney.dynamo.CompilationSettings(enabled_precisions={torch.bfloat16, torch.float64})


def test_a_precision_that_there_is_not(runtime):
    from small_models import unary

    with pytest.raises(ValueError, match="precision"):
        JitneyModule(unary("Neg"), precision="fp8")
    with pytest.raises((TypeError, ValueError), match="precision"):
        JitneyModule(unary("Neg"), metadata={"precision": 3})
