# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What torch.compile(backend="jitney") calls, once it has compiled: no more than it must, and never less."""
import sys

import pytest
import torch

pytestmark = pytest.mark.usefixtures("fresh_dynamo")
OPTIONS = {"min_block_size": 1}


def compiled(function, **options):
    return torch.compile(function, backend="jitney", options={**OPTIONS, **options})


def functions_called(call):
    """Names of the Python functions that run under `call`."""
    names = []
    sys.setprofile(lambda frame, event, _: names.append(frame.f_code.co_name) if event == "call" else None)
    try:
        call()
    finally:
        sys.setprofile(None)
    return names


def check(function, *inputs, wrapped, **options):
    """Right three times over, with AOTAutograd's wrapper around it or without."""
    fast = compiled(function, **options)
    with torch.no_grad():
        for _ in range(3):
            mine, others = [x.clone() for x in inputs], [x.clone() for x in inputs]
            torch.testing.assert_close(fast(*mine), function(*others))
            torch.testing.assert_close(mine, others)
        names = functions_called(lambda: fast(*[x.clone() for x in inputs]))
    assert ("runtime_wrapper" in names) == wrapped


X = torch.arange(12.0).reshape(3, 4)


def test_one_engine():
    check(lambda x: torch.relu(x - 5) @ x.T, X, wrapped=False)


def test_outputs_of_one_engine_in_any_order_and_twice():
    def function(x, y):
        a, b = x @ y.T, torch.tanh(x)
        return b, a, b

    check(function, X, X + 1, wrapped=False)


def test_an_output_given_alone_and_twice():
    def function(x):
        y = torch.exp(x * 0.1)
        return y, y

    check(function, X, wrapped=False)


def test_inputs_that_are_not_read_and_those_read_in_another_order():
    check(lambda a, b, c: torch.sub(c, a) * 2, X, X + 1, X * 3, wrapped=False)


def test_parts_in_pytorch():
    check(lambda x: torch.relu(torch.sin(x)) * 2, X, wrapped=False, torch_executed_ops={torch.ops.aten.sin.default})


def test_an_input_that_is_written():
    def function(x):
        x.add_(1)
        return x * 2

    check(function, X, wrapped=True)


def test_an_output_that_is_an_input_or_shares_its_memory():
    check(lambda x: (x.view(-1), torch.relu(x)), X, wrapped=True)
    torch._dynamo.reset()
    alias = compiled(lambda x: (x.view(-1), torch.relu(x)))
    x = X.clone()
    with torch.no_grad():
        alias(x)[0][0] = 100
    assert x[0, 0] == 100


def test_autocast_stays_outside():
    fast = compiled(lambda x: torch.sin(x) @ x.T, torch_executed_ops={torch.ops.aten.sin.default})
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        for _ in range(2):
            assert fast(X).dtype == torch.bfloat16


def test_sizes_that_change():
    fast = compiled(lambda x: torch.relu(x) @ x.T + x.shape[0])
    with torch.no_grad():
        for rows in (2, 3, 5, 1):
            x = torch.randn(rows, 4)
            torch.testing.assert_close(fast(x), torch.relu(x) @ x.T + rows)


def test_weights_of_inference_mode():
    with torch.inference_mode():
        model = torch.nn.Linear(4, 5).eval()
        fast = compiled(model)
        for _ in range(3):
            torch.testing.assert_close(fast(X), model(X))
            model.weight.mul_(2)  # which nobody counts


def test_weights_that_are_written_between_calls():
    model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 4)).eval()
    fast = compiled(model)
    with torch.no_grad():
        for layer in (0, 1, 0):
            torch.testing.assert_close(fast(X), model(X))
            model[layer].weight.mul_(2)
            torch.testing.assert_close(fast(X), model(X))
