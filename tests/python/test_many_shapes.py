# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""After the first shape, no other compiles anything: 200 random ones, of a transformer and of generated kernels only."""
import json
import random
import subprocess

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

SHAPES = 200


@pytest.fixture
def compiled_at(build_dir, tmp_path):
    """compiled_at(MODEL, [(dtype, shape) of each input], SHAPES): how many kernels were compiled after each run."""
    def run(model, first, shapes):
        inputs = []
        for index, (dtype, shape) in enumerate(first):
            path = tmp_path / f"{index}.bin"
            np.ones(shape, dtype).tofile(path)
            inputs.append({"file": str(path), "dtype": dtype, "shape": list(shape)})
        requests = [{"command": "load", "model": str(model), "inputs": inputs, "threads": 2, "runtime_cache": "none"},
                    {"command": "shapes", "shapes": shapes}]
        process = subprocess.run([str(build_dir / "bin" / "jitney-bench-worker")], text=True, capture_output=True,
                                 input="".join(json.dumps(r) + "\n" for r in requests), timeout=240)
        loaded, reply = [json.loads(line) for line in process.stdout.splitlines()]
        assert "error" not in loaded and "error" not in reply, (loaded, reply)
        assert loaded["compiled"] > 0 and reply["interpreted"] == 0 and reply["failed"] == 0
        assert len(reply["compiled"]) == len(shapes)
        return loaded["compiled"], reply["compiled"]

    return run


def test_of_the_encoder(compiled_at, filled):
    choose = random.Random(5)
    shapes = [[[choose.randint(1, 4), choose.randint(1, 40)]] for _ in range(SHAPES)]
    first, after = compiled_at(filled("encoder"), [("int64", (1, 16))], shapes)
    assert set(after) == {first}


def test_of_generated_kernels(compiled_at, tmp_path):
    def node(op, inputs, output, **attributes):
        return helper.make_node(op, inputs, [output], **attributes)

    nodes = [node("Add", ["x", "y"], "s"), node("Gelu", ["s"], "g"), node("Softmax", ["g"], "p", axis=-1),
             node("ReduceMean", ["g", "middle"], "r", keepdims=1), node("Mul", ["p", "r"], "q"),
             node("Transpose", ["q"], "t", perm=[0, 2, 1]), node("CumSum", ["t", "along"], "c"),
             node("Concat", ["c", "t"], "k", axis=1), node("ReduceMax", ["k", "last"], "z", keepdims=0)]
    extents = ["a", "b", "c"]
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, extents),
                     helper.make_tensor_value_info("y", TensorProto.FLOAT, ["c"])],
        [helper.make_tensor_value_info("k", TensorProto.FLOAT, None),
         helper.make_tensor_value_info("z", TensorProto.FLOAT, None)],
        [helper.make_tensor("middle", TensorProto.INT64, [1], [1]),
         helper.make_tensor("last", TensorProto.INT64, [1], [2]),
         helper.make_tensor("along", TensorProto.INT64, [], [2])])
    path = tmp_path / "generated.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9), path)
    choose = random.Random(6)
    shapes = []
    for _ in range(SHAPES):
        a, b, c = choose.choice([0, 1, 2, 5]), choose.randint(1, 70), choose.choice([1, 3, 16, 33, 64, 250])
        shapes.append([[a, b, c], [c]])
    first, after = compiled_at(path, [("float32", (2, 3, 4)), ("float32", (4,))], shapes)
    assert set(after) == {first}
