# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The cases of onnx.backend.test: a model, and sets of inputs with the outputs wanted of them."""
import dataclasses
import functools
import warnings
from pathlib import Path

import onnx
from onnx import numpy_helper
from onnx.backend.test import loader

KINDS = ("node", "simple", "pytorch-converted", "pytorch-operator", "light")

# What these give is random, so only shape and type are compared.
RANDOM = ("test_bernoulli", "test_training_dropout", "test_randomuniform", "test_randomnormal", "test_multinomial")


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    kind: str
    operator: str  # of a case with one node; else the model's name
    rtol: float
    atol: float
    source: object  # a TestCase of onnx, or a path

    @property
    def is_random(self):
        return self.name.startswith(RANDOM) and "ratio_zero" not in self.name and "zero_ratio" not in self.name \
            and "_default_mask_" not in self.name

    def model_bytes(self):
        if isinstance(self.source, Path):
            return self.source.read_bytes()
        if self.source.model is not None:
            return self.source.model.SerializeToString()
        return (Path(self.source.model_dir) / "model.onnx").read_bytes()

    def data_sets(self):
        """Pairs of lists: inputs and wanted outputs. What is no array (a sequence, nothing) comes as it is."""
        if isinstance(self.source, Path):
            return _light_data(self.source)
        if self.source.data_sets is not None:
            return [([_as_array(a) for a in inputs], [_as_array(a) for a in outputs])
                    for inputs, outputs in self.source.data_sets]
        return [_stored_data(folder, onnx.load(Path(self.source.model_dir) / "model.onnx"))
                for folder in sorted(Path(self.source.model_dir).glob("test_data_set_*"))]


def _operator(model):
    names = {node.op_type for node in model.graph.node if node.op_type not in ("Constant", "Identity")}
    return names.pop() if len(names) == 1 else model.graph.node[0].op_type if len(model.graph.node) == 1 else "several"


def _as_array(value):
    return numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value


def _read(path, type_proto):
    kind = type_proto.WhichOneof("value")
    proto = {"sequence_type": onnx.SequenceProto, "optional_type": onnx.OptionalProto}.get(kind, onnx.TensorProto)()
    proto.ParseFromString(path.read_bytes())
    if kind == "sequence_type":
        return numpy_helper.to_list(proto)
    if kind == "optional_type":
        return numpy_helper.to_optional(proto)
    return numpy_helper.to_array(proto)


def _stored_data(folder, model):
    return ([_read(folder / f"input_{i}.pb", info.type) for i, info in enumerate(model.graph.input)
             if (folder / f"input_{i}.pb").exists()],
            [_read(folder / f"output_{i}.pb", info.type) for i, info in enumerate(model.graph.output)])


def _light_data(path):
    """Weights are made from constants by the model itself; the input is what ONNX's own runner gives it: a ramp."""
    import numpy as np

    model = onnx.load(path)
    initializers = {i.name for i in model.graph.initializer}
    inputs = []
    for info in model.graph.input:
        if info.name not in initializers:
            shape = tuple(d.dim_value for d in info.type.tensor_type.shape.dim)
            size = int(np.prod(shape))
            inputs.append((np.arange(size).astype(np.float32) / size).reshape(shape))
    return [(inputs, [_read(path.with_name(f"{path.stem}_output_0.pb"), model.graph.output[0].type)])]


@functools.cache
def all_cases():
    """In a fixed order."""
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for kind in KINDS[:-1]:
            for case in loader.load_model_tests(kind=kind):
                model = case.model if case.model is not None else onnx.load(Path(case.model_dir) / "model.onnx")
                found.append(Case(case.name, kind, _operator(model), case.rtol, case.atol, case))
    light = Path(loader.__file__).parent.parent / "data" / "light"
    for path in sorted(light.glob("light_*.onnx")):
        found.append(Case(f"test_{path.stem}", "light", "several", 1e-3, 1e-7, path))
    return tuple(found)
