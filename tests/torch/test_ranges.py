# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Ranges of jitney.Input become optimization profiles of the engines, in both runtimes and by both names (L, O2)."""
import pickle

import pytest
import torch

import jitney
import jitney.compat.torch_tensorrt as torch_tensorrt
from jitney import Input, UserError
from jitney.runtime import RuntimeSettings, optimization_profile

pytestmark = pytest.mark.usefixtures("runtime")
PROFILES = [{"min_shape": (1, 4), "opt_shape": (2, 4), "max_shape": (4, 4)},
            {"min_shape": (8, 4), "opt_shape": (8, 4), "max_shape": (16, 4)}]
OPTIONS = {"min_block_size": 1, "runtime_settings": RuntimeSettings("none", runtime_cache=None)}


class Net(torch.nn.Module):
    """With complex numbers, which stay in PyTorch, there are two engines; the second has twice the rows."""

    def __init__(self, parts=1):
        super().__init__()
        self.linear, self.parts = torch.nn.Linear(4, 3), parts

    def forward(self, x):
        x = self.linear(x).relu()
        if self.parts > 1:  # the engine behind gets the two numbers of each
            x = torch.polar(torch.cat([x, x]), torch.zeros(())).real.clone()
        return x.softmax(-1) + 1


@pytest.fixture(params=["jitney", "torch_tensorrt", "of an exported program"])
def compile(request):
    def run(net, given, **options):
        if request.param == "of an exported program":
            rows = torch.export.Dim("rows", min=1, max=64)
            program = torch.export.export(net, (torch.zeros(3, 4),), dynamic_shapes=({0: rows},))
            return torch_tensorrt.dynamo.compile(program, inputs=given, **OPTIONS, **options)
        made = torch_tensorrt.compile if request.param == "torch_tensorrt" else jitney.compile
        return made(net, inputs=given, **OPTIONS, **options)

    return run


@pytest.fixture(autouse=True)
def inference():
    with torch.no_grad():
        yield


def check(module, net, rows):
    x = torch.randn(rows, 4)
    torch.testing.assert_close(module(x), net(x), rtol=1e-4, atol=1e-5)


def test_L_one_range(compile):
    net = Net().eval()
    module = compile(net, [Input(min_shape=(1, 4), opt_shape=(4, 4), max_shape=(8, 4))])
    (profile,) = module._run_on_acc_0.engine.profiles
    assert list(profile.values()) == [((1, 4), (4, 4), (8, 4))]
    for rows in (1, 4, 8):
        check(module, net, rows)
    for rows in (0, 9):
        with pytest.raises(UserError, match=rf"No optimization profile matches: input 'x' has shape \[{rows}, 4\]"):
            module(torch.randn(rows, 4))


def test_L_several_profiles(compile):
    net = Net().eval()
    module = compile(net, [Input(profiles=PROFILES, dtype=torch.float32)])
    engine = module._run_on_acc_0.engine
    for rows, active in ((2, 0), (4, 0), (9, 1), (16, 1), (3, 0)):
        check(module, net, rows)
        assert engine.active_profile == active
    with pytest.raises(UserError, match="No optimization profile matches"):
        module(torch.randn(6, 4))
    with optimization_profile(module, 1) as same:
        assert same is module
        check(module, net, 12)
        with pytest.raises(UserError, match=r"\[2, 4\]"):
            module(torch.randn(2, 4))
        with optimization_profile(module):  # None is 0
            check(module, net, 2)
        module.runtime_settings = RuntimeSettings("eager", runtime_cache=None)
        check(module, net, 12)
        assert engine.num_execution_contexts_created() == 2
        with pytest.raises(UserError):  # the pin outlived the context
            module(torch.randn(2, 4))
    with optimization_profile(module, "auto"):
        check(module, net, 2)
    for bad, error in ((2, ValueError), (-1, ValueError), ("x", ValueError), (1.5, TypeError), (True, TypeError)):
        with pytest.raises(error), optimization_profile(module, bad):
            pass
    check(module, net, 9)


