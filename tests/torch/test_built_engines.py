# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Engines that are built and run in one process: nothing of theirs is written as bytes before somebody wants those."""
import copy
import pickle

import pytest
import torch

import jitney
from jitney import _jitney
from jitney.dynamo.runtime import JitneyModule

pytestmark = pytest.mark.usefixtures("runtime")


class Tied(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = torch.nn.Linear(192, 192), torch.nn.Linear(192, 192)
        self.second.weight = self.first.weight
        self.offset = torch.nn.Parameter(torch.randn(64, 192))  # which kernels read where it lies
        self.register_buffer("mask", torch.rand(64, 192) > 0.5)

    def forward(self, x):
        return self.second(self.first(x).relu() + self.offset) * self.mask


@pytest.fixture
def no_bytes(monkeypatch):
    def serialize(self):
        raise AssertionError("nobody asked for bytes")
    monkeypatch.setattr(_jitney.Engine, "serialize", serialize)


def compiled(model, x):
    return jitney.compile(model, inputs=[x], min_block_size=1, ir="dynamo")


def children(module):
    return [child for child in module.modules() if isinstance(child, JitneyModule)]


def test_compiling_and_running_writes_no_bytes(no_bytes):
    model, x = Tied().eval(), torch.randn(64, 192)
    module = compiled(model, x)
    assert torch.allclose(module(x), model(x), atol=1e-5)
    [engine] = children(module)
    with pytest.raises(AssertionError, match="asked for bytes"):
        engine.serialized_engine


def test_writes_into_parameters_do_not_reach_the_engine():
    model, x = Tied().eval(), torch.randn(64, 192)
    module = compiled(model, x)
    expected = model(x)
    with torch.no_grad():
        for tensor in [*model.parameters(), *model.buffers()]:
            tensor.zero_()
    assert torch.allclose(module(x), expected, atol=1e-5), "the first run is the one that reads weights"
    assert torch.allclose(module(torch.cat([x])), expected, atol=1e-5)


def test_its_bytes_are_those_of_any_engine(tmp_path):
    model, x = Tied().eval(), torch.randn(64, 192)
    expected = model(x)
    module = compiled(model, x)
    [engine] = children(module)
    data = engine.serialized_engine
    assert torch.allclose(JitneyModule(data)(x), expected, atol=1e-5)
    for made in (pickle.loads(pickle.dumps(engine)), copy.deepcopy(engine)):
        assert torch.allclose(made(x), expected, atol=1e-5)
        assert made.serialized_engine == data
    other = JitneyModule()
    other.load_state_dict(engine.state_dict())
    assert torch.allclose(other(x), expected, atol=1e-5)


def test_an_engine_that_is_read_later_and_saved_before():
    model, x = Tied().eval(), torch.randn(64, 192)
    built = JitneyModule(children(compiled(model, x))[0].serialized_engine).engine._native
    late = JitneyModule(built, lazy_engine_init=True)
    assert torch.allclose(pickle.loads(pickle.dumps(late))(x), model(x), atol=1e-5)
    assert torch.allclose(late(x), model(x), atol=1e-5)
