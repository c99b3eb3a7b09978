# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""torch.compile(backend="jitney")."""
import copy
import os
import subprocess
import sys
import warnings

import pytest
import torch
from conftest import BUILD

import jitney
from jitney.dynamo import variants

pytestmark = pytest.mark.usefixtures("fresh_dynamo")


class Model(torch.nn.Module):
    def __init__(self, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.conv = torch.nn.Conv2d(3, 6, 3, padding=1)
        self.norm = torch.nn.BatchNorm2d(6)
        self.head = torch.nn.Linear(6, 5)

    def forward(self, x):
        return self.head(torch.relu(self.norm(self.conv(x))).mean((2, 3))).log_softmax(-1)


@pytest.fixture
def made(monkeypatch):
    """Modules that were compiled."""
    found = []
    original = variants.compile_graph

    def compile_graph(*args, **kwargs):
        result = original(*args, **kwargs)
        found.append(result[0])
        return result

    monkeypatch.setattr(variants, "compile_graph", compile_graph)
    return found


def engines(made):
    return [child for module in made for name, child in module.named_children() if name.startswith("_run_on_acc_")]


def test_a_model(made):
    model = Model().eval()
    compiled = torch.compile(model, backend="jitney", options={"min_block_size": 1})
    x = torch.randn(2, 3, 8, 8)
    with torch.no_grad():
        torch.testing.assert_close(compiled(x), model(x))
    assert len(engines(made)) == 1
    stats = engines(made)[0].engine.stats()
    assert stats["kernels"] + stats["library_calls"] > 0


def test_gradients_are_not_asked_for_parameters_alone(made):
    model, x = Model().eval(), torch.randn(2, 3, 8, 8)
    with pytest.warns(UserWarning, match="parameters require gradients, and outputs of engines have none"):
        result = torch.compile(model, backend="jitney", options={"min_block_size": 1})(x)
    torch.testing.assert_close(result, model(x))
    assert len(engines(made)) == 1 and not result.requires_grad


def test_who_wants_no_gradients_is_not_warned(made):
    x = torch.randn(2, 3, 8, 8)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*jitney.*")
        with torch.no_grad():
            torch.compile(Model().eval(), backend="jitney", options={"min_block_size": 1})(x)
        torch._dynamo.reset()
        torch.compile(Model().eval().requires_grad_(False), backend="jitney", options={"min_block_size": 1})(x)
    assert len(made) == 2


def test_other_shapes_compile_one_graph_more(made):
    model = Model().eval()
    compiled = torch.compile(model, backend="jitney", options={"min_block_size": 1})
    with torch.no_grad():
        for batch in (2, 3, 5, 7, 9):
            x = torch.randn(batch, 3, 8, 8)
            torch.testing.assert_close(compiled(x), model(x))
    assert len(made) == 2


def test_new_weights_are_seen(made):
    model = Model().eval()
    compiled = torch.compile(model, backend="jitney", options={"min_block_size": 1})
    x = torch.randn(2, 3, 8, 8)
    with torch.no_grad():
        torch.testing.assert_close(compiled(x), model(x))
        model.head.weight.mul_(2)
        torch.testing.assert_close(compiled(x), model(x))
        model.load_state_dict(Model(seed=1).state_dict())
        torch.testing.assert_close(compiled(x), model(x))
        model.head = torch.nn.Linear(6, 5)
        torch.testing.assert_close(compiled(x), model(x))
        # Versions stay what they were, and what is given back is what the next one gets.
        shape = model.head.weight.shape
        for _ in range(2):
            model.head.weight.data = torch.empty(0)
            model.head.weight.data = torch.randn(shape)
        torch.testing.assert_close(compiled(x), model(x))
        model.head.weight.data = torch.randn(5, 6)
        torch.testing.assert_close(compiled(x), model(x))
        torch.nn.utils.vector_to_parameters(torch.randn(35), model.head.parameters())
        torch.testing.assert_close(compiled(x), model(x))
        model.norm.weight.data, model.norm.bias.data = model.norm.bias.data, model.norm.weight.data
        torch.testing.assert_close(compiled(x), model(x))


class Counter(torch.nn.Module):
    """Counts its calls in a buffer."""

    def __init__(self):
        super().__init__()
        self.head = torch.nn.Linear(4, 4)
        self.register_buffer("calls", torch.zeros(4))

    def forward(self, x):
        self.calls.add_(1)
        return self.head(x) + self.calls


def test_buffers_are_written_also_once_weights_have_changed(made):
    model, x = Counter().eval(), torch.randn(2, 4)
    reference = copy.deepcopy(model)
    compiled = torch.compile(model, backend="jitney", options={"min_block_size": 1})
    with torch.no_grad():
        for step in range(4):
            torch.testing.assert_close(compiled(x), reference(x))
            torch.testing.assert_close(model.calls, reference.calls)
            if step == 1:
                for each in (model, reference):
                    each.head.weight.mul_(2)
    assert len(made) == 2


def test_new_weights_for_sizes_that_change(made):
    model = Model().eval()
    compiled = torch.compile(model, backend="jitney", dynamic=True, options={"min_block_size": 1})
    with torch.no_grad():
        for scale in (1, 2):
            model.head.weight.mul_(scale)
            for batch in (2, 3, 5):
                x = torch.randn(batch, 3, 8, 8)
                torch.testing.assert_close(compiled(x), model(x))
    assert len(made) == 2


def test_more_sets_of_weights_than_are_kept(made):
    function = torch.compile(lambda layer, x: torch.relu(layer(x)), backend="jitney", options={"min_block_size": 1})
    x = torch.randn(2, 4)
    with torch.no_grad(), pytest.warns(UserWarning, match="more than 8 sets of weights"):
        for layer in [torch.nn.Linear(4, 4) for _ in range(10)]:
            torch.testing.assert_close(function(layer, x), torch.relu(layer(x)))
    assert len(made) == 8


def test_several_modules_of_one_class_keep_their_weights(made):
    function = torch.compile(lambda model, x: model(x), backend="jitney", options={"min_block_size": 1})
    x = torch.randn(2, 3, 8, 8)
    with torch.no_grad():
        for model in (Model(0).eval(), Model(1).eval()):
            torch.testing.assert_close(function(model, x), model(x))


def test_mutation_and_aliases():
    def function(x, y):
        x.add_(y)
        return x[0] * 2, x.view(-1), y

    compiled = torch.compile(function, backend="jitney", options={"min_block_size": 1})
    a, b, y = torch.ones(3, 4), torch.ones(3, 4), torch.full((3, 4), 2.0)
    with torch.no_grad():
        results, wanted = compiled(a, y), function(b, y)
        torch.testing.assert_close(results, wanted)
        torch.testing.assert_close(a, b)
        results[1][0] = 100
        assert a[0, 0] == 100


def test_buffers_in_training():
    model, reference = Model().train(), Model().train()
    compiled = torch.compile(model, backend="jitney", options={"min_block_size": 1})
    with torch.no_grad():
        for _ in range(2):
            x = torch.randn(4, 3, 8, 8)
            torch.testing.assert_close(compiled(x), reference(x), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(model.norm.running_mean, reference.norm.running_mean)


def test_inputs_that_require_gradients_stay_in_pytorch(made):
    compiled = torch.compile(Model().eval(), backend="jitney", options={"min_block_size": 1})
    x = torch.randn(2, 3, 8, 8, requires_grad=True)
    with pytest.warns(UserWarning, match="requires a gradient"):
        compiled(x).sum().backward()
    assert x.grad is not None and not made


def test_graph_breaks(made):
    def function(x):
        y = (x * 2).relu() + 1
        if y.sum() > 0:
            return y * 3 - 1
        return y

    compiled = torch.compile(function, backend="jitney", options={"min_block_size": 1})
    with torch.no_grad():
        x = torch.randn(4, 4)
        torch.testing.assert_close(compiled(x), function(x))
    assert len(made) >= 2


def test_options_are_checked():
    compiled = torch.compile(Model().eval(), backend="jitney", options={"cuda_graph_strategy": "disabled"})
    with torch.no_grad(), pytest.raises(Exception, match="runtime_settings="):
        compiled(torch.randn(2, 3, 8, 8))


def test_jitney_compile_with_ir_torch_compile(made):
    model, x = Model().eval(), torch.randn(2, 3, 8, 8)
    compiled = jitney.compile(model, ir="torch_compile", min_block_size=1)
    with torch.no_grad():
        torch.testing.assert_close(compiled(x), model(x))
    assert engines(made)


def test_importing_jitney_imports_neither_torch_nor_onnx():
    code = ("import jitney, sys; assert 'torch' not in sys.modules and 'onnx' not in sys.modules;"
            "jitney.compile; assert 'torch' not in sys.modules")
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120,
                   env={**os.environ, "PYTHONPATH": str(BUILD / "python")})


def test_kernels_of_many_sizes(made):
    """Guards on the extents of weights must not come to be."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 7, 2, 3, bias=False), torch.nn.BatchNorm2d(8), torch.nn.ReLU(),
                                torch.nn.MaxPool2d(3, 2, 1), torch.nn.Conv2d(8, 8, 3, padding=1),
                                torch.nn.Conv2d(8, 16, 1, 2), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1),
                                torch.nn.Flatten(), torch.nn.Linear(16, 5)).eval()
    compiled = torch.compile(model, backend="jitney")
    with torch.no_grad():
        for batch in (1, 3, 2):
            x = torch.randn(batch, 3, 32, 32)
            torch.testing.assert_close(compiled(x), model(x), rtol=1e-4, atol=1e-5)
    assert engines(made)


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_encoder_layers_that_are_one_operator(made, norm_first, activation):
    torch.manual_seed(0)
    layer = torch.nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, activation=activation, norm_first=norm_first)
    model = torch.nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).eval()
    compiled = torch.compile(model, backend="jitney", options={"require_full_compilation": True})
    with torch.no_grad():
        for shape in ((2, 7, 32), (1, 20, 32)):
            x = torch.randn(*shape)
            torch.testing.assert_close(compiled(x), model(x), rtol=1e-4, atol=1e-5)
    assert engines(made)
