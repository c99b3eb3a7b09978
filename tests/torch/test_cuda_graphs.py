# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""CUDA graphs through PyTorch: the matrix of docs/cuda_graphs.md, and its rules (F1-F9, G1, G2, G5).

On a machine with a GPU: python -m pytest tests/torch -m cuda
"""
import warnings

import pytest
import small_models as models
import torch

from jitney.dynamo.runtime import CudaGraphsModule, JitneyModule
from jitney.runtime import (RuntimeSettings, enable_cudagraphs, runtime_config, set_cudagraphs_mode)

pytestmark = [pytest.mark.cuda, pytest.mark.usefixtures("runtime")]


class Parts(torch.nn.Module):
    """Engines, with or without PyTorch between them."""

    def __init__(self, strategy, is_static, has_parts):
        super().__init__()
        shape = (4, 4) if is_static else ("n", 4)
        settings = RuntimeSettings("lazy", strategy, runtime_cache=None)
        self.first = JitneyModule(models.unary("Neg", shape=shape), name="first", device="cuda", runtime_settings=settings)
        self.second = JitneyModule(models.unary("Abs", shape=shape), name="second", device="cuda", runtime_settings=settings)
        self.has_parts = has_parts

    def forward(self, x):
        x = self.first(x)
        return self.second(x.relu() - 1 if self.has_parts else x)

    def wanted(self, x):
        return ((-x).relu() - 1).abs() if self.has_parts else x.abs()

    def engines(self):
        return self.first.engine, self.second.engine

    def check(self, run):
        for _ in range(4):
            x = torch.randn(4, 4, device="cuda")
            torch.testing.assert_close(run(x), self.wanted(x))

    def captured(self):
        return [engine.stats()["graphs_captured"] for engine in self.engines()]


@pytest.fixture(autouse=True)
def standard_mode():
    yield
    set_cudagraphs_mode(False)


@pytest.mark.parametrize("mode", ["standard", "subgraph", "whole"])
@pytest.mark.parametrize("strategy", ["disabled", "whole_graph_capture"])
@pytest.mark.parametrize("is_static", [True, False], ids=["static", "dynamic"])
@pytest.mark.parametrize("has_parts", [True, False], ids=["parts", "engines"])
def test_the_matrix(mode, strategy, is_static, has_parts):
    model = Parts(strategy, is_static, has_parts)
    native = strategy != "disabled"
    if mode == "standard":
        model.check(model)
        assert all(bool(n) == native for n in model.captured())
        return
    if mode == "subgraph":
        set_cudagraphs_mode(True)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            model.check(model)
        assert len(told) == (0 if native else 2)  # one an engine (F4)
        assert all(model.captured())
        set_cudagraphs_mode(False)
        assert all(e.runtime_settings.cuda_graph_strategy == "whole_graph_capture" for e in model.engines())
        return
    with enable_cudagraphs(model) as fast:
        # This is no GraphModule, so what is between the engines is not known: it is taken as a whole.
        assert isinstance(fast, CudaGraphsModule)
        if not is_static:
            with pytest.raises(RuntimeError, match="submodule 'first' is not monolithically capturable: .* Set its"):
                fast(torch.randn(4, 4, device="cuda"))
            with runtime_config(model, dynamic_shapes_kernel_specialization_strategy="none"):
                model.check(fast)
            return
        model.check(fast)
        assert not any(model.captured()) or native
    assert all(e.runtime_settings.cuda_graph_strategy == strategy for e in model.engines())


def test_F9_recordings_are_kept_for_each_shape_and_written_while_profiling(tmp_path):
    model = Parts("disabled", False, True)
    with runtime_config(model, dynamic_shapes_kernel_specialization_strategy="none"), enable_cudagraphs(model) as fast:
        fast.enable_profiling(str(tmp_path))
        kept = []
        for rows in (2, 5, 2):
            x = torch.randn(rows, 4, device="cuda")
            kept.append((fast(x), model.wanted(x)))
        for got, want in kept:  # clones: later calls do not change them
            torch.testing.assert_close(got, want)
        assert len(fast._recordings) == 2 and len(list(tmp_path.glob("*.dot"))) == 2


def test_F7_an_engine_lends_itself_to_somebody_elses_graph():
    module = Parts("whole_graph_capture", True, False).first
    x = torch.randn(4, 4, device="cuda")
    for _ in range(3):
        module(x)
    graph, side = torch.cuda.CUDAGraph(), torch.cuda.Stream()
    with torch.cuda.graph(graph, stream=side, capture_error_mode="thread_local"):
        y = module(x)
    x.fill_(3.0)
    graph.replay()
    torch.cuda.synchronize()
    assert torch.equal(y, torch.full_like(y, -3.0)) and module.engine.stats()["graphs_lent"] >= 1


@pytest.mark.parametrize("strategy", ["disabled", "whole_graph_capture"])
def test_G1_G5_on_the_callers_stream(strategy):
    module = Parts(strategy, False, False).first
    stream = torch.cuda.Stream()
    x = torch.randn(512, 4, device="cuda")
    torch.cuda.synchronize()
    for step in range(6):
        with torch.cuda.stream(stream):
            torch.cuda._sleep(3_000_000)  # what the engine reads is written late, on the same stream
            x.fill_(float(step))
            y = module(x.t().contiguous().t())  # the input goes before the kernel runs
            z = y + 1
        stream.synchronize()
        assert torch.equal(z, torch.full_like(z, 1.0 - step))
    y = module(x)  # and on the default stream
    assert torch.equal(y, -x)


def test_outputs_and_memory_are_torchs():
    module = Parts("disabled", False, False).first
    before = torch.cuda.memory_allocated()
    y = module(torch.ones(1 << 20, 4, device="cuda"))
    assert y.is_cuda and torch.cuda.memory_allocated() - before >= y.numel() * 4


def test_wrong_device():
    module = Parts("disabled", False, False).first
    with pytest.raises(ValueError, match="'x' of engine 'first' must be on cuda:0, found cpu"):
        module(torch.ones(2, 4))
