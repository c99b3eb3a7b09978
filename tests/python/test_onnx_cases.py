# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The standard's own cases for operators of these families. Parameters, which an import must know, are constants."""
import functools
import warnings

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper
from onnx.backend.test.case.node import collect_testcases

# operator: the inputs that are parameters
OPERATORS = {
    "ArgMax": [], "ArgMin": [], "Compress": [1], "ConvInteger": [], "CumSum": [1], "DepthToSpace": [],
    "DequantizeLinear": [], "DynamicQuantizeLinear": [], "Expand": [1], "EyeLike": [], "Gather": [],
    "GatherElements": [], "GatherND": [], "GroupNormalization": [], "Hardmax": [], "InstanceNormalization": [],
    "LRN": [], "LpNormalization": [], "MatMulInteger": [], "MeanVarianceNormalization": [], "NonZero": [0],
    "OneHot": [1], "QLinearConv": [], "QLinearMatMul": [], "QuantizeLinear": [], "RMSNormalization": [],
    "Range": [0, 1, 2], "Resize": [1, 2, 3], "ReverseSequence": [], "ScatterElements": [], "ScatterND": [],
    "SpaceToDepth": [], "Tile": [1], "TopK": [1], "Trilu": [1], "Upsample": [1],
}
LEFT_OUT = {
    "expanded": "the function body of a case that is there",
}
DTYPES = {np.dtype(t) for t in ("f4", "f8", "f2", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?")}


@functools.cache
def all_cases():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return collect_testcases(None)  # gives them once a process


def cases_of(operator):
    found = {}
    for case in all_cases():
        if case.model.graph.node[0].op_type != operator or any(word in case.name for word in LEFT_OUT):
            continue
        found[case.name] = case
    return found


def prepare(case, parameters):
    """Names of what stays an input with its arrays; the model gets the rest as initializers. Nothing for dtypes that
    there are none of."""
    arrays, outputs = case.data_sets[0]
    if any(isinstance(a, (list, TensorProto)) or np.asarray(a).dtype not in DTYPES for a in [*arrays, *outputs]):
        return None
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    inputs = list(model.graph.input)
    del model.graph.input[:]
    names = list(model.graph.node[0].input)
    given = {}
    for info, array in zip(inputs, arrays):
        if names.index(info.name) in parameters:
            model.graph.initializer.append(numpy_helper.from_array(np.asarray(array), info.name))
        else:
            model.graph.input.append(info)
            given[info.name] = np.asarray(array)
    return model, given, [np.asarray(o) for o in outputs]


@pytest.mark.parametrize("operator", OPERATORS)
def test_cases(check, cache, operator):
    ran = 0
    for name, case in cases_of(operator).items():
        prepared = prepare(case, OPERATORS[operator])
        if prepared is None:
            continue
        model, inputs, wanted = prepared
        result = check.jitney.run(check.save(model), inputs, cache)
        for info, want in zip(model.graph.output, wanted):
            got = result.outputs[info.name]
            assert got.shape == want.shape and got.dtype == want.dtype, (name, got.shape, want.shape)
            np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-5, err_msg=name)
        ran += 1
    assert ran > 0, "the standard has no case left for it"
