# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Sequences and optionals as inputs and outputs: lists, and None."""
import copy
import pickle
import threading

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import jitney

node = helper.make_node
pytestmark = pytest.mark.usefixtures("own_cache")


def tensor(dtype=TensorProto.FLOAT, shape=None):
    return helper.make_tensor_type_proto(dtype, shape)


def sequence(dtype=TensorProto.FLOAT, shape=None):
    return helper.make_sequence_type_proto(tensor(dtype, shape))


def optional(inner):
    return helper.make_optional_type_proto(inner)


def model(nodes, inputs, outputs, opset=21):
    def infos(types):
        return [helper.make_value_info(name, proto) for name, proto in types.items()]

    return helper.make_model(helper.make_graph(nodes, "g", infos(inputs), infos(outputs)),
                             opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def mapped():
    """s = map(a -> a * k + a), and the sum of its tensors' sums."""
    body = helper.make_graph([node("Mul", ["a", "k"], ["m"]), node("Add", ["m", "a"], ["r"])], "body",
                             [helper.make_value_info("a", tensor()), helper.make_value_info("k", tensor())],
                             [helper.make_value_info("r", tensor())])
    return model([node("SequenceMap", ["in", "factor"], ["s"], body=body), node("SequenceLength", ["in"], ["n"])],
                 {"in": sequence(), "factor": tensor(shape=[1])}, {"s": sequence(), "n": tensor(TensorProto.INT64, [])})


def arrays(*shapes):
    rng = np.random.default_rng(3)
    return [rng.standard_normal(shape).astype(np.float32) for shape in shapes]


def test_lists_go_in_and_come_out():
    engine = jitney.load(mapped())
    factor = np.float32([3])
    for given in (arrays((2, 3), (4,)), arrays((2, 3)), [], arrays((5, 1), (7,)), arrays((0, 2), (1,), (3,)),
                  [np.asfortranarray(arrays((4, 5))[0]), arrays((8,))[0][::-2]]):
        found = engine.run({"in": given, "factor": factor})
        assert list(found) == ["s", "n"] and isinstance(found["s"], list) and found["n"] == len(given)
        assert len(found["s"]) == len(given)
        for a, b in zip(found["s"], given):
            assert a.shape == b.shape
            np.testing.assert_allclose(a, b * 3 + b, rtol=1e-6)
    s, n = engine(tuple(arrays((2,))), factor)
    assert len(s) == 1 and n == 1
    # Two sequences and the same structure with other extents compile nothing again.
    before = engine.stats()["compiled"]
    engine.run({"in": arrays((9, 2), (6,)), "factor": factor})
    assert engine.stats()["compiled"] == before
    assert engine.stats()["interpreted_operators"] == 0


def test_types_are_what_the_model_declares():
    engine = jitney.load(model([node("Identity", ["a"], ["y"]), node("Identity", ["b"], ["z"])],
                               {"a": optional(sequence(TensorProto.INT64, ["n", 3])), "b": sequence()},
                               {"y": optional(sequence(TensorProto.INT64)), "z": sequence()}))
    a, b = engine.inputs
    assert (a.name, a.dtype, a.shape, a.kind, a.optional) == ("a", "int64", ("n", 3), "sequence", True)
    assert (b.name, b.dtype, b.shape, b.kind, b.optional) == ("b", "float32", ("...",), "sequence", False)
    assert [(i.name, i.kind, i.optional) for i in engine.outputs] == [("y", "sequence", True), ("z", "sequence", False)]
    assert "a: list[int64[n, 3]] | None" in repr(engine)
    plain = jitney.load(model([node("Neg", ["x"], ["y"])], {"x": tensor(shape=["n"])}, {"y": tensor(shape=["n"])}))
    assert plain.inputs[0].kind == "tensor" and not plain.inputs[0].optional and plain.inputs[0] == plain.outputs[0]._replace(name="x")


@pytest.mark.parametrize("inner,value", [(tensor(shape=[2]), np.float32([1, 2])), (sequence(), arrays((2,), (1, 1)))])
def test_optionals(inner, value):
    engine = jitney.load(model([node("OptionalHasElement", ["o"], ["there"]), node("Identity", ["o"], ["same"])],
                               {"o": optional(inner)},
                               {"there": tensor(TensorProto.BOOL, []), "same": optional(inner)}))
    for absent in ({}, {"o": None}):
        found = engine.run(absent)
        assert not found["there"] and found["same"] is None
    found = engine.run({"o": value})
    assert found["there"]
    np.testing.assert_array_equal(found["same"][0], value[0])
    assert engine(None)[1] is None


def test_values_of_inputs_decide():
    """A position, a number of rounds and a condition: other values are other structures."""
    insert = jitney.load(model([node("SequenceInsert", ["s", "x", "at"], ["r"])],
                               {"s": sequence(), "x": tensor(shape=[1]), "at": tensor(TensorProto.INT64, [])},
                               {"r": sequence()}))
    items = arrays((1,), (1,))
    for at in (0, 1, 2, -1, -2, 0):
        wanted = list(items)
        wanted.insert(at, np.float32([9]))
        found = insert.run({"s": items, "x": np.float32([9]), "at": np.int64(at)})["r"]
        np.testing.assert_array_equal(np.concatenate(found), np.concatenate(wanted))
    with pytest.raises(jitney.UserError, match="position 3 is outside a sequence of 2 tensors"):
        insert.run({"s": items, "x": np.float32([9]), "at": np.int64(3)})
    split = jitney.load(model([node("SplitToSequence", ["x", "n"], ["r"], axis=0)],
                              {"x": tensor(shape=[6]), "n": tensor(TensorProto.INT64, [])}, {"r": sequence()}))
    assert split.inputs[0].kind == "tensor" and split.outputs[0].kind == "sequence"
    for n in (1, 2, 4, 6):
        assert [len(part) for part in split(np.arange(6, dtype=np.float32), np.int64(n))] == [
            min(n, 6 - begin) for begin in range(0, 6, n)]
    with pytest.raises(jitney.UserError, match="parts of 0"):
        split(np.arange(6, dtype=np.float32), np.int64(0))


def test_more_structures_than_are_kept():
    engine = jitney.load(model([node("SequenceAt", ["s", "at"], ["x"])],
                               {"s": sequence(), "at": tensor(TensorProto.INT64, [])}, {"x": tensor()}))
    items = [np.float32([i]) for i in range(70)]
    for at in [*range(70), 0, 69]:
        assert engine.run({"s": items, "at": np.int64(at)})["x"] == at


def test_wrong_kinds():
    engine = jitney.load(mapped())
    good, factor = arrays((2,)), np.float32([1])
    for value, error, text in [
        (good[0], ValueError, "input 'in' must be a sequence of float32 tensors, found a tensor"),
        (None, ValueError, "input 'in' must be a sequence of float32 tensors, found nothing"),
        ([good[0], np.int64([1])], ValueError,
         "input 'in' must be a sequence of float32 tensors, found int64 at position 1"),
        ([good[0], "text"], TypeError, r"input 'in' at position 1 must be an array .*, found str"),
        ([good[0], None], TypeError, r"input 'in' at position 1 must be an array .*, found NoneType"),
        ([np.array(["text"])], TypeError, "input 'in' at position 0"),
        ("text", TypeError, "input 'in' must be an array"),
        ([np.float32([1])] * 4097, ValueError, "input 'in' is a sequence of 4097 tensors; at most 4096"),
    ]:
        with pytest.raises(error, match=text):
            engine.run({"in": value, "factor": factor})
    with pytest.raises(ValueError, match="input 'factor' must be a tensor of float32, found a sequence"):
        engine.run({"in": good, "factor": [factor]})
    with pytest.raises(ValueError, match="input 'factor' must be a tensor of float32, found nothing"):
        engine.run({"in": good, "factor": None})
    with pytest.raises(ValueError, match="missing: .'factor'"):
        engine.run({"in": good})
    with pytest.raises(ValueError, match="outputs cannot be given"):
        engine.run({"in": good, "factor": factor}, {"s": good})
    with pytest.raises(ValueError, match="factor"):
        engine.run({"in": good, "factor": np.float32([1, 2])})
    assert len(engine.run({"in": good, "factor": factor})["s"]) == 1


def test_what_only_tensors_have(tmp_path):
    engine = jitney.load(mapped())
    with pytest.raises(jitney.UserError, match="is of sequences or optionals, and has no engine file"):
        engine.save(tmp_path / "m.jitney")
    with pytest.raises(jitney.UserError, match="has no optimization profiles"):
        jitney.load(mapped(), inputs={"factor": jitney.Input(shape=(1,)), "in": jitney.Input(shape=(1,))})
    with pytest.raises(jitney.UserError, match="a context for each structure"):
        engine.prepare()


def test_a_model_in_a_file_with_external_data(tmp_path):
    made = model([node("Add", ["w", "w"], ["ww"]), node("SequenceInsert", ["s", "ww"], ["r"])],
                 {"s": sequence()}, {"r": sequence()})
    made.graph.initializer.append(onnx.numpy_helper.from_array(np.arange(512, dtype=np.float32), "w"))
    path = tmp_path / "m.onnx"
    onnx.save(made, path, save_as_external_data=True, location="data", size_threshold=0)
    np.testing.assert_array_equal(jitney.load(path)([])[0], 2 * np.arange(512, dtype=np.float32))


def test_what_no_run_could_do_is_refused_by_load():
    bad = model([node("Nonsense", ["s"], ["r"])], {"s": sequence()}, {"r": sequence()})
    with pytest.raises(jitney.UserError, match="operator 'Nonsense' .* is not supported"):
        jitney.load(bad)
    with pytest.raises(jitney.UserError, match="STRING"):
        jitney.load(model([node("Identity", ["s"], ["r"])], {"s": sequence(TensorProto.STRING)},
                          {"r": sequence(TensorProto.STRING)}))
    with pytest.raises(jitney.UserError, match="input 's' has a type that is not supported"):
        jitney.load(model([node("Identity", ["s"], ["r"])],
                          {"s": helper.make_sequence_type_proto(sequence())}, {"r": sequence()}))


def test_threads_and_settings():
    engine = jitney.load(mapped())
    failed = []

    def work(seed):
        for count in range(1, 6):
            given = [np.full((seed + 1, k + 1), seed, np.float32) for k in range(count)]
            found = engine.run({"in": given, "factor": np.float32([2])})["s"]
            if [f.shape for f in found] != [g.shape for g in given] or any((f != 3 * seed).any() for f in found):
                failed.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    engine.update_runtime_settings(jitney.runtime.RuntimeSettings(runtime_cache=None))
    assert len(engine.run({"in": arrays((2,)), "factor": np.float32([2])})["s"]) == 1
    engine.close()
    with pytest.raises(jitney.UserError, match="closed"):
        engine.run({"in": arrays((2,)), "factor": np.float32([2])})


def test_an_input_keeps_what_it_is_where_one_field_changes():
    info = jitney.TensorInfo("s", "float32", ("...",), "sequence", True)
    renamed = info._replace(name="t")
    assert (renamed.name, renamed.dtype, renamed.kind, renamed.optional) == ("t", "float32", "sequence", True)
    assert type(renamed) is jitney.TensorInfo and info.name == "s"
    assert info._replace(kind="tensor").optional and info._replace(optional=False).kind == "sequence"
    assert copy.copy(info).kind == pickle.loads(pickle.dumps(info)).kind == "sequence"
    with pytest.raises(TypeError):
        info._replace(extent=3)
