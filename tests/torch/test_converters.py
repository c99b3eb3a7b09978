# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Overloads that PyTorch's samples do not reach, because tracing replaces them: one call each, as it may stand in a
graph, against eager."""
import opinfo
import pytest
import torch
from torch.fx import Graph, GraphModule

import jitney
from jitney.dynamo.conversion import converters

aten = torch.ops.aten


def f(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape) + 1))


def i(*shape, high=5):
    return torch.randint(0, high, shape, generator=torch.Generator().manual_seed(sum(shape)))


B = f(3, 4) > 0
IMAGE, LINE, CUBE = f(1, 2, 4, 4), f(1, 2, 5), f(1, 2, 3, 3, 3)
QKV = (f(1, 2, 3, 8), f(1, 2, 5, 8), f(1, 2, 5, 8))
STATS = (f(4), f(4), f(4), f(4).abs() + 1)
CALLS = [
    (aten.__lshift__.Scalar, (i(4), 2)), (aten.__lshift__.Tensor, (i(4), i(4))),
    (aten.__rshift__.Scalar, (i(4, high=99).int(), 2)), (aten.__rshift__.Tensor, (i(4, high=99).int(), i(4).int())),
    (aten.bitwise_left_shift.Tensor_Scalar, (i(4), 3)), (aten.bitwise_right_shift.Tensor_Scalar, (i(4).int(), 1)),
    (aten._fused_rms_norm.default, (f(3, 4), [4], f(4), 1e-5)), (aten._local_scalar_dense.default, None),
    (aten._native_batch_norm_legit.no_stats, (f(2, 4, 3), f(4), f(4), True, 0.1, 1e-5)),
    (aten._native_batch_norm_legit_no_training.default, (f(2, 4, 3), *STATS, 0.1, 1e-5)),
    (aten._reshape_copy.default, (f(3, 4), [2, 6])),
    (aten._scaled_dot_product_cudnn_attention.default, None), (aten._scaled_dot_product_flash_attention.default, None),
    (aten._scaled_dot_product_efficient_attention.default, None),
    (aten._scaled_dot_product_flash_attention_for_cpu.default, QKV),
    (aten.scaled_dot_product_attention.default, (*QKV, None, 0.0, True)),
    (aten._upsample_nearest_exact1d.vec, (LINE, [9], None)), (aten._upsample_nearest_exact2d.vec, (IMAGE, [7, 9], None)),
    (aten._upsample_nearest_exact3d.vec, (CUBE, [4, 5, 6], None)), (aten.upsample_nearest1d.vec, (LINE, None, [2.0])),
    (aten.upsample_nearest2d.vec, (IMAGE, [7, 9], None)), (aten.upsample_nearest3d.vec, (CUBE, [4, 5, 6], None)),
    (aten.upsample_linear1d.vec, (LINE, [9], True, None)), (aten.upsample_trilinear3d.vec, (CUBE, [4, 5, 6], False, None)),
    (aten.upsample_bilinear2d.vec, (IMAGE, None, False, [2.0, 3.0])),
    (aten.upsample_bicubic2d.vec, (IMAGE, [7, 9], False, None)),
    (aten.adaptive_avg_pool1d.default, (LINE, [3])), (aten.avg_pool1d.default, (LINE, [2], [2])),
    (aten.alias.default, (f(3),)), (aten.contiguous.default, (f(3),)), (aten.lift_fresh.default, (f(3),)),
    (aten.all.dims, (B, [0, 1])), (aten.argsort.default, (f(3, 4), 1)),
    (aten.bitwise_and.Scalar, (i(4), 3)), (aten.bitwise_or.Scalar, (i(4), 3)), (aten.bitwise_xor.Scalar, (i(4), 3)),
    (aten.bitwise_and.Scalar_Tensor, (3, i(4))), (aten.bitwise_or.Scalar_Tensor, (3, i(4))),
    (aten.bitwise_xor.Scalar_Tensor, (3, i(4))), (aten.clamp_max.default, (f(4), 0.5)),
    (aten.col2im.default, (f(1, 8, 9), [4, 4], [2, 2], [1, 1], [0, 0], [1, 1])), (aten.copysign.Scalar, (f(4), -1.0)),
    (aten.dropout.default, (f(4), 0.5, False)), (aten.native_dropout.default, (f(4), 0.5, False)),
    (aten.fill.Tensor, (f(4), torch.tensor(3.0))), (aten.fmod.Scalar, (f(4), 0.3)), (aten.linear.default, (f(3, 4), f(5, 4), f(5))),
    (aten.log_sigmoid.default, (f(4),)), (aten.log_softmax.int, (f(3, 4), 0)), (aten.logsumexp.default, (f(3, 4), [1])),
    (aten.prelu.default, (f(2, 4, 3), f(4))), (aten.relu6.default, (f(4) * 9,)), (aten.reshape.default, (f(3, 4), [-1])),
    (aten.remainder.Scalar_Tensor, (7, i(4) + 1)), (aten.scatter.value, (f(3, 4), 1, i(3, 2, high=4), 2.0)),
    (aten.scatter_reduce.two, (f(3, 4), 0, i(2, 4, high=3), f(2, 4), "amax")), (aten.std.dim, (f(3, 4), [1])),
    (aten.var.dim, (f(3, 4), [0], False)), (aten.tile.default, (f(3, 4), [2, 1, 3])), (aten.to.dtype, (f(4), torch.int32)),
    (aten.to.dtype_layout, None), (aten.empty_permuted.default, None), (aten.empty_strided.default, None),
    (aten.new_empty_strided.default, None), (aten.empty.memory_format, None), (aten.empty_like.default, None),
    (aten.new_empty.default, None),
    (aten.searchsorted.Scalar, (torch.tensor([1.0, 2, 4]), 2)), (aten.bucketize.Scalar, (3, torch.tensor([1, 3, 5]))),
    (aten.median.dim, (torch.tensor([[3.0, 1, 2], [6, 5, 4]]), 1)),
    (aten._embedding_bag.default, (torch.arange(8.0).reshape(4, 2), torch.tensor([0, 3, 1]), torch.tensor([0, 2]))),
]
# Without a call: kernels of other devices, numbers out of tensors, memory without contents.
NOT_CALLED = {str(target) for target, arguments in CALLS if arguments is None} | {
    "aten.argsort.stable", "aten.div.Scalar_mode", "aten.scatter.value_reduce"}


@pytest.mark.parametrize("target, arguments", [call for call in CALLS if call[1] is not None],
                         ids=[str(target) for target, arguments in CALLS if arguments is not None])
def test_call(target, arguments):
    expected = target(*arguments)
    graph, tensors, given = Graph(), [], []
    for argument in arguments:
        if isinstance(argument, torch.Tensor):
            node = graph.placeholder(f"x{len(tensors)}")
            node.meta["val"] = argument
            tensors.append(argument)
            argument = node
        given.append(argument)
    call = graph.call_function(target, tuple(given))
    call.meta["val"] = expected
    if isinstance(expected, torch.Tensor):
        graph.output(call)
    else:
        expected = expected[0]
        first = graph.call_function(opinfo.operator.getitem, (call, 0))
        first.meta["val"] = expected
        graph.output(first)
    case = opinfo.Case(str(target), str(target), torch.float32, GraphModule(torch.nn.Module(), graph), tensors, [expected])
    report = opinfo.Report()
    opinfo.convert_and_run([case], report)
    assert report.passed == 1 and not report.refused and report.steps > 0, (report.wrong, report.refused)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("dtype", [torch.int8, torch.float16, torch.float32, torch.int64, torch.bool], ids=str)
def test_sorting_is_stable(dtype, descending):
    x = i(8000, high=2 if dtype == torch.bool else 100).to(dtype)

    class Model(torch.nn.Module):
        def forward(self, x):
            return torch.sort(x, stable=True, descending=descending)

    compiled = jitney.compile(Model(), inputs=[x], min_block_size=1)
    assert not compiled.report.stayed
    values, order = compiled(x)
    wanted = torch.sort(x, stable=True, descending=descending)
    assert torch.equal(values, wanted.values) and torch.equal(order, wanted.indices)


def test_all_calls_are_of_converters():
    known = {str(target) for target in converters()}
    assert {str(target) for target, _ in CALLS} <= known and NOT_CALLED <= known
