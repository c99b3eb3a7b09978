# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Memory of runs (K1 to K4): outputs that are used again or lie over inputs, and intermediate values that are kept or not."""
import threading

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from runtime_models import random, softmax_model, softmax_reference

import jitney
from jitney.runtime import ResourceAllocationStrategy, RuntimeSettings, enable_pre_allocated_outputs

NONE = RuntimeSettings("none", runtime_cache=None)


pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture
def engine():
    return jitney.load(softmax_model(), runtime_settings=NONE)


def nonzero_model():
    graph = helper.make_graph([helper.make_node("NonZero", ["x"], ["y"])], "g",
                              [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", "m"])],
                              [helper.make_tensor_value_info("y", TensorProto.INT64, [2, "k"])])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def products_model(steps=4, width=64):
    """A chain with intermediate values that no fusion removes."""
    weight = onnx.numpy_helper.from_array(np.eye(width, dtype=np.float32), "w")
    nodes = [helper.make_node("MatMul", [f"x{i}", "w"], [f"x{i + 1}"]) for i in range(steps)]
    graph = helper.make_graph(nodes, "products", [helper.make_tensor_value_info("x0", TensorProto.FLOAT, ["n", width])],
                              [helper.make_tensor_value_info(f"x{steps}", TensorProto.FLOAT, ["n", width])], [weight])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def test_K1_shapes_that_follow_from_data():
    engine = jitney.load(nonzero_model(), runtime_settings=NONE)
    with enable_pre_allocated_outputs(engine):
        for x in (np.float32([[0, 1], [2, 0]]), np.float32([[1, 1], [2, 0]]), np.zeros((2, 2), np.float32)):
            np.testing.assert_array_equal(engine(x), np.nonzero(x))


def test_K2_outputs_are_used_again_inside_only(engine):
    a, b = random(2, 3, seed=1), random(2, 3, seed=2)
    before = engine(a)
    with enable_pre_allocated_outputs(engine) as target:
        assert target is engine
        first = engine(a)
        assert first is not before
        second = engine(b)
        assert second is first
        np.testing.assert_allclose(first, softmax_reference(b), rtol=1e-5, atol=1e-5)
        other = engine(random(3, 3))
        assert other is not first and engine(random(3, 3)) is other
    outside = engine(random(3, 3))
    assert outside is not other
    with enable_pre_allocated_outputs(engine):
        assert engine(random(3, 3)) is not outside, "the last call was outside"
    np.testing.assert_allclose(before, softmax_reference(a), rtol=1e-5, atol=1e-5)


def test_K2_an_input_that_lies_in_the_last_output_is_not_overwritten(engine):
    x = random(2, 3)
    with enable_pre_allocated_outputs(engine):
        first = engine(x)
        kept = first.copy()
        second = engine(first)
        assert second is not first
        np.testing.assert_array_equal(first, kept)
        np.testing.assert_allclose(second, softmax_reference(kept), rtol=1e-5, atol=1e-5)
        view = engine(second[::-1])
        assert view is not second


def test_K2_scopes_nest_and_restore(engine):
    x = random(2, 3)
    outer = enable_pre_allocated_outputs(engine)
    with outer:
        with enable_pre_allocated_outputs([engine]), outer:
            first = engine(x)
        assert engine(x) is first
    assert engine(x) is not first


def test_K2_threads_have_their_own(engine):
    results = {}

    def work(number):
        x = random(2, 3, seed=number)
        for _ in range(50):
            y = engine(x)
            np.testing.assert_allclose(y, softmax_reference(x), rtol=1e-5, atol=1e-5)
        results[number] = y

    with enable_pre_allocated_outputs(engine):
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert len({id(y) for y in results.values()}) == 4


def test_K2_several_outputs_and_names():
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["a"]), helper.make_node("Neg", ["x"], ["b"])], "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n"])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in "ab"])
    engine = jitney.load(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10),
                         runtime_settings=NONE)
    with enable_pre_allocated_outputs(engine):
        a, b = engine(np.float32([-1, 2]))
        again = engine.run({"x": np.float32([3, -4])})
    assert again["a"] is a and again["b"] is b and a.tolist() == [3, 0] and b.tolist() == [-3, 4]


def test_K3_dynamic_gives_back_what_static_keeps():
    engine = jitney.load(products_model(), runtime_settings=NONE)
    x = random(4096, 64)
    held = lambda: engine.stats()["device_bytes"]  # noqa: E731
    engine(x)
    kept = held()
    arena = engine.stats()["arena_bytes"]
    assert arena >= 4096 * 64 * 4
    with ResourceAllocationStrategy(engine) as target:
        assert target is engine and engine.dynamically_allocate_resources
        assert held() <= kept - arena, "given back at once"
        np.testing.assert_array_equal(engine(x), x)
        assert held() <= kept - arena, "and after each run"
        with ResourceAllocationStrategy(engine, dynamically_allocate_resources=False):
            engine(x)
            assert held() > kept - arena
        np.testing.assert_array_equal(engine(x), x)
        assert held() <= kept - arena
    assert not engine.dynamically_allocate_resources
    engine(x)
    assert held() == kept
    engine.dynamically_allocate_resources = True
    assert held() <= kept - arena
    assert engine.num_execution_contexts_created() == 1


