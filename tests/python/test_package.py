# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The Python package: what it gives, what it takes without a copy, and what it says of what is wrong."""
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
import pytest
from conftest import BUILD, ROOT
from onnx import TensorProto, helper

import jitney


pytestmark = pytest.mark.usefixtures("own_cache")


def one_operator(operator, inputs, output, opset=21, **attributes):
    """A model of one operator; inputs are (element type, shape)."""
    names = [f"x{i}" for i in range(len(inputs))]
    graph = helper.make_graph(
        [helper.make_node(operator, names, ["y"], **attributes)], "g",
        [helper.make_tensor_value_info(name, *info) for name, info in zip(names, inputs)],
        [helper.make_tensor_value_info("y", *output)])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def relu(element=TensorProto.FLOAT, shape=("n", 4)):
    return one_operator("Relu", [(element, shape)], (element, shape))


def test_digits_agrees_with_onnx_runtime(digits):
    engine = jitney.load(digits)
    assert engine.input_names == ("images",) and engine.output_names == ("logits",)
    assert engine.inputs == (("images", "float32", ("batch", 1, 8, 8)),)
    assert engine.outputs[0].shape == ("batch", 10)
    images = np.random.default_rng(0).random((5, 1, 8, 8), dtype=np.float32)
    reference = onnxruntime.InferenceSession(str(digits), providers=["CPUExecutionProvider"])
    wanted = reference.run(None, {"images": images})[0]
    np.testing.assert_allclose(engine.run({"images": images})["logits"], wanted, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(engine(images), wanted, rtol=1e-4, atol=1e-4)
    stats = engine.stats()
    assert stats["compiled"] == stats["distinct_kernels"] > 0 and stats["interpreted_operators"] == 0
    json.dumps(stats)
    assert "images" in engine.inspect() and "void" in engine.inspect(source=True)
    assert "images: float32[batch, 1, 8, 8]" in repr(engine) and engine.metadata


def test_a_model_comes_as_path_text_bytes_or_proto(tmp_path):
    model, path = relu(), tmp_path / "relu.onnx"
    onnx.save(model, path)
    x = np.float32([[-1, 0, 1, 2]])
    data = model.SerializeToString()
    for given in (path, str(path), data, bytearray(data), memoryview(data), model):
        np.testing.assert_array_equal(jitney.load(given)(x), np.maximum(x, 0))


def test_build_writes_an_engine_that_load_reads(tmp_path):
    x = np.float32([[-1, 0, 1, 2]])
    built = jitney.build(relu(), tmp_path / "relu.jitney")
    np.testing.assert_array_equal(built(x), np.maximum(x, 0))
    loaded = jitney.load(tmp_path / "relu.jitney")
    np.testing.assert_array_equal(loaded(x), np.maximum(x, 0))
    loaded.save(tmp_path / "again.jitney")
    assert (tmp_path / "again.jitney").read_bytes() == (tmp_path / "relu.jitney").read_bytes()


def test_several_outputs_come_as_a_tuple():
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["a"]), helper.make_node("Neg", ["x"], ["b"])], "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n"])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in "ab"])
    engine = jitney.load(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10))
    a, b = engine(np.float32([-1, 2]))
    assert a.tolist() == [0, 2] and b.tolist() == [1, -2]


@pytest.mark.parametrize("x", [
    np.arange(12, dtype=np.float32).reshape(3, 4) - 5,
    (np.arange(12, dtype=np.float32).reshape(4, 3) - 5).T,
    (np.arange(24, dtype=np.float32).reshape(3, 8) - 5)[::-1, ::-2],
    np.broadcast_to(np.float32([-1, 2, 3, 4]), (3, 4)),
    np.empty((0, 4), np.float32),
    np.frombuffer(b"x" + np.float32([[-1, 2, 3, 4]]).tobytes(), np.uint8)[1:].view(np.float32).reshape(1, 4),
], ids=["plain", "transposed", "negative", "broadcast", "empty", "unaligned"])
def test_any_strides(x):
    before = x.copy()
    np.testing.assert_array_equal(jitney.load(relu())(x), np.maximum(x, 0))
    np.testing.assert_array_equal(x, before)


