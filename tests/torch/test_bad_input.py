# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What engines cannot have: PyTorch does it where that is right, else one sentence says what, where and what is allowed."""
import pytest
import torch

import jitney
from jitney import UserError

OPTIONS = {"min_block_size": 1}


@pytest.fixture(autouse=True)
def fresh():
    torch._dynamo.reset()
    with torch.no_grad():
        yield


class Of(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *tensors):
        return self.function(*tensors)


def check(module, function, *tensors):
    torch.testing.assert_close(module(*tensors), function(*tensors))
    assert module.report.compiled > 0
    return {entry.operator: entry for entry in module.report.stayed}



def sentence(error, *words):
    text = str(error.value)
    assert all(word in text for word in words) and "\n" not in text, text


def test_complex_numbers(runtime):
    def function(x):
        return torch.fft.rfft(x.relu()).abs() + 1

    x = torch.randn(3, 8)
    stayed = check(jitney.compile(Of(function), inputs=[x], **OPTIONS), function, x)
    (name, entry), *_ = stayed.items()
    assert "fft" in name and __file__ in entry.line and entry.reason
    module = jitney.compile(torch.nn.Linear(4, 3).eval(), inputs=[torch.randn(2, 4)], **OPTIONS)
    with pytest.raises(UserError) as error:
        module(torch.randn(2, 4, dtype=torch.complex64))
    sentence(error, "input 'input_1'", "torch.float32", "found")


def test_sparse_tensors(runtime):
    def function(s, x):
        return torch.sparse.mm(s, x).relu() + 1

    s, x = torch.eye(4).to_sparse(), torch.randn(4, 3)
    stayed = check(jitney.compile(Of(function), inputs=[s, x], **OPTIONS), function, s, x)
    assert all("sparse" in name for name in stayed) and stayed
    torch.testing.assert_close(torch.compile(function, backend="jitney", options=OPTIONS)(s, x), function(s, x))
    module = jitney.compile(torch.nn.Linear(4, 3).eval(), inputs=[torch.randn(2, 4)], **OPTIONS)
    with pytest.raises(UserError) as error:
        module(torch.eye(4).to_sparse())
    sentence(error, "input 'input_1'", "must be dense")


def test_inputs_that_require_gradients(runtime):
    net = torch.nn.Linear(4, 3).eval()
    module = jitney.compile(net, inputs=[torch.randn(2, 4)], **OPTIONS)
    with torch.enable_grad():
        x = torch.randn(2, 4, requires_grad=True)
        found = module(x)
        assert not found.requires_grad and torch.allclose(found, net(x), atol=1e-5)  # an inference engine, as it says
        with pytest.warns(UserWarning, match="requires a gradient"):  # here PyTorch is right
            torch.compile(net, backend="jitney", options=OPTIONS)(x).sum().backward()
        assert x.grad is not None
        torch._dynamo.reset()
        with pytest.raises(Exception, match="requires a gradient"):
            torch.compile(net, backend="jitney", options={**OPTIONS, "require_full_compilation": True})(x)


def test_a_wrong_number_of_inputs(runtime):
    module = jitney.compile(torch.nn.Linear(4, 3).eval(), inputs=[torch.randn(2, 4)], **OPTIONS)
    for given in ((), (torch.randn(2, 4), torch.randn(2, 4))):
        with pytest.raises(TypeError) as error:
            module(*given)
        sentence(error, "forward()", "argument")
        with pytest.raises(UserError) as error:
            module._run_on_acc_0(*given)
        sentence(error, "engine '_run_on_acc_0' expects 1 inputs", f"found {len(given)}")


def test_mixed_dtypes(runtime):
    def function(a, b, c):
        return (a + b) * c.to(a.dtype) - c

    tensors = torch.randn(3), torch.randn(3).double(), torch.arange(3)
    module = jitney.compile(Of(function), inputs=tensors, **OPTIONS)
    assert not check(module, function, *tensors)  # PyTorch's promotion, in one engine
    with pytest.raises(UserError) as error:
        module(tensors[0].double(), *tensors[1:])
    sentence(error, "torch.float32", "found")


def test_a_wrong_device(runtime):
    module = jitney.compile(torch.nn.Linear(4, 3).eval(), inputs=[torch.randn(2, 4)], **OPTIONS)
    with pytest.raises(UserError) as error:
        module(torch.randn(2, 4, device="meta"))
    sentence(error, "input 'input_1' of engine '_run_on_acc_0' must be on cpu, found meta")


class Branch(torch.nn.Module):
    def forward(self, x):
        x = x * 2
        if x.sum() > 0:  # the line that the error names
            return x + 1
        return x - 1


def test_control_flow_that_depends_on_data(runtime):
    x = torch.ones(2, 4)
    with pytest.raises(UserError) as error:
        jitney.compile(Branch(), inputs=[x], **OPTIONS)
    sentence(error, "Branch cannot be traced at", "test_bad_input.py", "if x.sum() > 0:", "torch.cond")
    compiled = torch.compile(Branch(), backend="jitney", options=OPTIONS)  # there PyTorch decides between two graphs

    def function(x):
        return torch.cond((x * 2).sum() > 0, lambda x: x.sin(), lambda x: x.cos(), (x * 2,)) + 1

    module = jitney.compile(Of(function), inputs=[x], **OPTIONS)
    for value in (x, -x):
        torch.testing.assert_close(compiled(value), Branch()(value))
        assert list(check(module, function, value)) == ["cond"]
