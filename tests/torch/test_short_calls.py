# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The short way from Python to an engine (jitney._torch_calls): taken where nothing but a call is wanted, and nowhere
else; and what it says is what the operator says."""
import gc
import threading
import weakref

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

import jitney
from jitney.dynamo import variants
from jitney.dynamo.runtime import JitneyModule, library

import small_models as models


class Twice(torch.nn.Module):
    def forward(self, x, y):
        return (x @ y).relu(), x + 1


def engine_of(model, *inputs, **options):
    compiled = jitney.compile(model, inputs=list(inputs), min_block_size=1, ir="dynamo", **options)
    return next(child for child in compiled.modules() if isinstance(child, JitneyModule))


@pytest.fixture
def engine(monkeypatch):
    monkeypatch.setenv("JITNEY_TORCH_RUNTIME", "cpp")
    assert library.calls() is not None, "jitney._torch_calls is not built: these tests would pass without it"
    return engine_of(Twice(), torch.randn(3, 4), torch.randn(4, 5))


def pair():
    return torch.randn(3, 4), torch.randn(4, 5)


def test_it_is_taken(engine, monkeypatch):
    x, y = pair()
    monkeypatch.setattr(engine.bound, "execute", lambda inputs: pytest.fail("the long way"))
    for found, wanted in zip(engine(x, y), Twice()(x, y)):
        torch.testing.assert_close(found, wanted)


def test_views_that_torch_only_notes(engine):
    x, y = pair()
    noted = torch._neg_view(x)
    assert noted.is_neg()
    for a, b in ((noted, y), (x.T.contiguous().T, y.flip(0)), (x[:, ::1], y.expand(4, 5))):
        for found, wanted in zip(engine.bound.call((a, b)), Twice()(a, b)):
            torch.testing.assert_close(found, wanted)


def test_gradients_stay_outside(engine):
    x, y = pair()
    x.requires_grad_()
    assert engine.bound.call((x, y)) is None  # which is not said here
    with pytest.warns(UserWarning, match="input 'x' of engine.*requires a gradient"):
        assert all(not found.requires_grad for found in engine(x, y))
    with torch.no_grad():
        found = engine.bound.call((x, torch.nn.Parameter(y)))
    assert all(not f.requires_grad for f in found)
    assert all(not f.is_inference() for f in found)
    with torch.inference_mode():
        assert all(f.is_inference() for f in engine.bound.call((x, y)))


class Seeing(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.seen.append(str(function))
        return function(*args, **(kwargs or {}))


def test_modes_see_the_operator(engine):
    x, y = pair()
    with Seeing() as mode:
        found = engine(x, y)
    assert any("execute_engine" in name for name in mode.seen)
    torch.testing.assert_close(found[0], (x @ y).relu())

    class Functions(TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):
            return function(*args, **(kwargs or {}))

    with Functions():
        assert engine.bound.call((x, y)) is None
    assert engine.bound.call((x, y)) is not None


def test_what_is_no_plain_tensor_takes_the_long_way(engine):
    x, y = pair()

    class Own(torch.Tensor):
        pass

    with FakeTensorMode() as mode:
        fake = mode.from_tensor(x)
    for other in (x.as_subclass(Own), fake, x.to("meta"), x.to_sparse(), 2.0, None, x.numpy(),
                  torch.quantize_per_tensor(x, 0.1, 0, torch.qint8)):
        assert engine.bound.call((other, y)) is None
    seen = []

    def batched(a):
        seen.append(engine.bound.call((a, y)))
        return a

    torch.func.vmap(batched)(torch.randn(2, 3, 4))
    assert seen == [None]
    torch.jit.trace(lambda a: (seen.append(engine.bound.call((a, y))), a)[1], x, check_trace=False)
    assert seen == [None, None]
    fake_outputs = engine(fake, mode.from_tensor(y))
    assert [tuple(f.shape) for f in fake_outputs] == [(3, 5), (3, 4)]


@pytest.mark.parametrize("given", ["few", "dtype", "shape", "rank"])
def test_errors_are_those_of_the_operator(engine, given):
    x, y = pair()
    inputs = {"few": (x,), "dtype": (x.double(), y), "shape": (x, y[:3]), "rank": (x[0], y)}[given]
    with pytest.raises(jitney.UserError) as short:
        engine.bound.call(inputs)
    with pytest.raises(jitney.UserError) as long:
        engine.bound.execute(inputs)
    assert str(short.value) == str(long.value)


def test_profilers_see_it(engine):
    x, y = pair()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], record_shapes=True) as profile:
        assert engine.bound.call((x, y)) is None  # they are told all that the operator tells
        engine(x, y)
    assert "jitney::execute_engine" in {event.key for event in profile.key_averages()}


def test_many_threads(engine):
    wrong = []

    def work():
        for _ in range(200):
            x, y = pair()
            product, sum_ = engine(x, y)
            if not (torch.allclose(product, (x @ y).relu(), atol=1e-5) and torch.equal(sum_, x + 1)):
                wrong.append(x)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_number_is_taken_once(engine):
    number = engine.bound.handle.hand_over()
    call = library.calls().EngineCall(number)
    assert len(call(pair())) == 2
    for wrong in (number, 0, -1):
        with pytest.raises(ValueError, match="no engine waits"):
            library.calls().EngineCall(wrong)
    with pytest.raises(TypeError):
        call(1)


def test_without_the_module(monkeypatch):
    library.calls.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "jitney._torch_calls", None)
    try:
        assert library.calls() is None
        engine = engine_of(Twice(), *pair())
        x, y = pair()
        assert engine.bound.call((x, y)) is None
        torch.testing.assert_close(engine(x, y)[0], (x @ y).relu())
    finally:
        library.calls.cache_clear()


@pytest.fixture(params=["short", "long"])
def weights_of(request):
    if request.param == "long":
        return variants._Weights
    return lambda weights, places: library.calls().Weights(weights, list(places))


class TestWeights:
    def test_the_same_objects_at_their_places(self, weights_of):
        a, b, x = torch.nn.Parameter(torch.ones(3)), torch.zeros(0), torch.ones(2)
        kept = weights_of((a, b), (2, 0))
        assert kept.are_in((b, x, a))
        assert kept.are_in((b, None, a, 7))
        assert not kept.are_in((a, x, b))
        assert not kept.are_in((b, x, torch.nn.Parameter(a.data)))

    def test_none(self, weights_of):
        assert weights_of((), ()).are_in((torch.ones(1),))

    @pytest.mark.parametrize("write", [
        lambda p: p.data.add_(1), lambda p: p.mul_(2), lambda p: setattr(p, "data", torch.ones(3)),
        lambda p: setattr(p, "data", p.data.clone()), lambda p: setattr(p, "data", p.data[1:]),
        lambda p: torch.nn.init.zeros_(p)])
    def test_written(self, weights_of, write):
        p = torch.nn.Parameter(torch.arange(4.0))
        before = p.data  # memory that must not come back
        kept = weights_of((p,), (0,))
        assert kept.are_in((p,))
        with torch.no_grad():
            write(p)
        # What is written through `.data` has its own version: seen by nobody, as decision 089 says.
        assert kept.are_in((p,)) == (p.data_ptr() == before.data_ptr() and p._version == 0)

    def test_memory_does_not_come_back(self, weights_of):
        p = torch.nn.Parameter(torch.ones(1000))
        kept = weights_of((p,), (0,))
        for _ in range(20):
            p.data = torch.zeros(1000)
            assert not kept.are_in((p,))


def test_weights_that_cannot_be_watched():
    with pytest.raises(TypeError, match="must be tensors"):
        library.calls().Weights((1,), [0])
    with pytest.raises(ValueError, match="a place for each"):
        library.calls().Weights((torch.ones(1),), [])
    with torch.inference_mode():
        made = torch.ones(1)
    with pytest.raises(RuntimeError, match="counts no versions"):
        library.calls().Weights((made,), [0])


def kv_cache():
    return JitneyModule(models.kv_cache(), name="kv", aliased_io={"cache_out": "cache"})


@pytest.mark.parametrize("way", ["call", "execute"])
class TestWhatIsWrittenIntoInputs:
    def test_is_counted(self, engine, way):
        cache = torch.zeros(2, 4)
        y = getattr(kv_cache().bound, way)((cache, torch.ones(2, 4)))
        assert torch.equal(y[0], -torch.ones(2, 4)) and torch.equal(cache, torch.ones(2, 4))
        assert cache._version == 1

    def test_is_seen_by_gradients(self, engine, way):
        weight, cache = torch.ones(2, 4, requires_grad=True), torch.zeros(2, 4)
        loss = (weight * cache).sum()
        getattr(kv_cache().bound, way)((cache, torch.ones(2, 4)))
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            loss.backward()

    def test_is_refused_for_tensors_of_inference_mode(self, engine, way):
        with torch.inference_mode():
            cache = torch.zeros(2, 4)
        with pytest.raises(RuntimeError, match="inference tensor"):
            getattr(kv_cache().bound, way)((cache, torch.ones(2, 4)))

    def test_is_seen_by_models_that_hold_it(self, engine, way, fresh_dynamo):
        class Reads(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.register_buffer("cache", torch.zeros(2, 4))

            def forward(self, x):
                return x + self.cache

        reads = Reads().eval()
        compiled = torch.compile(reads, backend="jitney", options={"min_block_size": 1})
        x = torch.zeros(2, 4)
        assert torch.equal(compiled(x), x)
        getattr(kv_cache().bound, way)((reads.cache, torch.ones(2, 4)))
        assert torch.equal(compiled(x), torch.ones(2, 4))


def test_swapped_weights_are_other_ones(weights_of):
    p, q = torch.nn.Parameter(torch.ones(3)), torch.nn.Parameter(torch.zeros(3))
    kept = weights_of((p,), (0,))
    torch._C._swap_tensor_impl(p, q)
    assert not kept.are_in((p,))


def test_models_are_collected(engine):
    class Holder:
        pass

    weight, holder = torch.nn.Parameter(torch.ones(3)), Holder()
    weight.holder, holder.variant = holder, variants._Variant((weight,), [0])
    assert holder.variant.is_for((weight,))
    gone = weakref.ref(holder)
    del weight, holder
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("backend", ["eager", "aot_eager", "jitney"])
def test_whole_graphs_around_engines_that_lose_gradients(engine, backend, fresh_dynamo):
    x, y = pair()
    made = torch.compile(lambda x, y: engine(x, y)[1] * 2, backend=backend, fullgraph=True)
    torch.testing.assert_close(made(x.requires_grad_(), y), (x + 1) * 2)