def test_L_two_engines_have_the_ranges_of_their_own_inputs():
    net = Net(parts=2).eval()
    module = jitney.compile(net, inputs=[Input(profiles=PROFILES)], **OPTIONS)
    names = [name for name, _ in module.named_children() if name.startswith("_run_on_acc_")]
    first, second = (getattr(module, name).engine for name in names)
    assert [list(profile.values())[0] for profile in first.profiles] == [
        ((1, 4), (2, 4), (4, 4)), ((8, 4), (8, 4), (16, 4))]
    assert [list(profile.values())[0].max_shape for profile in second.profiles] == [(8, 3, 2), (32, 3, 2)]
    with optimization_profile(module, 1):
        check(module, net, 12)
        assert first.active_profile == second.active_profile == 1
        with pytest.raises(UserError):
            module(torch.randn(2, 4))
    check(module, net, 2)


class Named(torch.nn.Module):
    def forward(self, x, *, scale, pair):
        return x * scale + pair["a"].sum() - pair["b"][0]


def test_L_inputs_by_keyword_and_at_depth():
    ranged = Input(min_shape=(2, 3), opt_shape=(3, 3), max_shape=(5, 3))
    inputs = {"pair": {"a": Input(min_shape=(1,), opt_shape=(4,), max_shape=(7,)), "b": (torch.ones(3),)}, "scale": ranged}
    module = jitney.compile(Named(), arg_inputs=[ranged], kwarg_inputs=inputs, **OPTIONS)

    def call(rows, extent):
        given = (torch.randn(rows, 3), torch.randn(rows, 3), {"a": torch.randn(extent), "b": (torch.randn(3),)})
        torch.testing.assert_close(module(given[0], scale=given[1], pair=given[2]),
                                   Named()(given[0], scale=given[1], pair=given[2]))

    call(2, 1), call(5, 7)
    for rows, extent in ((6, 2), (2, 8)):
        with pytest.raises(UserError, match="No optimization profile matches"):
            call(rows, extent)


def test_L_profiles_are_in_pickles_and_files(tmp_path, compile):
    net, given = Net().eval(), [Input(profiles=PROFILES)]
    module = compile(net, given)
    jitney.save(module, tmp_path / "net.ep", inputs=given)
    for loaded in (pickle.loads(pickle.dumps(module)), jitney.load(tmp_path / "net.ep").module()):
        check(loaded, net, 9)
        check(loaded, net, 2)
        with pytest.raises((UserError, AssertionError)):
            loaded(torch.randn(17, 4))
        with pytest.raises(UserError, match="No optimization profile matches"):
            loaded(torch.randn(6, 4))


@pytest.mark.parametrize("given, words", [
    ([Input(min_shape=(1, 4), opt_shape=(2, 5), max_shape=(2, 6))], ""),  # the weight is of 4
    ([Input(min_shape=(4, 4), opt_shape=(2, 4), max_shape=(8, 4))], "min_shape <= opt_shape"),
    ([Input(min_shape=(1, 4, 1), opt_shape=(2, 4, 1), max_shape=(8, 4, 1))], "rank 3"),
    ([Input(profiles=PROFILES), Input((2, 4))], "2 for their ranges"),
])
def test_L_ranges_that_do_not_fit(given, words):
    rows = torch.export.Dim("rows", min=1, max=64)
    program = torch.export.export(Net().eval(), (torch.zeros(3, 4),), dynamic_shapes=({0: rows},))
    with pytest.raises(UserError, match=words):
        jitney.dynamo.compile(program, inputs=given, **OPTIONS)


def test_L_a_best_shape_of_one_row():
    """torch.export would take the extent for always 1."""
    net = Net().eval()
    module = jitney.compile(net, inputs=[Input(min_shape=(1, 4), opt_shape=(1, 4), max_shape=(8, 4))], **OPTIONS)
    assert list(module._run_on_acc_0.engine.profiles[0].values())[0].opt_shape == (1, 4)
    for rows in (1, 8):
        check(module, net, rows)


def test_O2_a_static_shape():
    module = jitney.compile(Net().eval(), inputs=[Input((2, 4))], **OPTIONS)
    with pytest.raises(UserError, match=r"input 'x'.*\[3, 4\]"):
        module(torch.randn(3, 4))