def test_read_only_and_scalars():
    x = np.float32([[-1, 2, 3, 4]])
    x.setflags(write=False)
    assert jitney.load(relu())(x).tolist() == [[0, 2, 3, 4]]
    scalar = jitney.load(relu(shape=()))
    assert scalar(np.float32(-2)).shape == () and scalar(np.array(3, np.float32)) == 3


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int8", "int16", "int32", "int64", "uint8", "uint16",
                                   "uint32", "uint64", "bool", "bfloat16"])
def test_every_dtype_in_and_out(dtype):
    numpy_type = np.dtype(getattr(ml_dtypes, dtype) if dtype == "bfloat16" else dtype)
    element = helper.np_dtype_to_tensor_dtype(numpy_type)
    engine = jitney.load(one_operator("Transpose", [(element, ("n", 3))], (element, (3, "n"))))
    assert engine.inputs[0].dtype == dtype
    x = np.array([[0, 1, 0], [1, 0, 1]]).astype(numpy_type)
    y = engine(x)
    assert y.dtype == numpy_type and y.shape == (3, 2)
    np.testing.assert_array_equal(y, x.T)


class Exchanged:
    """Something with __dlpack__ that is not numpy's."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


def test_anything_with_dlpack():
    x = np.float32([[-1, 2, 3, 4]])
    assert jitney.load(relu())(Exchanged(x)).tolist() == [[0, 2, 3, 4]]
    assert np.from_dlpack(jitney.load(relu())(x)).tolist() == [[0, 2, 3, 4]]


def test_outputs_are_views_of_the_engines_memory_and_outlive_it():
    engine = jitney.load(relu())
    y = engine(np.float32([[-1, 2, 3, 4]]))
    assert not y.flags.owndata and y.flags.writeable and y.ctypes.data % 64 == 0
    z = engine(np.float32([[5, 5, 5, 5]]))
    del engine
    assert y.tolist() == [[0, 2, 3, 4]] and z.tolist() == [[5, 5, 5, 5]]


def test_given_outputs_are_written_in_place():
    engine, x = jitney.load(relu()), np.float32([[-1, 2, 3, 4]])
    y = np.full((1, 4), 7, np.float32)
    assert engine.run({"x0": x}, {"y": y})["y"] is y and y.tolist() == [[0, 2, 3, 4]]
    for wrong, word in [(np.empty((1, 5), np.float32), "shape"), (np.empty((1, 4), np.float64), "float32"),
                        (np.empty((1, 8), np.float32)[:, ::2], "contiguous")]:
        with pytest.raises(jitney.UserError, match=word):
            engine.run({"x0": x}, {"y": wrong})
    y.setflags(write=False)
    with pytest.raises(ValueError, match="output 'y' must be writable"):
        engine.run({"x0": x}, {"y": y})


def test_a_large_input_is_not_copied():
    """Four times the memory of the input would not fit the limit that is set after it was made."""
    code = """
