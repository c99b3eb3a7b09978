# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Weights beyond a budget are in memory only while a call reads them (J), in both runtimes."""
import gc
import threading

import pytest
import torch

import jitney
import jitney.compat.torch_tensorrt as torch_tensorrt
from jitney.dynamo.runtime import weight_streaming
from jitney.dynamo.runtime.weight_streaming import split
from jitney.runtime import RuntimeSettings

OPTIONS = {"min_block_size": 1, "runtime_settings": RuntimeSettings("none", runtime_cache=None)}
WIDTH = 512
ONE = WIDTH * WIDTH * 4  # bytes of one layer


@pytest.fixture(autouse=True)
def inference():
    with torch.no_grad():
        yield


class Net(torch.nn.Module):
    """Layers of equal size; with complex numbers, which stay in PyTorch, after `parts[0]` of them."""

    def __init__(self, *parts):
        super().__init__()
        torch.manual_seed(0)
        self.parts = torch.nn.ModuleList(torch.nn.Sequential(*(self.block() for _ in range(count))) for count in parts)

    @staticmethod
    def block():
        return torch.nn.Sequential(torch.nn.Linear(WIDTH, WIDTH), torch.nn.ReLU())

    def forward(self, x):
        for number, part in enumerate(self.parts):
            if number:
                x = torch.polar(x, torch.zeros_like(x)).real.clone()
            x = part(x)
        return x


X = torch.randn(32, WIDTH)


def compiled(*parts, x=X):
    net = Net(*parts).eval()
    rows = torch.export.Dim("rows", min=1, max=64)
    program = torch.export.export(net, (x,), dynamic_shapes=({0: rows},))
    return net, jitney.dynamo.compile(program, **OPTIONS)


def engines(module):
    return [child.engine for name, child in module.named_children() if name.startswith("_run_on_acc_")]


def held(module):
    """Packed weights and the rest of the process' memory for engines."""
    gc.collect()
    return engines(module)[0].stats()["device_bytes"]


def check(module, net, rows=32):
    x = X[:rows]
    torch.testing.assert_close(module(x), net(x), rtol=1e-4, atol=1e-4)


def test_J_weights_beyond_the_budget_are_not_kept(runtime):
    net, module = compiled(4)
    check(module, net)
    whole = held(module)
    with weight_streaming(module) as context:
        assert context.total_device_budget == context.device_budget == 4 * ONE
        for budget, gone in ((0, 4), (ONE, 3), (2 * ONE + 5, 2), (ONE - 1, 4), (4 * ONE, 0)):
            context.device_budget = budget
            assert context.device_budget == budget
            for rows in (32, 7, 1):
                check(module, net, rows)
            if gone:
                # At once, after each run, and for every shape that was seen.
                assert whole - held(module) >= gone * ONE * 0.95, budget
        check(module, net)
        context.device_budget = 0
    for rows in (32, 7, 1):
        check(module, net, rows)
        check(module, net, rows)
    assert held(module) >= whole, "all of them are there again"
    assert [engine.weight_budget for engine in engines(module)] == [4 * ONE]
    assert engines(module)[0].num_execution_contexts_created() == 1


def test_J_the_same_numbers(runtime):
    net, module = compiled(3)
    wanted = module(X)
    with weight_streaming(module) as context:
        context.device_budget = ONE
        assert torch.equal(module(X), wanted) and torch.equal(module(X), wanted)


def test_J_a_budget_before_the_first_run(runtime):
    net, module = compiled(4)
    before = held(module)
    with torch_tensorrt.runtime.weight_streaming(module) as context:
        context.device_budget = 0
        check(module, net)
        assert held(module) - before < ONE
    check(module, net)
    check(module, net)
    assert held(module) - before >= 4 * ONE * 0.95


def test_J_a_budget_is_split_in_proportion(runtime):
    net, module = compiled(1, 3)
    first, second = engines(module)
    assert (first.streamable_weight_bytes, second.streamable_weight_bytes) == (ONE, 3 * ONE)
    with weight_streaming(module) as context:
        assert context.total_device_budget == 4 * ONE
        for budget in (4 * ONE, 2 * ONE, ONE + 1, 3, 0):
            context.device_budget = budget
            assert context.device_budget == budget and abs(first.weight_budget - budget / 4) <= 1
            check(module, net)
        with weight_streaming([module]) as inner:
            inner.device_budget = 2 * ONE
        assert context.device_budget == 0
        context.device_budget = context.get_automatic_weight_streaming_budget()
        assert context.device_budget <= context.total_device_budget
    assert (first.weight_budget, second.weight_budget) == (ONE, 3 * ONE)


@pytest.mark.parametrize("sizes", [[1, 1, 1], [750, 250], [7, 0, 13], [2**40, 3]])
def test_J_shares(sizes):
    for budget in {0, 1, 2, sum(sizes) // 3, sum(sizes) - 1, sum(sizes)}:
        shares = split(budget, sizes)
        assert sum(shares) == budget
        assert all(0 <= share <= size and abs(share - budget * size / sum(sizes)) <= 1 for share, size in zip(shares, sizes))


def test_J_errors_and_clamping(runtime):
    net, module = compiled(2)
    with weight_streaming(module) as context:
        context.device_budget = ONE
        for error in (RuntimeError, ValueError):
            with pytest.raises(error, match="0 bytes or more, found -1"):
                context.device_budget = -1
        with pytest.raises(TypeError, match="int"):
            context.device_budget = 1.5
        assert context.device_budget == ONE
        with pytest.warns(UserWarning, match=f"{2 * ONE + 1} is more than the {2 * ONE} bytes"):
            context.device_budget = 2 * ONE + 1
        assert context.device_budget == 2 * ONE
        check(module, net)
    with pytest.raises(RuntimeError, match="inside"):
        context.device_budget
    with pytest.raises(ValueError, match="0 bytes or more"):
        engines(module)[0].weight_budget = -5


def test_J_nothing_to_stream(runtime):
    module = jitney.compile(torch.nn.Softmax(-1), inputs=[X], **OPTIONS)
    with pytest.raises(RuntimeError, match="0 streamable bytes"), weight_streaming(module):
        pass


def test_J_restored_when_the_block_raises(runtime):
    net, module = compiled(2)
    with pytest.raises(KeyError), weight_streaming(module) as context:
        context.device_budget = 0
        raise KeyError
    assert engines(module)[0].weight_budget == 2 * ONE


def test_J_budgets_change_while_threads_run(runtime):
    net, module = compiled(3)
    wanted, errors = {rows: net(X[:rows]) for rows in (32, 5)}, []
    ended = threading.Event()

    def work(rows):
        try:
            with torch.no_grad():
                while not ended.is_set():
                    torch.testing.assert_close(module(X[:rows]), wanted[rows], rtol=1e-4, atol=1e-4)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(rows,)) for rows in (32, 5, 32)]
    with weight_streaming(module) as context:
        for thread in threads:
            thread.start()
        for step in range(30):
            context.device_budget = (step * 7 % 4) * ONE
            module(X)
        ended.set()
        for thread in threads:
            thread.join(60)
    assert not errors