class ByShape(torch.nn.Module):
    """Another program from nine rows on."""

    def forward(self, x, y):
        return x * 2 + y.sum() if x.shape[0] <= 8 else x * 3


@pytest.mark.parametrize("shapes", [({0: torch.export.Dim("b", max=8)}, {0: torch.export.Dim("c")}),
                                    ({0: torch.export.Dim("b", max=8), 1: torch.export.Dim("k")}, {0: torch.export.Dim.AUTO}),
                                    ({0: torch.export.Dim.DYNAMIC}, {0: torch.export.Dim.DYNAMIC})],
                         ids=["limit", "limit beside others", "found by tracing"])
def test_shapes_that_a_program_was_not_exported_for_are_errors(shapes):
    net = ByShape()
    program = torch.export.export(net, (torch.randn(4, 3), torch.randn(5)), dynamic_shapes=shapes)
    compiled = jitney.dynamo.compile(program, **OPTIONS)
    for rows in (1, 2, 8):
        x, y = torch.randn(rows, 3), torch.randn(700)
        torch.testing.assert_close(compiled(x, y), net(x, y))
    with pytest.raises(UserError, match=r"input 'x' has shape \[9, 3\]; the extent along axis 0 \('s\d+'\) may be 0 to 8"):
        compiled(torch.randn(9, 3), torch.randn(5))


def test_limits_beside_many_open_extents():
    class Flat(torch.nn.Module):
        def forward(self, x, y):
            return x.reshape(-1) * 2, y + 1

    open_dims = {i: torch.export.Dim(f"d{i}") for i in range(4)}
    program = torch.export.export(Flat(), (torch.randn(2, 3, 4, 5), torch.randn(6)),
                                  dynamic_shapes=(open_dims, {0: torch.export.Dim("limited", min=4, max=9)}))
    compiled = jitney.dynamo.compile(program, **OPTIONS)
    for shape in ((1, 1, 1, 1), (7, 11, 13, 17), (1, 1, 100_000, 1)):
        x, y = torch.randn(shape), torch.randn(9)
        torch.testing.assert_close(compiled(x, y), Flat()(x, y))
    for wrong in (3, 10):
        with pytest.raises(UserError, match=rf"input 'y' has shape \[{wrong}\]"):
            compiled(torch.randn(1, 1, 1, 1), torch.randn(wrong))


def test_limits_of_one_extent_leave_products_between_engines_alone():
    class Scores(torch.nn.Module):
        def forward(self, q):
            flat = (q @ q.transpose(1, 2)).softmax(-1).reshape(-1)
            return torch.ops.aten.cumsum(flat, 0).tanh() * 0.5 + 1

    q = torch.rand(2, 3, 8)
    program = torch.export.export(Scores(), (q,), dynamic_shapes=({0: torch.export.Dim("b", max=64), 1: torch.export.Dim("s")},))
    compiled = jitney.dynamo.compile(program, torch_executed_ops={"torch.ops.aten.cumsum.default"}, **OPTIONS)
    assert len([name for name, _ in compiled.named_children() if "acc" in name]) == 2
    for shape in ((2, 3, 8), (5, 70, 8)):
        q = torch.rand(shape) / 100
        torch.testing.assert_close(compiled(q), Scores()(q))
    with pytest.raises(UserError, match="may be 0 to 64"):
        compiled(torch.rand(65, 3, 8))


def test_least_extents_that_tracing_finds_limit_nothing_else():
    class Audio(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = torch.nn.Conv1d(1, 4, 3), torch.nn.Conv1d(1, 4, 3)

        def forward(self, x, y):
            return self.a(x).mean() + self.b(y).mean()

    net, auto = Audio().eval(), torch.export.Dim.AUTO
    program = torch.export.export(net, (torch.randn(2, 1, 64), torch.randn(3, 1, 64)),
                                  dynamic_shapes=({0: auto, 2: auto}, {0: auto, 2: auto}))
    compiled = jitney.dynamo.compile(program, **OPTIONS)
    x, y = torch.randn(2, 1, 48_000), torch.randn(1, 1, 9)
    torch.testing.assert_close(compiled(x, y), net(x, y), atol=1e-4, rtol=1e-4)
