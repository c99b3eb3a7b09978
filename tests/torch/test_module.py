# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""JitneyModule: tensors in and out, and what it says of wrong ones (O2)."""
import threading

import small_models as models
import numpy as np
import pytest
import torch
from onnx import TensorProto

from jitney import UserError
from jitney.dynamo.runtime import JitneyModule

pytestmark = pytest.mark.usefixtures("runtime")
FLOATS = {torch.float32: TensorProto.FLOAT, torch.float64: TensorProto.DOUBLE, torch.float16: TensorProto.FLOAT16,
          torch.bfloat16: TensorProto.BFLOAT16}
OTHERS = {torch.int8: TensorProto.INT8, torch.int16: TensorProto.INT16, torch.int32: TensorProto.INT32,
          torch.int64: TensorProto.INT64}


@pytest.mark.parametrize("dtype", [*FLOATS, *OTHERS], ids=str)
@pytest.mark.parametrize("shape", [(3, 4), (0, 4), (1, 4)], ids=str)
def test_values_of_every_dtype(dtype, shape):
    module = JitneyModule(models.unary("Neg", {**FLOATS, **OTHERS}[dtype]), name="neg")
    x = torch.randn(shape).mul(5).to(dtype)
    y = module(x)
    assert y.dtype == dtype and y.shape == x.shape
    assert torch.equal(y, -x)


@pytest.mark.parametrize("dtype", [torch.bool, torch.float8_e4m3fn, torch.uint8], ids=str)
def test_casts_to_and_from_types_that_are_stored(dtype):
    element = {torch.bool: TensorProto.BOOL, torch.uint8: TensorProto.UINT8, torch.float8_e4m3fn: TensorProto.FLOAT8E4M3FN}
    there = JitneyModule(models.model([("Cast", ["x"], ["y"], {"to": element[dtype]})],
                                      [("x", TensorProto.FLOAT, ("n",))], [("y", element[dtype], ("n",))]))
    back = JitneyModule(models.model([("Cast", ["x"], ["y"], {"to": TensorProto.FLOAT})],
                                     [("x", element[dtype], ("n",))], [("y", TensorProto.FLOAT, ("n",))]))
    x = torch.tensor([0.0, 1.0, 3.0, 100.0])
    stored = there(x)
    assert stored.dtype == dtype and torch.equal(stored.float(), x.to(dtype).float())
    assert torch.equal(back(stored), stored.float())


def test_rank_zero_and_numbers():
    module = JitneyModule(models.unary("Neg", shape=()))
    assert module(torch.tensor(2.0)).shape == () and module(torch.tensor(2.0)) == -2 and module(3) == -3


@pytest.mark.parametrize("view", ["transposed", "sliced", "expanded", "flipped storage"])
def test_strides_are_free(view):
    x = torch.randn(4, 6)
    x = {"transposed": lambda: torch.randn(4, 3).t(), "sliced": lambda: x[:, 1:5],
         "expanded": lambda: torch.randn(1, 4).expand(5, 4), "flipped storage": lambda: x[::2, ::2][:, :2].repeat(1, 2)}[view]()
    kept = x.clone()
    assert torch.equal(JitneyModule(models.unary("Neg"))(x), -kept) and torch.equal(x, kept)


def test_conjugates_and_gradients_stay_outside():
    module = JitneyModule(models.unary("Neg"))
    x = torch.randn(3, 4, requires_grad=True)
    y = module(x)
    assert not y.requires_grad and torch.equal(y, -x.detach())
    imaginary = torch.randn(3, 4, dtype=torch.complex64).conj().imag
    assert imaginary.is_neg() and torch.equal(module(imaginary), -imaginary)


def test_several_outputs_come_as_a_tuple_in_the_order_asked_for():
    a, b = torch.randn(2, 3), torch.randn(2, 3)
    y = JitneyModule(models.sum_and_difference())(a, b)
    assert isinstance(y, tuple) and torch.equal(y[0], a + b) and torch.equal(y[1], a - b)
    swapped = JitneyModule(models.sum_and_difference(), ["b", "a"], ["difference", "sum"])
    y = swapped(b, a)
    assert torch.equal(y[0], a - b) and torch.equal(y[1], a + b)


def test_outputs_are_not_overwritten_by_the_next_call():
    module = JitneyModule(models.unary("Neg"))
    first = module(torch.ones(2, 4))
    module(torch.zeros(2, 4))
    assert torch.equal(first, -torch.ones(2, 4))


def test_an_input_given_back_is_not_changed_when_the_input_is():
    module = JitneyModule(models.unary("Identity"))
    x = torch.ones(2, 4)
    y = module(x)
    x.zero_()
    assert torch.equal(y, torch.ones(2, 4))


def test_shapes_that_follow_from_data():
    module = JitneyModule(models.nonzero(), requires_output_allocator=True)
    x = torch.tensor([[0.0, 1, 0, 2], [0, 0, 3, 0]])
    assert torch.equal(module(x), x.nonzero().t())
    assert module(torch.zeros(2, 4)).shape == (2, 0)


def test_weights():
    weight = np.random.default_rng(0).standard_normal((8, 5)).astype(np.float32)
    x = torch.randn(7, 8)
    torch.testing.assert_close(JitneyModule(models.matmul(weight))(x), (x @ torch.from_numpy(weight) + 1).relu())


def test_inside_another_module():
    net = torch.nn.Sequential(torch.nn.Linear(6, 4), JitneyModule(models.unary("Neg")), torch.nn.ReLU())
    x = torch.randn(3, 6)
    torch.testing.assert_close(net(x), (-net[0](x)).relu())
    assert [name for name, _ in net.named_parameters()] == ["0.weight", "0.bias"]


@pytest.mark.parametrize("inputs, words", [
    ((), "engine 'neg' expects 1 inputs (x), found 0"),
    ((torch.ones(2, 4),) * 2, "found 2"),
    ((torch.ones(2, 4, dtype=torch.float64),), "input 'x' of engine 'neg' must have dtype torch.float32, found"),
    ((torch.ones(2, 4, dtype=torch.complex64),), "must have dtype torch.float32"),
    ((torch.ones(2, 4).to_sparse(),), "must be dense"),
    ((torch.ones(4),), "'x'"),
    ((torch.ones(2, 5),), "'x'"),
    ((torch.ones(2, 4, device="meta"),), "'x'"),
])
def test_O2_what_is_wrong_with_an_input(inputs, words):
    with pytest.raises(UserError) as error:
        JitneyModule(models.unary("Neg"), name="neg")(*inputs)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_O2_what_is_no_tensor():
    with pytest.raises(TypeError, match="input 'x' of engine 'neg' must be a torch.Tensor, found str"):
        JitneyModule(models.unary("Neg"), name="neg")("x")


def test_names_that_the_engine_has_not():
    with pytest.raises(UserError, match="input_binding_names of engine 'neg' must name each of its inputs"):
        JitneyModule(models.unary("Neg"), ["z"], ["y"], name="neg")


def test_O3_many_threads():
    module = JitneyModule(models.unary("Neg"))
    failures = []

    def work(seed):
        generator = torch.Generator().manual_seed(seed)
        for rows in range(1, 40):
            x = torch.randn(rows, 4, generator=generator)
            if not torch.equal(module(x), -x):
                failures.append((seed, rows))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
