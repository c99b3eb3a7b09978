# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Whole models through every entry point on a GPU, on the caller's stream, in graphs and in a part of the chip.

On a machine with a GPU: python -m pytest tests/torch -m cuda
"""
import copy
import os
import subprocess
import sys

import opinfo
import pytest
import torch
from conftest import BUILD
from test_compile import Mlp, engines, steps

import jitney
import jitney.dynamo
from jitney.dynamo import Input
from jitney.dynamo.runtime.refit import refit_module_weights
from jitney.runtime import RuntimeSettings, enable_cudagraphs, set_cudagraphs_mode

pytestmark = pytest.mark.cuda
OPERATORS = opinfo.operators_by_name()


@pytest.fixture(autouse=True)
def inference():
    with torch.no_grad():
        yield
    set_cudagraphs_mode(False)


class Convolution(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = torch.nn.Conv2d(3, 16, 3, padding=1), torch.nn.Conv2d(16, 8, 3, stride=2)

    def forward(self, x):
        return self.second(self.first(x).relu()).mean((2, 3))


def resnet18():
    import torchvision

    torch.manual_seed(0)
    model = torchvision.models.resnet18().eval()
    for layer in model.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean.uniform_(-0.1, 0.1)
    return model.half().cuda()


def close(found, wanted):
    found, wanted = found.double().flatten(), wanted.double().flatten()
    assert torch.isfinite(found).all()
    assert torch.nn.functional.cosine_similarity(found, wanted, dim=0) >= 0.9999


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize("mode", ["standard", "subgraph", "whole"])
@pytest.mark.parametrize("strategy", ["disabled", "whole_graph_capture"])
def test_resnet18_in_every_mode(mode, strategy):
    model = resnet18()
    shape = (1, 3, 96, 96)
    compiled = jitney.compile(model, inputs=[torch.randn(shape, dtype=torch.half, device="cuda")],
                              runtime_settings=RuntimeSettings("none", strategy))
    assert len(engines(compiled)) == 1 and not compiled.report.stayed

    def check(run):
        for _ in range(4):
            x = torch.randn(shape, dtype=torch.half, device="cuda")
            close(run(x), model(x))

    if mode == "whole":
        with enable_cudagraphs(compiled) as fast:
            check(fast)
    else:
        set_cudagraphs_mode(mode == "subgraph")
        check(compiled)
    assert steps(compiled) > 0
    stats = engines(compiled)[0].engine.stats()
    assert bool(stats["graph_replays"]) == (mode != "standard" or strategy != "disabled")


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize("strategy", ["disabled", "whole_graph_capture"])
def test_a_convolution_with_any_batch(strategy):
    model = Convolution().eval().cuda()
    given = Input(min_shape=(1, 3, 20, 20), opt_shape=(4, 3, 20, 20), max_shape=(16, 3, 20, 20))
    compiled = jitney.compile(model, inputs=[given], min_block_size=1, runtime_settings=RuntimeSettings("lazy", strategy))
    assert len(engines(compiled)) == 1 and not compiled.report.stayed
    for batch in (4, 1, 16, 3, 4, 4):
        x = torch.randn(batch, 3, 20, 20, device="cuda")
        torch.testing.assert_close(compiled(x), model(x), rtol=1e-3, atol=1e-3)
    assert steps(compiled) > 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_an_encoder_in_graphs_whose_addresses_change(dtype):
    """Its attention is a kernel of the backend's own, between generated ones that are given new addresses."""
    torch.manual_seed(0)
    model = torch.nn.TransformerEncoderLayer(64, 4, 128, activation="gelu", batch_first=True, norm_first=True)
    model = model.eval().cuda().to(dtype)
    x = torch.randn(3, 16, 64, device="cuda", dtype=dtype)
    compiled = jitney.compile(model, inputs=[x], min_block_size=1,
                              runtime_settings=RuntimeSettings("none", "whole_graph_capture"))
    kept = []
    for _ in range(8):
        x = torch.randn(3, 16, 64, device="cuda", dtype=dtype)
        kept.append((compiled(x), model(x)))
    for found, wanted in kept:
        torch.testing.assert_close(found, wanted, rtol=3e-2, atol=3e-2)
    assert engines(compiled)[0].engine.stats()["graph_updates"] > 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16], ids=str)
