# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""New weights for compiled modules, and modules that follow their original (N1)."""
import copy
import pickle

import pytest
import torch

import jitney
from jitney import UserError
from jitney.dynamo.runtime.mutable import MutableJitneyModule, RefitFlag
from jitney.dynamo.runtime.refit import engines_by_name, refit_module_weights
from jitney.runtime import RuntimeSettings

pytestmark = pytest.mark.usefixtures("runtime")
X = torch.randn(3, 8)


class Net(torch.nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.a, self.b = torch.nn.Linear(8, width), torch.nn.Linear(width, 4)
        self.norm = torch.nn.BatchNorm1d(width)
        self.scale = 2.0

    def forward(self, x):
        return self.b(self.norm(self.a(x)).relu()) * self.scale


def export(net):
    return torch.export.export(net.eval(), (X,), strict=False)


def compile_of(net, tmp_path):
    settings = RuntimeSettings("none", runtime_cache=tmp_path / "kernels/")
    return jitney.dynamo.compile(export(net), min_block_size=1, runtime_settings=settings)


def compiled_kernels(module):
    return sum(child.engine.stats()["compiled"] for child in engines_by_name(module).values())


def test_N1_refit_compiles_nothing(tmp_path):
    (tmp_path / "kernels").mkdir()
    net, other = Net().eval(), Net().eval()
    module = compile_of(net, tmp_path)
    torch.testing.assert_close(module(X), net(X), rtol=1e-4, atol=1e-4)
    assert engines_by_name(module) and compiled_kernels(module) > 0
    refitted = refit_module_weights(module, export(other), (X,), verify_output=True)
    torch.testing.assert_close(refitted(X), other(X), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(module(X), net(X), rtol=1e-4, atol=1e-4)  # a copy was changed
    assert compiled_kernels(refitted) == 0
    assert [c.runtime_settings for c in engines_by_name(refitted).values()] == \
        [c.runtime_settings for c in engines_by_name(module).values()]
    assert refit_module_weights(module, export(other), in_place=True) is module
    torch.testing.assert_close(module(X), other(X), rtol=1e-4, atol=1e-4)


def test_N1_what_cannot_be_refitted(tmp_path):
    module = compile_of(Net(), tmp_path)
    with pytest.raises(TypeError, match="ExportedProgram"):
        refit_module_weights(module, Net())
    with pytest.raises(UserError, match="no engine"):
        refit_module_weights(torch.nn.ReLU(), export(Net()))


def test_N1_a_module_that_follows_its_original(tmp_path):
    (tmp_path / "kernels").mkdir()
    net = Net().eval()
    mutable = MutableJitneyModule(net, min_block_size=1,
                                  runtime_settings=RuntimeSettings("none", runtime_cache=tmp_path / "kernels/"))

    def check(compiles, refits, x=X):
        torch.testing.assert_close(mutable(x), net(x), rtol=1e-4, atol=1e-4)
        assert (mutable.__dict__["compiles"], mutable.__dict__["refits"]) == (compiles, refits)
        assert mutable.update_refit_condition() is RefitFlag.LIVE

    assert mutable.update_refit_condition() is RefitFlag.NEEDS_RECOMPILE
    check(1, 0)
    check(1, 0)
    with torch.no_grad():
        mutable.a.weight.mul_(1.5)  # attributes are the original's
    assert mutable.update_refit_condition() is RefitFlag.NEEDS_REFIT
    check(1, 1)
    assert compiled_kernels(mutable.gm) == 0
    mutable.load_state_dict(Net().state_dict())
    check(1, 2)
    net.norm.running_mean.add_(1.0)
    check(1, 3)
    mutable.scale = 3.0  # a structural change
    assert net.scale == 3.0 and mutable.update_refit_condition() is RefitFlag.NEEDS_RECOMPILE
    check(2, 3)
    mutable.b = torch.nn.Linear(16, 5).eval()
    check(3, 3)
    check(4, 3, torch.randn(5, 8))  # another shape
    check(4, 3, torch.randn(5, 8))


def test_N1_extents_that_may_change():
    net = Net().eval()
    mutable = MutableJitneyModule(net, min_block_size=1)
    mutable.set_expected_dynamic_shape_range(({0: torch.export.Dim("rows", min=1, max=64)},))
    for rows in (3, 7, 20):
        x = torch.randn(rows, 8)
        torch.testing.assert_close(mutable(x), net(x), rtol=1e-4, atol=1e-4)
    assert mutable.__dict__["compiles"] == 1


def test_copies_of_mutable_modules_follow_their_own_original():
    net = Net()
    mutable = MutableJitneyModule(net, min_block_size=1)
    expected = mutable(X)
    for copied in (copy.deepcopy(mutable), pickle.loads(pickle.dumps(mutable))):
        assert isinstance(copied, MutableJitneyModule) and copied.original_model is not net
        torch.testing.assert_close(copied(X), expected)
        with torch.no_grad():
            copied.original_model.b.bias.add_(1)
        torch.testing.assert_close(copied(X), expected + 2.0)  # scaled
        torch.testing.assert_close(mutable(X), expected)
    shallow = copy.copy(mutable)
    assert shallow.original_model is net
    torch.testing.assert_close(shallow(X), expected)
    with pytest.raises(AttributeError, match="no_such_thing"):
        mutable.no_such_thing


@pytest.mark.parametrize("way", ["mutable", "compile", "a failure"])
def test_modes_of_modules_are_left_as_they_were(way):
    net = Net().train()
    net.norm.eval()  # frozen
    seen = net.norm.num_batches_tracked.clone()
    if way == "mutable":
        MutableJitneyModule(net, min_block_size=1)(X)
    elif way == "compile":
        jitney.compile(net, inputs=[X], min_block_size=1)
    else:
        with pytest.raises(Exception):
            jitney.compile(net, inputs=[torch.randn(3, 9)], min_block_size=1)
    assert net.training and net.a.training and not net.norm.training
    assert torch.equal(net.norm.num_batches_tracked, seen)
