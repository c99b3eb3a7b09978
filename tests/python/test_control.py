# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""If, Loop and Scan that are decided when the model runs, against ONNX Runtime."""
import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

node, info = helper.make_node, helper.make_tensor_value_info
F, I, B = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def random(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def body(nodes, inputs, outputs, constants=None):
    return helper.make_graph(nodes, "body", inputs, outputs,
                             [numpy_helper.from_array(np.asarray(v), k) for k, v in (constants or {}).items()])


def branch(name, nodes, output):
    return helper.make_graph(nodes, name, [], [info(output, F, None)])


def test_if_by_data(check):
    yes = branch("yes", [node("MatMul", ["x", "w"], ["a"]), node("Relu", ["a"], ["b"])], "b")
    no = branch("no", [node("Neg", ["x"], ["d"])], "d")
    nodes = [node("ReduceSum", ["x"], ["s"], keepdims=0), node("Greater", ["s", "zero"], ["c"]),
             node("If", ["c"], ["r"], then_branch=yes, else_branch=no), node("Add", ["r", "one"], ["y"])]
    check(nodes, [{"x": random((3, 4)) + d} for d in (2, -2)] + [{"x": np.zeros((1, 4), np.float32)}], ["y"],
          {"zero": np.float32(0), "one": np.float32(1), "w": random((4, 4), 9)}, symbols={"x": ["n", 4]})


def test_nested_if_with_other_extents(check):
    inner = node("If", ["d"], ["r"], then_branch=branch("a", [node("Concat", ["x", "t"], ["e"], axis=0)], "e"),
                 else_branch=branch("b", [node("Abs", ["t"], ["f"])], "f"))
    outer = node("If", ["c"], ["y"], then_branch=branch("p", [node("Exp", ["x"], ["t"]), inner], "r"),
                 else_branch=branch("q", [node("Identity", ["x"], ["z"])], "z"))
    inputs = [{"x": random((n, 2)), "c": np.array(c), "d": np.array(d)} for n in (3, 0) for c in (True, False)
              for d in (True, False)]
    check(outer, inputs, ["y"])


def loop_inputs(*carried):
    return [info("i", I, []), info("go", B, []), *[info(name, F, None) for name in carried]]


@pytest.mark.parametrize("trips", [0, 1, 6])
def test_loop_with_captures_and_stacks(check, trips):
    graph = body([node("Cast", ["i"], ["f"], to=F), node("Mul", ["x", "f"], ["m"]), node("Add", ["v", "m"], ["w"]),
                  node("Identity", ["go"], ["on"]), node("ReduceMax", ["w"], ["top"], keepdims=0)],
                 loop_inputs("v"), [info("on", B, []), info("w", F, None), info("top", F, None)])
    check(node("Loop", ["n", "", "v0"], ["v", "tops"], body=graph),
          [{"n": np.array(trips, np.int64), "x": random((2, 3)), "v0": random((2, 3), 1)}], ["v", "tops"],
          symbols={"x": ["a", "b"], "v0": ["a", "b"], "n": []})


def test_loop_until_a_condition_of_data(check):
    """Doubles until the sum is large enough: the number of iterations follows from data."""
    graph = body([node("Add", ["v", "v"], ["w"]), node("ReduceSum", ["w"], ["s"], keepdims=0),
                  node("Less", ["s", "limit"], ["on"])],
                 loop_inputs("v"), [info("on", B, []), info("w", F, None), info("s", F, None)])
    inputs = [{"c": np.array(c), "v0": np.full(n, x, np.float32)} for c, n, x in
              [(True, 3, 1), (True, 3, 0.001), (False, 2, 1), (True, 1, 500)]]
    check(node("Loop", ["", "c", "v0"], ["v", "sums"], body=graph), inputs, ["v", "sums"], {"limit": np.float32(100)})


def test_loop_that_grows_what_it_carries(check):
    graph = body([node("Concat", ["v", "x"], ["w"], axis=0), node("Identity", ["go"], ["on"])], loop_inputs("v"),
                 [info("on", B, []), info("w", F, None)])
    inputs = [{"n": np.array(n, np.int64), "x": random((k, 2)), "v0": random((1, 2))} for n, k in
              [(0, 1), (3, 1), (2, 4), (2, 0)]]
    check([node("Loop", ["n", "", "v0"], ["v"], body=graph), node("ReduceSum", ["v"], ["y"], keepdims=0)], inputs,
          ["v", "y"])


def test_loop_in_a_loop_with_a_branch(check):
    tail = [info("on2", B, []), info("w2", F, None)]
    choose = node("If", ["odd"], ["w2"], then_branch=branch("a", [node("Add", ["v2", "x"], ["p"])], "p"),
                  else_branch=branch("b", [node("Sub", ["v2", "half"], ["q"])], "q"))
    inner = body([node("Mod", ["i2", "two"], ["m"]), node("Cast", ["m"], ["odd"], to=B), choose,
                  node("Identity", ["go2"], ["on2"])],
                 [info("i2", I, []), info("go2", B, []), info("v2", F, None)], tail, {"two": np.int64(2)})
    outer = body([node("Loop", ["i", "", "v"], ["w"], body=inner), node("Identity", ["go"], ["on"])], loop_inputs("v"),
                 [info("on", B, []), info("w", F, None)], {"half": np.float32(0.5)})
    check(node("Loop", ["n", "", "v0"], ["y"], body=outer),
          [{"n": np.array(n, np.int64), "x": random((3,)), "v0": random((3,), 1)} for n in (0, 1, 4)], ["y"],
          symbols={"x": ["a"], "v0": ["a"], "n": []})


def test_nonzero_in_a_loop(check):
    """Extents that follow from data, inside an iteration, and a shape of data."""
    graph = body([node("NonZero", ["v"], ["nz"]), node("Transpose", ["nz"], ["t"]), node("GatherND", ["v", "t"], ["g"]),
                  node("Sub", ["g", "one"], ["h"]), node("Relu", ["h"], ["w"]), node("Identity", ["go"], ["on"])],
                 loop_inputs("v"), [info("on", B, []), info("w", F, None)])
    check(node("Loop", ["n", "", "v0"], ["y"], body=graph),
          [{"n": np.array(n, np.int64), "v0": np.array([0, 1, 2, 3, 4, 0, 5], np.float32)} for n in (0, 1, 3, 9)], ["y"],
          {"one": np.float32(1)})


@pytest.mark.parametrize("axis, backward", [(0, 0), (1, 1), (-1, 0)])
def test_scan(check, axis, backward):
    graph = body([node("Add", ["s", "e"], ["t"]), node("Mul", ["t", "e"], ["o"])],
                 [info("s", F, None), info("e", F, None)], [info("t", F, None), info("o", F, None)])
    extent = 3 if axis != 0 else 5
    scan = node("Scan", ["s0", "x"], ["s", "y"], num_scan_inputs=1, scan_input_axes=[axis],
                scan_input_directions=[backward], scan_output_axes=[axis], scan_output_directions=[backward], body=graph)
    inputs = {"s0": random((extent,)), "x": random((3, 5), 1)}
    check(scan, [inputs], ["s", "y"], ranks_only=False)


def test_two_threads_run_one_engine(program):
    """Through the package, whose engines may be called from many threads."""
    from concurrent.futures import ThreadPoolExecutor

    import jitney
    import operators
    graph = body([node("Concat", ["v", "x"], ["w"], axis=0), node("Identity", ["go"], ["on"])], loop_inputs("v"),
                 [info("on", B, []), info("w", F, None)])
    inputs = {"n": np.array(2, np.int64), "x": random((2, 2)), "v0": random((1, 2))}
    model = operators.build([node("Loop", ["n", "", "v0"], ["v"], body=graph)], inputs, ["v"])
    engine = jitney.load(model.SerializeToString(), runtime_cache="none")

    def run(seed):
        rng = np.random.default_rng(seed)
        for _ in range(20):
            n, x, v = rng.integers(0, 5), random((rng.integers(0, 4), 2), seed), random((1, 2), seed)
            got = engine.run({"n": np.array(n, np.int64), "x": x, "v0": v})["v"]
            np.testing.assert_array_equal(got, np.concatenate([v] + [x] * int(n)))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, (1, 2)))