def test_torch_compile(dtype):
    torch._dynamo.reset()
    model = Mlp().eval().cuda().to(dtype)
    compiled = torch.compile(model, backend="jitney", options={"min_block_size": 1}, fullgraph=True)
    for batch in (5, 5, 7, 9):
        x = torch.randn(batch, 8, device="cuda", dtype=dtype)
        torch.testing.assert_close(compiled(x), model(x), rtol=2e-2, atol=2e-2)


def test_on_two_streams_at_once():
    model = Mlp().eval().cuda()
    compiled = jitney.compile(model, inputs=[torch.randn(64, 8, device="cuda")], min_block_size=1)
    streams = [torch.cuda.Stream() for _ in range(3)]
    inputs = [torch.randn(64, 8, device="cuda") for _ in streams]
    wanted = [model(x) for x in inputs]
    torch.cuda.synchronize()
    for _ in range(20):
        results = []
        for stream, x in zip(streams, inputs):
            with torch.cuda.stream(stream):
                results.append(compiled(x))
        torch.cuda.synchronize()
        for found, want in zip(results, wanted):
            torch.testing.assert_close(found, want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("strategy", ["disabled", "whole_graph_capture"])
def test_G3_in_a_part_of_the_chip(strategy):
    """The same result in eight of its multiprocessors, and much later: nothing ran on the others."""
    class Products(torch.nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.layers = torch.nn.Sequential(*[torch.nn.Linear(2048, 2048) for _ in range(4)])

        def forward(self, x):
            return self.layers(x).relu()

    model = Products().eval().half().cuda()
    x = torch.randn(4096, 2048, device="cuda", dtype=torch.half)
    compiled = jitney.compile(model, inputs=[x], min_block_size=1, runtime_settings=RuntimeSettings("none", strategy))
    wanted = model(x)

    def seconds(stream):
        with torch.cuda.stream(stream):
            for _ in range(3):
                found = compiled(x)
            begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            begin.record()
            for _ in range(10):
                found = compiled(x)
            end.record()
        stream.synchronize()
        close(found, wanted)
        return begin.elapsed_time(end)

    whole = seconds(torch.cuda.Stream())
    context = torch.cuda.GreenContext.create(8, 0)
    part = seconds(context.Stream())
    assert part > 5 * whole, (part, whole)


def test_a_saved_program_in_another_process(tmp_path):
    model = Mlp().eval().cuda()
    x = torch.randn(5, 8, device="cuda")
    compiled = jitney.compile(model, inputs=[x], min_block_size=1)
    jitney.save(compiled, tmp_path / "model.pt2", inputs=[x])
    torch.save([x, model(x)], tmp_path / "case.pt")
    code = ("import torch, jitney; x, want = torch.load('case.pt'); "
            "torch.testing.assert_close(jitney.load('model.pt2').module()(x), want, rtol=1e-4, atol=1e-5)")
    process = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=200,
                             env={**os.environ, "PYTHONPATH": str(BUILD / "python")})
    assert process.returncode == 0, process.stderr[-2000:]


def test_copies_share_and_weights_follow():
    model = Mlp().eval().cuda()
    x = torch.randn(5, 8, device="cuda")
    compiled = jitney.compile(model, inputs=[x], min_block_size=1)
    other = copy.deepcopy(compiled)
    torch.testing.assert_close(other(x), model(x), rtol=1e-4, atol=1e-5)
    changed = copy.deepcopy(model)
    for parameter in changed.parameters():
        parameter.mul_(1.5)
    refitted = refit_module_weights(compiled, torch.export.export(changed, (x,)))
    torch.testing.assert_close(refitted(x), changed(x), rtol=1e-4, atol=1e-4)


def test_mixed_devices_stay_or_are_refused():
    model = Mlp().eval().cuda()
    compiled = jitney.compile(model, inputs=[torch.randn(5, 8, device="cuda")], min_block_size=1)
    with pytest.raises((ValueError, RuntimeError), match="cuda:0"):
        compiled(torch.randn(5, 8))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", sorted(OPERATORS)[:: 1 if "JITNEY_ALL_MODELS" in os.environ else 3])
def test_samples_of_operators(name):
    """PyTorch's own samples on the GPU, against eager on the CPU: every third operator, all with JITNEY_ALL_MODELS."""
    with opinfo.quiet():
        report = opinfo.check(OPERATORS[name], device="cuda")
    assert not report.wrong, "\n".join(report.wrong)
    assert report.passed or report.refused
    assert not report.passed or report.steps > 0, "nothing ran in an engine"
