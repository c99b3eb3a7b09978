# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Model skeletons: exported ONNX graphs whose large weights are described instead of stored.

  python tools/models.py fill tests/models/resnet18.onnx OUT.onnx [--seed N]   a full model with seeded weights
  python tools/models.py strip FULL.onnx SKELETON.onnx                         the way there
  python tools/models.py export [NAME ...]                                     export tests/models again (needs torch)

A skeleton keeps the graph as the exporter wrote it. A stripped initializer keeps its name, type and shape but no data;
the model's metadata entry "jitney.skeleton" holds {name: {"kind": "normal" or "uniform", "a": x, "b": y}} for each:
normal with mean a and standard deviation b, or uniform in [a, b]. The scales come from how the weight is used, so that
activations neither vanish nor explode, whatever the depth. Filling is deterministic: the same seed, the same bytes.
"""
import argparse
import json
import math
import sys
import zlib
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

KEY = "jitney.skeleton"
SMALL = 16  # initializers of up to this many elements are kept: scalars, axes, shapes
FLOATS = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE)


def _distribution(tensor, node, index):
    """How to draw the weight `tensor`, given the node that reads it as input number `index`."""
    shape = list(tensor.dims)
    op = node.op_type if node is not None else ""
    if op == "BatchNormalization":
        return [None, ("uniform", 0.8, 1.2), ("normal", 0, 0.1), ("normal", 0, 0.1), ("uniform", 0.7, 1.3)][index]
    if op in ("LayerNormalization", "InstanceNormalization", "GroupNormalization"):
        return ("uniform", 0.8, 1.2) if index == 1 else ("normal", 0, 0.1)
    if op == "Conv" and index == 1:
        return ("normal", 0, math.sqrt(2 / math.prod(shape[1:])))
    if op == "Gemm" and index == 1:
        transposed = any(a.name == "transB" and a.i for a in node.attribute)
        return ("normal", 0, math.sqrt(1 / shape[1 if transposed else 0]))
    if op == "MatMul" and len(shape) >= 2:
        return ("normal", 0, math.sqrt(1 / shape[-2 if index == 1 else -1]))
    if op == "Gather":  # an embedding table
        return ("normal", 0, 1)
    if op in ("Reshape", "Transpose", "Squeeze", "Unsqueeze", "Slice", "Split") and len(shape) >= 2:
        return ("normal", 0, math.sqrt(1 / shape[-1]))
    return ("normal", 0, 0.1)  # biases


def clean(proto):
    """Drops what says where the model was exported: stack traces, doc strings, producer notes."""
    graph = proto.graph
    for thing in [proto, graph, *graph.node, *graph.initializer, *graph.value_info, *graph.input, *graph.output,
                  *proto.functions]:
        thing.ClearField("doc_string")
        thing.ClearField("metadata_props")


def strip(proto):
    """Turns a full model into a skeleton, in place."""
    clean(proto)
    readers = {}
    for node in reversed(proto.graph.node):  # so that what an Identity forwards to is known when it is met
        for index, name in enumerate(node.input):
            forwarded = readers.get(node.output[0]) if node.op_type == "Identity" else None
            readers[name] = forwarded or (node, index)
    recipe = {}
    for tensor in proto.graph.initializer:
        if tensor.data_type not in FLOATS or math.prod(tensor.dims) <= SMALL:
            continue
        kind, a, b = _distribution(tensor, *readers.get(tensor.name, (None, 0)))
        recipe[tensor.name] = {"kind": kind, "a": round(a, 6), "b": round(b, 6)}
        for field in ("raw_data", "float_data", "double_data", "int32_data"):
            tensor.ClearField(field)
    proto.metadata_props.add(key=KEY, value=json.dumps(recipe, separators=(",", ":")))
    return proto


def fill(proto, seed=0):
    """Turns a skeleton into a full model, in place. A model without a recipe is left as it is."""
    entry = next((p for p in proto.metadata_props if p.key == KEY), None)
    if entry is None:
        return proto
    recipe = json.loads(entry.value)
    for tensor in proto.graph.initializer:
        how = recipe.get(tensor.name)
        if how is None:
            continue
        # Seeded by name, so that reordering or adding initializers changes nothing else.
        random = np.random.Generator(np.random.PCG64([seed, zlib.crc32(tensor.name.encode())]))
        shape = tuple(tensor.dims)
        if how["kind"] == "normal":
            values = random.normal(how["a"], how["b"], shape)
        else:
            values = random.uniform(how["a"], how["b"], shape)
        dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
        tensor.CopyFrom(numpy_helper.from_array(values.astype(dtype), tensor.name))
    proto.metadata_props.remove(entry)
    return proto


def fill_file(source, target, seed=0):
    proto = fill(onnx.load(source), seed)
    onnx.checker.check_model(proto)
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    onnx.save(proto, target)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("fill", help="make a full model with seeded weights out of a skeleton")
    command.add_argument("source")
    command.add_argument("target")
    command.add_argument("--seed", type=int, default=0)
    command = commands.add_parser("strip", help="make a skeleton out of a full model")
    command.add_argument("source")
    command.add_argument("target")
    command = commands.add_parser("export", help="export the models of tests/models and bench/models again, with PyTorch")
    command.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args(arguments)
    if options.command == "fill":
        fill_file(options.source, options.target, options.seed)
    elif options.command == "strip":
        onnx.save(strip(onnx.load(options.source)), options.target)
    else:
        sys.path.insert(0, str(Path(__file__).resolve().parent))
        import model_zoo  # needs torch, which filling does not

        model_zoo.export(options.names, strip)
    return 0


if __name__ == "__main__":
    sys.exit(main())
