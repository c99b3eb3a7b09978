# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""One small model for one operator, run by Jitney and by a reference: what the tests of operator families share."""
import numpy as np
import onnx
import onnx.reference
import onnxruntime
from onnx import helper, numpy_helper

OPSET = 21


def build(nodes, inputs, outputs, constants=None, opset=OPSET, ranks_only=True, symbols=None):
    """A model of the nodes. `inputs` are {name: array}: each extent becomes a symbol of its own where `ranks_only`,
    unless `symbols` gives an input's extents. `outputs` are names, `constants` {name: array}."""
    def info(name, array):
        shape = array.shape
        if symbols and name in symbols:
            shape = symbols[name]
        elif ranks_only:
            shape = [f"{name}{axis}" for axis in range(array.ndim)]
        return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), shape)

    graph = helper.make_graph(
        nodes, "g", [info(name, array) for name, array in inputs.items()],
        [helper.make_empty_tensor_value_info(name) for name in outputs],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in (constants or {}).items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    inferred = onnx.shape_inference.infer_shapes(model)  # ONNX Runtime wants to know the types of outputs
    known = {output.name: output for output in inferred.graph.output}
    for output in model.graph.output:
        output.type.CopyFrom(known[output.name].type)
        output.type.tensor_type.ClearField("shape")
    return model


def expected_of(model, inputs, reference="ort"):
    """All outputs, from ONNX Runtime or from the reference implementation of the standard."""
    if reference == "onnx":
        return onnx.reference.ReferenceEvaluator(model).run(None, inputs)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, inputs)


class Checker:
    """Runs models and compares; counts what the interpreter ran."""

    def __init__(self, jitney, cache, folder):
        self.jitney, self.cache, self.folder, self.models = jitney, cache, folder, 0

    def save(self, model):
        self.models += 1
        path = self.folder / f"model{self.models}.onnx"
        onnx.save(model, path)
        return path

    def __call__(self, nodes, several_inputs, outputs, constants=None, reference="ort", rtol=1e-5, atol=1e-5,
                 interpreted=0, expected=None, **options):
        """`several_inputs`: one {name: array} or a list of them, all of which the one model must take."""
        several_inputs = several_inputs if isinstance(several_inputs, list) else [several_inputs]
        nodes = nodes if isinstance(nodes, list) else [nodes]
        model = build(nodes, several_inputs[0], outputs, constants, **options)
        path = self.save(model)
        for inputs in several_inputs:
            wanted = expected(**inputs) if expected else expected_of(model, inputs, reference)
            result = self.jitney.run(path, inputs, self.cache)
            for name, want in zip(outputs, wanted):
                got = result.outputs[name]
                if want.dtype.isbuiltin == 2:  # a type of ml_dtypes, of which files keep the bits
                    got = got.view(want.dtype)
                shapes = {key: value.shape for key, value in inputs.items()}
                assert got.shape == want.shape and got.dtype == want.dtype, (name, shapes, got.shape, want.shape)
                if want.dtype.isbuiltin == 2:
                    got, want = got.astype(np.float32), want.astype(np.float32)
                if np.issubdtype(want.dtype, np.floating):
                    np.testing.assert_allclose(got, want, rtol=rtol, atol=atol, err_msg=f"{name} {shapes}")
                else:
                    np.testing.assert_array_equal(got, want, err_msg=f"{name} {shapes}")
            if interpreted is not None:
                assert result.kernels["interpreted"] == interpreted, result.kernels
        return result

    def refused(self, nodes, inputs, outputs, words, constants=None, **options):
        """The run must fail with one sentence that has the words."""
        nodes = nodes if isinstance(nodes, list) else [nodes]
        path = self.save(build(nodes, inputs, outputs, constants, **options))
        arguments = []
        for name, array in inputs.items():
            np.save(self.folder / f"refused_{name}.npy", array)
            arguments += ["--input", f"{name}={self.folder / f'refused_{name}.npy'}"]
        result = self.jitney("run", path, "--iterations", "0", "--runtime-cache", self.cache, *arguments)
        assert result.code != 0, "it should have failed"
        for word in [words] if isinstance(words, str) else words:
            assert word in result.stderr, result.stderr