import os, resource, numpy as np, onnx, jitney, sys
engine = jitney.load(sys.argv[1], threads=1)
engine(np.ones((1, 4), np.float32))
x = np.ones((64 << 20, 4), np.float32)  # 1 GiB
y = np.empty_like(x); y[:] = 0
pages = lambda: int(open("/proc/self/statm").read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
resource.setrlimit(resource.RLIMIT_AS, (pages() + (256 << 20),) * 2)
engine.run({"x0": x}, {"y": y})
assert y[-1, -1] == 1
"""
    path = BUILD / "relu-for-memory.onnx"
    onnx.save(relu(), path)
    environment = {**os.environ, "PYTHONPATH": str(BUILD / "python")}
    process = subprocess.run([sys.executable, "-c", code, str(path)], env=environment, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr


BAD_ARRAYS = {
    "list": ([[1, 2, 3, 4]], TypeError, "input 'x0' must be an array .* found list"),
    "number": (3, TypeError, "input 'x0' must be an array .* found int"),
    "none": (None, TypeError, "input 'x0' must be an array .* found NoneType"),
    "strings": (np.array([["a"]]), TypeError, "input 'x0' .* dtype <U1"),
    "objects": (np.array([[{}]]), TypeError, "input 'x0' .* dtype object"),
    "complex": (np.array([[1j]]), TypeError, "input 'x0' is an array of a type that no tensor has"),
    "swapped": (np.ones((1, 4), ">f4"), TypeError, "input 'x0' .* dtype >f4"),
    "dtype": (np.ones((1, 4)), jitney.UserError, "input 'x0' must be float32, found float64"),
    "rank": (np.ones(4, np.float32), jitney.UserError, "input 'x0' must have 2 dimensions, found 1"),
    "extent": (np.ones((1, 5), np.float32), jitney.UserError, "extent along axis 1 must be 4"),
}


@pytest.mark.parametrize("name", BAD_ARRAYS)
def test_bad_arrays(name):
    array, error, words = BAD_ARRAYS[name]
    with pytest.raises(error, match=words):
        jitney.load(relu())(array)


def test_bad_names_and_numbers_of_inputs():
    engine, x = jitney.load(relu()), np.ones((1, 4), np.float32)
    with pytest.raises(ValueError, match=r"missing: \['x0'\]; unknown: \['z'\]"):
        engine.run({"z": x})
    with pytest.raises(ValueError, match="unknown"):
        engine.run({"x0": x, "z": x})
    with pytest.raises(TypeError, match="mapping"):
        engine.run([x])
    with pytest.raises(ValueError, match="expected 1 inputs, found 2"):
        engine(x, x)


def test_bad_models_and_options(tmp_path):
    with pytest.raises(jitney.UserError, match="nowhere.onnx"):
        jitney.load(tmp_path / "nowhere.onnx")
    with pytest.raises(jitney.UserError, match="not an ONNX model"):
        jitney.load(b"something else")
    with pytest.raises(TypeError, match="found int"):
        jitney.load(3)
    with pytest.raises(jitney.UserError, match="'tpu'"):
        jitney.load(relu(), "tpu")
    with pytest.raises(jitney.UserError, match="'cuda:x'"):
        jitney.load(relu(), "cuda:x")
    with pytest.raises(TypeError, match="device"):
        jitney.load(relu(), 0)
    with pytest.raises(ValueError, match=r"Invalid precision: 'fp8'. Expected one of \['fp32', 'bf16'\]"):
        jitney.load(relu(), precision="fp8")
    with pytest.raises(TypeError, match="threads must be an int"):
        jitney.load(relu(), threads="2")
    with pytest.raises(ValueError, match="threads must be from 0"):
        jitney.load(relu(), threads=-1)
    with pytest.raises(TypeError):
        jitney.load(relu(), runtime_cache=3)
    with pytest.raises(jitney.EnvironmentError, match="cuda"):  # no driver, no such GPU, or built without
        jitney.load(relu(), "cuda:99").prepare()


def test_errors_are_pythons_own_kinds():
    assert issubclass(jitney.UserError, ValueError) and issubclass(jitney.EnvironmentError, RuntimeError)
    for error in (jitney.UserError, jitney.EnvironmentError, jitney.InternalError):
        assert issubclass(error, jitney.Error) and error.__module__ == "jitney" and error.__doc__


def test_several_threads():
    engine = jitney.load(ROOT / "models" / "digits" / "digits.onnx")
    inputs = [np.random.default_rng(i).random((1 + i % 5, 1, 8, 8), dtype=np.float32) for i in range(64)]
    wanted = [engine(x) for x in inputs]
    fresh = jitney.load(ROOT / "models" / "digits" / "digits.onnx")
    with ThreadPoolExecutor(8) as pool:
        for got, want in zip(pool.map(fresh, inputs), wanted):
            np.testing.assert_array_equal(got, want)


def test_the_version_is_that_of_the_library():
    assert f"VERSION {jitney.__version__} " in (ROOT / "CMakeLists.txt").read_text()
