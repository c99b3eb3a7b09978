# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Results lie in memory as eager PyTorch's do: views share what they are views of, and strides are those of eager."""
import pytest
import torch

import jitney
from jitney.dynamo.runtime import JitneyModule

OPTIONS = {"min_block_size": 1}
VIEWS = {
    "chunk": lambda x: x.chunk(2, -1),
    "half the columns": lambda x: x[:, :x.shape[1] // 2],
    "half the rows": lambda x: x[x.shape[0] // 2:],
    "last row": lambda x: x[x.shape[0] - 1],
    "narrow": lambda x: x.narrow(1, x.shape[1] - 3, 3),
    "split": lambda x: x.split(x.shape[1] // 2, 1),
    "heads": lambda x: x.view(x.shape[0], 2, -1).transpose(0, 1),
    "inner heads": lambda x: x.view(x.shape[0], 2, -1).transpose(1, 2),
    "transposed": lambda x: x.t(),
    "expanded": lambda x: x.unsqueeze(-1).expand(-1, -1, x.shape[0]),
    "diagonal": lambda x: x.diagonal(),
    "unbind": lambda x: x.unbind(0)[1],
    "itself": lambda x: x.view_as(x),
}


def leaves(results):
    return torch.utils._pytree.tree_leaves(results)


def engines(module):
    return [child for child in module.modules() if isinstance(child, JitneyModule)]


def assert_lies_as(found, expected):
    assert len(found) == len(expected)
    for a, b in zip(found, expected):
        strides = [[stride for stride, extent in zip(t.stride(), t.shape) if extent > 1] for t in (a, b)]
        assert torch.allclose(a, b, atol=1e-6) and strides[0] == strides[1], strides


def sharing(tensors):
    """Which tensors share memory with which."""
    starts = [tensor.untyped_storage().data_ptr() for tensor in tensors]
    return [starts.index(start) for start in starts]


@pytest.mark.parametrize("dynamic", [None, True], ids=["as it comes", "dynamic"])
@pytest.mark.parametrize("view", VIEWS)
def test_views_of_an_input_at_every_shape(fresh_dynamo, view, dynamic):
    def f(x):
        return ((x * 2).sigmoid().tanh() * 3, *leaves(VIEWS[view](x)))

    compiled = torch.compile(f, backend="jitney", options=OPTIONS, dynamic=dynamic)
    for shape in ((4, 6), (4, 8), (6, 12), (4, 6)):
        x = torch.randn(shape)
        found, expected = compiled(x), f(x)
        assert_lies_as(found, expected)
        assert sharing([x, *found]) == sharing([x, *expected])


@pytest.mark.parametrize("view", VIEWS)
def test_views_of_a_result(fresh_dynamo, view):
    def f(x):
        z = x * 2 + 1
        return (z, *leaves(VIEWS[view](z)))

    compiled = torch.compile(f, backend="jitney", options=OPTIONS)
    for shape in ((4, 6), (4, 8), (6, 12)):
        found, expected = compiled(torch.ones(shape)), f(torch.ones(shape))
        assert_lies_as(found, expected)
        assert sharing(found) == sharing(expected)
        for results in (found, expected):
            results[-1].sub_(7) if view != "expanded" else results[0].sub_(7)
        assert_lies_as(found, expected)


def test_what_is_written_after_a_graph_break(fresh_dynamo):
    def row(x):
        z = x.clone() * 1
        a = z[0]
        torch._dynamo.graph_break()
        a.zero_()
        return z * 2

    def transposed(x):
        z = x + 1
        zt = z.t()
        torch._dynamo.graph_break()
        z.add_(10)
        return zt * 1

    def by_strides(x):
        z = (x + 1).t()
        torch._dynamo.graph_break()
        return z.as_strided((3,), (1,)) * 1

    for f in (row, transposed, by_strides):
        compiled = torch.compile(f, backend="jitney", options=OPTIONS)
        for shape in ((4, 6), (5, 7)):
            x = torch.randn(shape)
            with torch.no_grad():
                assert torch.equal(compiled(x), f(x)), f.__name__


@pytest.mark.parametrize("way", ["torch.compile", "jitney.compile"])
def test_strides_are_those_of_eager(fresh_dynamo, way):
    class Layouts(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 8, 3, padding=1)

        def forward(self, x, y):
            h = self.conv(x).relu()
            return h, h.mean((2, 3)).t(), y * 2, (y + 1).permute(2, 0, 1), (y - 1)[:, :1].exp()

    model = Layouts().eval()
    x = torch.randn(2, 3, 5, 6).to(memory_format=torch.channels_last)
    y = torch.randn(4, 3, 5).transpose(1, 2)
    compiled = (torch.compile(model, backend="jitney", options=OPTIONS) if way == "torch.compile"
                else jitney.compile(model, inputs=[x, y], min_block_size=1))
    with torch.no_grad():
        assert_lies_as(leaves(compiled(x, y)), leaves(model(x, y)))
    if way == "jitney.compile":
        assert len(engines(compiled)) == 1


def test_an_exported_program_gives_views_of_its_inputs():
    class Parts(torch.nn.Module):
        def forward(self, x):
            a, b = x.chunk(2, 1)
            return a, b, (a * b).exp()

    model = Parts()
    rows = torch.export.Dim("rows")
    program = torch.export.export(model, (torch.randn(4, 6),), dynamic_shapes=({0: rows},))
    compiled = jitney.dynamo.compile(program, min_block_size=1, require_full_compilation=True)
    assert len(engines(compiled)) == 1
    for n in (4, 9):
        x = torch.randn(n, 6)
        found = compiled(x)
        assert_lies_as(found, model(x))
        assert sharing([x, *found]) == sharing([x, *model(x)])


def test_exported_programs_take_inputs_that_lie_otherwise():
    class Flat(torch.nn.Module):
        def forward(self, x):
            return (x * 2).relu().flatten(1), x.flatten(1), x.unflatten(1, (1, 3))[:, 0]

    model, x = Flat(), torch.randn(2, 3, 5, 6)
    compiled = jitney.compile(model, inputs=[x], min_block_size=1)
    for given in (x, x.to(memory_format=torch.channels_last), torch.randn(6, 5, 3, 2).permute(3, 2, 1, 0)):
        for a, b in zip(compiled(given), model(given)):
            assert torch.equal(a, b)


def test_views_are_no_work_for_a_device():
    class Model(torch.nn.Module):
        def forward(self, x):
            h = (x * 2).relu()
            return h, x[:, 1:], h.t()

    from jitney.dynamo.runtime.whole_graph import has_other_parts
    rows = torch.export.Dim("rows")
    compiled = jitney.compile(Model(), inputs=[torch.randn(4, 6)], min_block_size=1, dynamic_shapes=({0: rows},))
    assert len(list(compiled.graph.nodes)) > 4 and not has_other_parts(compiled)


def test_a_lone_engine_with_other_strides_is_called_directly(fresh_dynamo, monkeypatch):
    from jitney.dynamo import direct_call
    calls = []
    original = direct_call._engine_alone
    monkeypatch.setattr(direct_call, "_engine_alone", lambda *args: calls.append(original(*args)) or calls[-1])

    def f(x):
        return (x * 2).t() + 1, x.exp()

    compiled = torch.compile(f, backend="jitney", options=OPTIONS)
    x = torch.randn(4, 6)
    with torch.no_grad():
        assert_lies_as(compiled(x), f(x))
    [(_, _, given)] = calls
    assert [order for _, order in given] == [[1, 0], None]


@pytest.mark.cuda
@pytest.mark.parametrize("view", ["chunk", "heads", "transposed", "last row"])
def test_on_a_gpu_views_of_inputs_and_results(fresh_dynamo, view):
    def f(x):
        z = (x * 2).sigmoid() + 1
        return (z, *leaves(VIEWS[view](z)), *leaves(VIEWS[view](x)), z.t() * 2)

    compiled = torch.compile(f, backend="jitney", options=OPTIONS)
    for shape in ((4, 6), (4, 8), (6, 12)):
        x = torch.randn(shape, device="cuda")
        found, expected = compiled(x), f(x)
        assert_lies_as(found, expected)
        assert sharing([x, *found]) == sharing([x, *expected])


@pytest.mark.cuda
def test_on_a_gpu_graphs_of_engines_whose_results_lie_otherwise():
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 8, 3, padding=1)

        def forward(self, x):
            h = self.conv(x).relu()
            return h, h.flatten(1)[:, :5], x[:, 1:]

    net = Net().cuda().eval()
    images = torch.randn(2, 3, 16, 16, device="cuda").to(memory_format=torch.channels_last)
    compiled = jitney.compile(net, inputs=[images], min_block_size=1, dynamic_shapes=({0: torch.export.Dim("n")},))
    with torch.no_grad(), jitney.runtime.enable_cudagraphs(compiled) as graphed:
        for n in (2, 2, 5, 2, 5):
            x = torch.randn(n, 3, 16, 16, device="cuda").to(memory_format=torch.channels_last)
            found, expected = graphed(x), net(x)
            for a, b in zip(found, expected):
                assert torch.allclose(a, b, atol=2e-3)
            assert found[2].stride() == expected[2].stride()
