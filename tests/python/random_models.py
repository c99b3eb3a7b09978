# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Random ONNX models, and inputs for them: equal seeds give equal models.

Functions with jumps (rounding, comparisons, casts to integers, orders) take values only that every implementation
computes to the bit; `error` bounds by how much the others may differ, relative to values around 1.
"""
import random

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

UNIT = 1e-6


class Value:
    def __init__(self, name, shape, dtype, size, error=0.0):
        self.name, self.shape, self.dtype, self.size, self.error = name, tuple(shape), np.dtype(dtype), size, error


class Grower:
    def __init__(self, seed):
        self.choose = random.Random(seed)
        self.nodes, self.constants, self.pool, self.inputs, self.count = [], [], [], [], 0
        n, m = self.choose.choice([(2, 5), (1, 1), (3, 37), (4, 16), (2, 65)])
        shapes = [(n, m, 6), (n, m, 6), (6,), (m, 1), (n, 1, 6), (), (n, m), (7, 1), (n, 6, m)]
        self.input((n, m, 6), np.float32)
        for _ in range(self.choose.randint(1, 4)):
            self.input(self.choose.choice(shapes), self.choice_of("fffffiIb"))

    def choice_of(self, letters):
        return {"f": np.float32, "i": np.int64, "I": np.int32, "b": np.bool_}[self.choose.choice(letters)]

    def input(self, shape, dtype):
        value = Value(f"x{self.count}", shape, dtype, 5)
        self.count += 1
        self.inputs.append(value)
        self.pool.append(value)

    def constant(self, array):
        name = f"c{self.count}"
        self.count += 1
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def emit(self, op, inputs, shape, dtype, size, error=0.0, keep=True, **attributes):
        value = Value(f"v{self.count}", shape, dtype, size, error)
        self.count += 1
        names = [i.name if isinstance(i, Value) else i for i in inputs]
        self.nodes.append(helper.make_node(op, names, [value.name], name=f"{op}_{value.name}", **attributes))
        if size > 3e3 and value.dtype == np.float32:
            return self.emit("Tanh", [value], shape, dtype, 1, error + 8 * UNIT)
        if keep:
            self.pool.append(value)
        return value

    def any(self, fits):
        for _ in range(12):
            value = self.choose.choice(self.pool if self.choose.random() < 0.5 else self.pool[-8:])
            if np.prod(value.shape, dtype=int) < 40000 and fits(value):
                return value
        return None

    def floating(self, fits=lambda v: True):
        return self.any(lambda v: v.dtype == np.float32 and fits(v))

    def step(self):
        getattr(self, self.choose.choice([name for name in dir(Grower) if name.startswith("add_")]))()

    # ---- computing
    def add_smooth(self):
        if x := self.floating():
            op, slope, size = self.choose.choice([("Tanh", 1, 1), ("Sigmoid", 0.25, 1), ("Erf", 1.2, 1), ("Sin", 1, 1),
                                                  ("Gelu", 1.2, 0), ("Softplus", 1, 0), ("Atan", 1, 1.6), ("Elu", 1, 0),
                                                  ("HardSwish", 1.6, 0), ("Mish", 1.2, 0), ("Softsign", 1, 1)])
            size = size or x.size + 1
            self.emit(op, [x], x.shape, x.dtype, size, slope * x.error + 20 * UNIT * max(1, size))

    def add_exact(self):
        op = self.choose.choice(["Floor", "Ceil", "Round", "Sign", "Neg", "Abs", "Relu", "LeakyRelu"])
        if x := self.floating(lambda v: v.error == 0 or op in ("Neg", "Abs", "Relu", "LeakyRelu")):
            self.emit(op, [x], x.shape, x.dtype, x.size + 1, x.error)

    def add_arithmetic(self):
        x = self.any(lambda v: v.dtype != np.bool_)
        y = x and self.any(lambda v: v.dtype == x.dtype)
        if not y:
            return
        try:
            shape = np.broadcast_shapes(x.shape, y.shape)
        except ValueError:
            return
        op = self.choose.choice(["Add", "Sub", "Mul", "Min", "Max", "Mod"])
        size, error = x.size + y.size, x.error + y.error
        if op == "Mod":
            if x.dtype == np.float32:
                return
            y = self.emit("Max", [self.emit("Abs", [y], y.shape, y.dtype, y.size), self.constant(y.dtype.type(3))],
                          y.shape, y.dtype, y.size + 3)
        if op == "Mul":
            size, error = x.size * y.size, x.error * y.size + y.error * x.size + x.error * y.error
            if x.dtype != np.float32 and size > 1e6:
                return
        if op in ("Add", "Sub", "Mul"):
            error += UNIT * size if error else 0
        self.emit(op, [x, y], shape, x.dtype, size, error)

    def add_compare(self):
        x = self.any(lambda v: v.error == 0 and v.dtype != np.bool_)
        y = x and self.any(lambda v: v.dtype == x.dtype and v.error == 0 and v.shape == x.shape)
        if y:
            b = self.emit(self.choose.choice(["Less", "Greater", "Equal", "LessOrEqual"]), [x, y], x.shape, np.bool_, 1)
            if z := self.any(lambda v: v.dtype == x.dtype and v.shape == x.shape):
                self.emit("Where", [b, x, z], x.shape, x.dtype, max(x.size, z.size), max(x.error, z.error))

    def add_normalize(self):
        if x := self.floating(lambda v: len(v.shape) > 0):
            axis = self.choose.randint(-len(x.shape), len(x.shape) - 1)
            op = self.choose.choice(["Softmax", "LogSoftmax", "LayerNormalization"])
            if op == "LayerNormalization":
                scale = self.constant(np.linspace(0.5, 1.5, int(np.prod(x.shape[axis:]))).reshape(x.shape[axis:])
                                      .astype(np.float32))
                self.emit(op, [x, scale], x.shape, x.dtype, 100, 90 * (x.error + UNIT * x.size) + 100 * UNIT, axis=axis,
                          epsilon=0.1)
            else:
                size = 1 if op == "Softmax" else 2 * x.size + 10
                self.emit(op, [x], x.shape, x.dtype, size, 2 * x.error + UNIT * (30 + 8 * x.size), axis=axis)

    def add_reduce(self):
        if x := self.floating(lambda v: len(v.shape) > 0):
            axes = sorted(self.choose.sample(range(len(x.shape)), self.choose.randint(1, len(x.shape))))
            keep = self.choose.randint(0, 1)
            count = int(np.prod([x.shape[a] for a in axes]))
            shape = [1 if a in axes else e for a, e in enumerate(x.shape) if keep or a not in axes]
            op = self.choose.choice(["ReduceMean", "ReduceMax", "ReduceMin", "ReduceSum", "ReduceL2", "ReduceL1"])
            size, error = x.size, x.error
            if op == "ReduceMean":
                error += 8 * UNIT * size
            elif op in ("ReduceSum", "ReduceL1"):
                size, error = size * count, count * (error + UNIT * size)
            elif op == "ReduceL2":
                size, error = size * count, count * (error + UNIT * size) + 1e-3 * (error > 0)
            given = [a - len(x.shape) if self.choose.random() < 0.5 else a for a in axes]
            self.emit(op, [x, self.constant(np.array(given, np.int64))], shape, x.dtype, size, error, keepdims=keep)

    def add_cumsum(self):
        if x := self.floating(lambda v: len(v.shape) > 0):
            axis = self.choose.randint(-len(x.shape), len(x.shape) - 1)
            count = x.shape[axis]
            self.emit("CumSum", [x, self.constant(np.int64(axis))], x.shape, x.dtype, x.size * count,
                      count * (x.error + UNIT * x.size), exclusive=self.choose.randint(0, 1),
                      reverse=self.choose.randint(0, 1))

    def add_matmul(self):
        if x := self.floating(lambda v: len(v.shape) >= 2 and v.size <= 100):
            k, n = x.shape[-1], self.choose.choice([1, 3, 8, 17])
            w = self.constant(np.random.default_rng(self.count).standard_normal((k, n)).astype(np.float32))
            self.emit("MatMul", [x, w], (*x.shape[:-1], n), x.dtype, x.size * k * 3, 3 * k * (x.error + 2 * UNIT * x.size))

    def add_arg(self):
        if x := self.floating(lambda v: v.shape and v.error == 0 and v.shape[-1] > 1):
            op = self.choose.choice(["ArgMax", "ArgMin"])
            self.emit(op, [x], x.shape[:-1], np.int64, x.shape[-1], axis=-1, keepdims=0,
                      select_last_index=self.choose.randint(0, 1))

    def add_cast(self):
        to = self.choice_of("ffiIb")
        if x := self.any(lambda v: v.error == 0 and v.dtype != to):
            self.emit("Cast", [x], x.shape, to, x.size, to=helper.np_dtype_to_tensor_dtype(np.dtype(to)))

    def add_quantize(self):
        if x := self.floating(lambda v: v.error == 0 and v.size < 100):
            zero = self.choose.choice([np.uint8(121), np.int8(-7)])
            scale, point = self.constant(np.float32(0.0625)), self.constant(zero)
            q = self.emit("QuantizeLinear", [x, scale, point], x.shape, zero.dtype, 255, keep=False)
            self.emit("DequantizeLinear", [q, scale, point], x.shape, np.float32, 17)

    # ---- moving
    def moved(self, op, inputs, shape, **attributes):
        x = inputs[0]
        self.emit(op, inputs, shape, x.dtype, x.size, x.error, **attributes)

    def add_transpose(self):
        if x := self.any(lambda v: len(v.shape) > 1):
            perm = list(range(len(x.shape)))
            self.choose.shuffle(perm)
            self.moved("Transpose", [x], [x.shape[p] for p in perm], perm=perm)

    def add_reshape(self):
        if x := self.any(lambda v: len(v.shape) > 0):
            cut = self.choose.randint(0, len(x.shape))
            shape = [int(np.prod(x.shape[:cut])), int(np.prod(x.shape[cut:]))]
            self.moved("Reshape", [x, self.constant(np.array([-1, shape[1]], np.int64))], shape)

    def add_concat(self):
        if x := self.any(lambda v: len(v.shape) > 0):
            axis = self.choose.randrange(len(x.shape))
            y = self.any(lambda v: v.dtype == x.dtype and len(v.shape) == len(x.shape) and
                         v.shape[:axis] + v.shape[axis + 1:] == x.shape[:axis] + x.shape[axis + 1:]) or x
            shape = list(x.shape)
            shape[axis] += y.shape[axis]
            self.emit("Concat", [x, y], shape, x.dtype, max(x.size, y.size), max(x.error, y.error),
                      axis=axis - len(shape) * self.choose.randint(0, 1))

    def add_slice(self):
        if x := self.any(lambda v: len(v.shape) > 0):
            axis = self.choose.randrange(len(x.shape))
            start, end = (self.choose.randint(-x.shape[axis] - 2, x.shape[axis] + 2) for _ in range(2))
            step = self.choose.choice([1, 2, 3, -1, -2])
            shape = list(x.shape)
            shape[axis] = len(range(x.shape[axis])[start:end:step])
            if shape[axis] == 0:
                return
            given = axis - len(shape) * self.choose.randint(0, 1)
            self.moved("Slice", [x, *(self.constant(np.array([v], np.int64)) for v in (start, end, given, step))], shape)

    def add_gather(self):
        if x := self.any(lambda v: len(v.shape) > 0):
            axis = self.choose.randrange(len(x.shape))
            index = np.random.default_rng(self.count).integers(-x.shape[axis], x.shape[axis],
                                                               self.choose.choice([(), (4,), (2, 3)]))
            self.moved("Gather", [x, self.constant(index.astype(self.choose.choice([np.int32, np.int64])))],
                       (*x.shape[:axis], *index.shape, *x.shape[axis + 1:]), axis=axis)

    def add_scatter(self):
        if x := self.floating(lambda v: v.shape and v.size < 100):
            axis = self.choose.randrange(len(x.shape))
            generator = np.random.default_rng(self.count)
            order = generator.permuted(np.broadcast_to(np.arange(x.shape[axis]).reshape(
                [-1 if a == axis else 1 for a in range(len(x.shape))]), x.shape), axis=axis)
            index = order[tuple(slice(0, max(1, e - 1)) for e in x.shape)]
            updates = generator.standard_normal(index.shape).astype(np.float32)
            self.emit("ScatterElements", [x, self.constant(index), self.constant(updates)], x.shape, x.dtype, x.size + 5,
                      x.error + UNIT * x.size, axis=axis, reduction=self.choose.choice(["none", "add", "max"]))

    def add_pad(self):
        if x := self.floating(lambda v: len(v.shape) > 0):
            pads = [self.choose.randint(0, 3) for _ in range(2 * len(x.shape))]
            mode = self.choose.choice(["constant", "edge"])
            shape = [e + pads[a] + pads[a + len(x.shape)] for a, e in enumerate(x.shape)]
            self.moved("Pad", [x, self.constant(np.array(pads, np.int64))], shape, mode=mode)


def grow(seed, steps, symbolic):
    """A model, its inputs, and {output: how much it may differ}. `symbolic`: extents that vary with seeds are symbols."""
    g = Grower(seed)
    for _ in range(steps):
        g.step()
    made = [v for v in g.pool if v.name.startswith("v")][-6:]
    outputs = g.choose.sample(made, min(len(made), g.choose.randint(1, 3)))

    def info(value):
        extents = [f"{value.name}_{a}" if symbolic and e not in (1, 6, 7) else e for a, e in enumerate(value.shape)]
        return helper.make_tensor_value_info(value.name, helper.np_dtype_to_tensor_dtype(value.dtype), extents)

    graph = helper.make_graph(g.nodes, f"random{seed}", [info(v) for v in g.inputs],
                              [info(v) for v in outputs], g.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    onnx.checker.check_model(model)
    return model, g.inputs, {v.name: v.error for v in outputs}


def values(inputs, seed, special):
    """{name: array}; `special` puts NaN and infinities among floats."""
    generator = np.random.default_rng(seed)
    made = {}
    for v in inputs:
        array = np.clip(generator.standard_normal(v.shape), -4.9, 4.9)
        if v.dtype == np.float32 and special:
            kind = generator.integers(0, 60, v.shape)
            array = np.where(kind == 0, np.nan, np.where(kind == 1, np.inf, np.where(kind == 2, -np.inf, array)))
        elif v.dtype == np.bool_:
            array = array > 0
        elif v.dtype != np.float32:
            array = generator.integers(-5, 6, v.shape)
        made[v.name] = np.asarray(array).astype(v.dtype)
    return made