@pytest.mark.parametrize("is_dynamic", [True, False])
def test_K3_empty_inputs_and_a_thousand_runs(is_dynamic):
    engine = jitney.load(products_model(), runtime_settings=NONE)
    engine.dynamically_allocate_resources = is_dynamic
    assert engine(random(0, 64)).shape == (0, 64)
    x = random(16, 64)
    engine(x)
    before = engine.stats()["device_bytes"], resident()
    for _ in range(1000):
        engine(x)
    assert engine.stats()["device_bytes"] == before[0]
    assert resident() - before[1] < 1 << 20
    np.testing.assert_array_equal(engine(x), x)


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def test_K3_threads_under_dynamic_allocation():
    engine = jitney.load(products_model(), threads=1, runtime_settings=NONE)
    errors = []

    def work(number):
        try:
            x = random(8 + number, 64, seed=number)
            for _ in range(100):
                np.testing.assert_array_equal(engine(x), x)
        except Exception as error:
            errors.append(error)

    with ResourceAllocationStrategy(engine):
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert not errors


def test_K4_an_output_may_lie_over_an_input():
    graph = helper.make_graph([helper.make_node("Transpose", ["state"], ["next"])], "g",
                              [helper.make_tensor_value_info("state", TensorProto.FLOAT, ["n", "m"])],
                              [helper.make_tensor_value_info("next", TensorProto.FLOAT, ["m", "n"])])
    engine = jitney.load(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10),
                         runtime_settings=NONE)
    for n in (0, 1, 5, 300):
        state = random(n, n)
        wanted = state.T.copy()
        engine.run({"state": state}, {"next": state})
        np.testing.assert_array_equal(state, wanted)


def cache_model():
    """Rows of a cache are replaced, and the whole of it is read."""
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("ScatterND", ["cache", "where", "fresh"], ["next"]),
         helper.make_node("ReduceSum", ["next"], ["read"], keepdims=0)], "g",
        [info("cache", TensorProto.FLOAT, ["n", "m"]), info("where", TensorProto.INT64, ["k", 1]),
         info("fresh", TensorProto.FLOAT, ["k", "m"])],
        [info("next", TensorProto.FLOAT, ["n", "m"]), info("read", TensorProto.FLOAT, [])])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def test_K4_a_cache_is_updated_where_it_lies():
    engine = jitney.load(cache_model(), threads=1, runtime_settings=NONE)
    cache = np.zeros((1 << 14, 256), np.float32)
    errors = []

    def work(number):
        own = cache[number * 4096:(number + 1) * 4096]
        wanted = own.copy()
        try:
            for step in range(6):
                where = np.array([[step], [-1]], np.int64)
                fresh = random(2, 256, seed=10 * number + step)
                wanted[where[:, 0]] = fresh
                read = np.empty((), np.float32)
                engine.run({"cache": own, "where": where, "fresh": fresh}, {"next": own, "read": read})
                np.testing.assert_array_equal(own, wanted)
                np.testing.assert_allclose(read, wanted.sum(dtype=np.float64), rtol=1e-4, atol=1e-3)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors, errors
    with pytest.raises(jitney.UserError, match="out of range"):
        engine.run({"cache": cache, "where": np.array([[1 << 20]], np.int64), "fresh": random(1, 256)},
                   {"next": cache, "read": np.empty((), np.float32)})


def stages_model():
    """Two chains of products, and an operator between them whose result follows from data."""
    width = 64
    weight = onnx.numpy_helper.from_array(np.eye(width, dtype=np.float32), "w")
    nodes = [helper.make_node("MatMul", [f"x{i}", "w"], [f"x{i + 1}"]) for i in range(3)]
    nodes += [helper.make_node("NonZero", ["x3"], ["found"]), helper.make_node("Transpose", ["found"], ["places"]),
              helper.make_node("GatherND", ["x3", "places"], ["some"]),
              helper.make_node("ReduceSum", ["some"], ["total"], keepdims=0),
              helper.make_node("Add", ["x3", "total"], ["y0"])]
    nodes += [helper.make_node("MatMul", [f"y{i}", "w"], [f"y{i + 1}"]) for i in range(3)]
    graph = helper.make_graph(nodes, "stages", [helper.make_tensor_value_info("x0", TensorProto.FLOAT, ["n", width])],
                              [helper.make_tensor_value_info("y3", TensorProto.FLOAT, ["n", width])], [weight])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def test_K3_pieces_between_hosted_operators_give_their_memory_back():
    engine = jitney.load(stages_model(), runtime_settings=NONE)
    x = random(4096, 64)
    held = lambda: engine.stats()["device_bytes"]  # noqa: E731
    engine(x[:1])
    assert engine.stats()["stages"] >= 2
    idle = held()
    engine(x)
    kept = held()
    size = 4096 * 64 * 4
    assert kept - idle >= size, "static allocation keeps it"
    with ResourceAllocationStrategy(engine):
        assert held() <= kept - size, "given back at once"
        for _ in range(3):
            result = engine(x)
            np.testing.assert_allclose(result, x + x.sum(dtype=np.float64), rtol=1e-3)
            del result
            assert held() <= kept - size, "and after each run"
    engine(x)
    assert held() == kept
