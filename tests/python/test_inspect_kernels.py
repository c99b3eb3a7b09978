# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""inspect --kernels: what each step is made of, how it runs, and the bytes that it moves."""
import json

import onnx
import pytest
from onnx import TensorProto, helper


@pytest.fixture
def model(tmp_path):
    """softmax(x + bias) over [rows, 8], then a transpose."""
    nodes = [helper.make_node("Add", ["x", "bias"], ["sum"], "sum"),
             helper.make_node("Softmax", ["sum"], ["soft"], "soft", axis=1),
             helper.make_node("Transpose", ["soft"], ["y"], "turn", perm=[1, 0])]
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 8]),
                                           helper.make_tensor_value_info("bias", TensorProto.FLOAT, [8])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [8, "rows"])])
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), path)
    return path


def report(jitney, *arguments):
    result = jitney("inspect", *arguments, "--kernels", "--json")
    assert result.code == 0, result.stderr
    return json.loads(result.stdout)


def test_steps_say_what_they_do(jitney, model):
    steps = report(jitney, model)["steps"]
    assert [step["step"] for step in steps] == [0, 1]
    soft, turn = steps
    assert soft["operators"][:2] == ["add", "reduce_max"] and "exp" in soft["operators"]
    assert soft["done_by"] == "kernel 0"
    assert [(a["extent"], a["reduction"], a["vector"]) for a in soft["axes"]] == [("rows", False, False),
                                                                                  ("8", True, True)]
    assert "lanes" in soft["schedule"] and "across lanes" in soft["schedule"]
    assert {o["name"]: o["moves"] for o in soft["operands"] if not o["output"]} == {"x": "contiguous",
                                                                                   "bias": "contiguous"}
    assert turn["operators"] == ["copy"]
    assert {o["moves"] for o in turn["operands"]} in ({"contiguous", "stride 8"}, {"contiguous", "stride rows"})


def test_bytes_are_counted_by_hand(jitney, model):
    found = report(jitney, model, "--shape", "x=5x8")
    assert found["assumed_extents"] == {} and found["extents"] == {"rows": 5}
    soft = found["steps"][0]["bytes"]
    assert soft["read"] == {"expression": "32*rows + 32", "value": 192} and soft["written"]["value"] == 160
    fusion = found["fusion"]
    # Add and softmax: the transpose is a view, which moves nothing by itself, but the output has to lie in order.
    assert fusion["operators"] == 2 and fusion["steps"] == 2
    assert fusion["unfused_bytes"]["read"]["value"] == 160 + 32 + 160
    assert fusion["unfused_bytes"]["written"]["value"] == 320
    assert fusion["fused_bytes"]["read"]["value"] == 160 + 32 + 160
    assert fusion["ratio"] == pytest.approx((160 * 4 + 32) / (160 * 4 + 32))


def test_without_shapes_extents_are_one_and_that_is_said(jitney, model):
    assert report(jitney, model)["assumed_extents"] == {"rows": 1}
    text = jitney("inspect", model, "--kernels").stdout
    assert "rows = 1" in text and "--shape" in text
    assert "operators  add, reduce_max" in text and "== fusion: 2 operators in 2 steps ==" in text


def test_source_is_shown_once_a_kernel(jitney, model):
    text = jitney("inspect", model, "--kernels", "--source").stdout
    assert text.count("jitney_kernel(") == 2 and "in0_x" in text
    assert "jitney_kernel(" not in jitney("inspect", model, "--kernels").stdout
    assert all("jitney_kernel(" in step["source"] for step in report(jitney, model, "--source")["steps"])


@pytest.mark.parametrize("arguments,word", [(["--json"], "--kernels"), (["--shape", "x=5x8"], "--kernels"),
                                            (["--kernels", "--shape", "z=5"], "'z'"),
                                            (["--kernels", "--shape", "x=5x9"], "8"),
                                            (["--kernels", "--shape", "x=5x8", "--shape", "x=5x8"], "twice")])
def test_wrong_options_are_explained(jitney, model, arguments, word):
    result = jitney("inspect", model, *arguments)
    assert result.code != 0 and word in result.stderr, result.stderr


@pytest.mark.parametrize("name,most", [("encoder", 45), ("encoder_torchscript", 45), ("mlp", 2), ("mobilenet_v2", 55),
                                       ("resnet18", 24), ("resnet18_torchscript", 24), ("torch_encoder", 20)])
def test_models_need_no_more_steps_than_they_did(jitney, filled, name, most):
    found = report(jitney, filled(name))
    assert len(found["steps"]) <= most
    assert found["fusion"]["steps"] == len(found["steps"])
