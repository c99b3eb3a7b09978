# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Models that differentiate or vectorize in themselves, and recurrent ones, which PyTorch breaks up in its own ways."""
import pytest
import torch

import jitney

W = torch.randn(3, 3)


def energy(x):
    return (torch.tanh(W @ x) * x).sum()


MODELS = {
    "grad": torch.func.grad(energy),
    "grad of a convolution": torch.func.grad(lambda x: torch.nn.functional.conv1d(x.view(1, 1, 3), W[:, None, :2]).relu().sum()),
    "jacrev": torch.func.jacrev(lambda x: torch.tanh(W @ x)),
    "vjp": lambda x: torch.func.vjp(energy, x)[1](torch.tensor(2.0))[0],
    "hessian": torch.func.hessian(energy),
    "vmap of grad": lambda x: torch.vmap(torch.func.grad(energy))(torch.stack([x, x + 1])),
    "vmap": lambda x: torch.vmap(lambda row: W @ row)(torch.stack([x, x + 1])),
}


@pytest.mark.parametrize("records", [True, False])
@pytest.mark.parametrize("name", MODELS)
def test_transforms_inside(name, records, fresh_dynamo):
    function, x = MODELS[name], torch.rand(3)
    with torch.set_grad_enabled(records):
        found = torch.compile(function, backend="jitney", options={"min_block_size": 1})(x)
        torch.testing.assert_close(found, function(x), rtol=1e-4, atol=1e-5)


LSTMS = {"one": {}, "two both ways": {"num_layers": 2, "bidirectional": True}, "batch first": {"batch_first": True},
         "projected": {"proj_size": 3}}


@pytest.mark.parametrize("kind", LSTMS)
@pytest.mark.parametrize("batch", [5, 1])
@pytest.mark.parametrize("way", ["jitney.compile", "torch.compile"])
def test_states_of_an_lstm(kind, batch, way, fresh_dynamo):
    model = torch.nn.LSTM(4, 6, **LSTMS[kind]).eval()
    x = torch.randn(batch, 3, 4) if kind == "batch first" else torch.randn(3, batch, 4)
    with torch.no_grad():
        made = jitney.compile(model, inputs=[x], min_block_size=1) if way == "jitney.compile" else \
            torch.compile(model, backend="jitney", options={"min_block_size": 1})
        for found, wanted in zip(torch.utils._pytree.tree_leaves(made(x)), torch.utils._pytree.tree_leaves(model(x))):
            assert found.shape == wanted.shape
            torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)


class Counts(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("n", torch.zeros(3))

    def forward(self, x):
        self.n.add_(x.sum(0))
        return self.n * 2 + x.sum()


def test_saving_torchscript_leaves_the_state_where_it_was(tmp_path):
    model, x = Counts(), torch.ones(2, 3)
    made = jitney.compile(model, inputs=[x], min_block_size=1)
    jitney.save(made, tmp_path / "counts.ts", output_format="torchscript", arg_inputs=(x,))
    loaded = jitney.load(tmp_path / "counts.ts")
    wanted = Counts()
    for _ in range(3):
        expected = wanted(x)
        assert torch.equal(loaded(x), expected)
        assert torch.equal(made(x), expected)


class Assigns(torch.nn.Module):
    def __init__(self, engine):
        super().__init__()
        self.engine = engine
        self.register_buffer("b", torch.zeros(3))
        self.register_buffer("sparse", torch.eye(3).to_sparse())

    def forward(self, x):
        self.b = self.b + x.sum(0)
        return self.engine(x) + self.b


def test_saving_torchscript_leaves_buffers_that_are_assigned(tmp_path):
    x = torch.ones(2, 3)
    model = Assigns(jitney.compile(torch.nn.Linear(3, 3).eval(), inputs=[x], min_block_size=1))
    before = model.b
    jitney.save(model, tmp_path / "assigns.ts", output_format="torchscript", arg_inputs=(x,))
    assert model.b is before and torch.equal(before, torch.zeros(3))
