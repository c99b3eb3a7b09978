# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Operators along a line whose edges PyTorch's own samples do not reach: NaN, ties, extents of 0 and 1, empty bags."""
import pytest
import torch

import jitney

NAN = float("nan")


@pytest.fixture(autouse=True)
def inference():
    with torch.no_grad():
        yield


class Wrapped(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *tensors):
        return self.function(*tensors)


def check(function, *tensors, dynamic=None, stays=()):
    module = jitney.compile(Wrapped(function).eval(), inputs=tensors, min_block_size=1,
                            **({} if dynamic is None else {"dynamic_shapes": (dynamic,)}))
    assert sorted({entry.operator for entry in module.report.stayed}) == sorted(stays)
    wanted = function(*tensors)
    for a, b in zip(torch.utils._pytree.tree_leaves(module(*tensors)), torch.utils._pytree.tree_leaves(wanted)):
        torch.testing.assert_close(a, b, equal_nan=True)
    return module


LINES = {"ties": torch.tensor([[1.0, 1, 3, 3, 2, 3]]), "nan": torch.tensor([[1.0, NAN, 3, NAN, 2, 5]]),
         "infinite": torch.tensor([[float("-inf"), 1, float("inf"), 2]]), "one": torch.tensor([[2.0]]),
         "none": torch.empty(2, 0), "ints": torch.tensor([[3, 3, -1, 7, 7, 7, 2]]), "bools": torch.tensor([[False, True, False]]),
         "long": torch.randn(3, 257, generator=torch.Generator().manual_seed(0)), "scalar": torch.tensor(4.0)}


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("function", [torch.cummax, torch.cummin], ids=["cummax", "cummin"])
def test_running_extremes(function, line):
    for dim in {-1, 0}:
        check(lambda x: tuple(function(x, dim)), LINES[line])


@pytest.mark.parametrize("line", ["nan", "none", "ints", "long"])
def test_running_products(line):
    check(lambda x: torch.cumprod(x / 2, -1), LINES[line])


def test_a_symbol_off_the_line_is_fine_and_on_it_stays():
    x = torch.randn(3, 5)
    module = check(lambda x: tuple(torch.cummax(x, 1)), x, dynamic=({0: torch.export.Dim.DYNAMIC},))
    y = torch.randn(7, 5)
    for a, b in zip(module(y), torch.cummax(y, 1)):
        torch.testing.assert_close(a, b)
    check(lambda x: tuple(torch.cummax(x.relu(), 0)), x, dynamic=({0: torch.export.Dim.DYNAMIC},),
          stays=["aten.cummax.default"])


@pytest.mark.parametrize("line", ["ties", "nan", "ints", "scalar"])
def test_medians(line):
    x = LINES[line]
    check(lambda x: x.median(), x)
    for keepdim in (False, True):
        check(lambda x: x.median(-1, keepdim).values, x)
    if x.dim():
        check(lambda x: x.median(0).indices, x, stays=["aten.median.dim"])


@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.int64], ids=str)
def test_places(right, dtype):
    line = torch.tensor([1, 2, 2, 4, 7]).to(dtype)
    x = torch.tensor([[0, 1, 2], [3, 7, 9]]).to(dtype)
    check(lambda line, x: torch.searchsorted(line, x, right=right), line, x)
    check(lambda line, x: torch.bucketize(x, line, right=right, out_int32=True), line, x)
    check(lambda line, x: torch.searchsorted(line, 2, right=right) + x.sum().long(), line, x)
    lines = torch.stack([line, line + 1])
    check(lambda lines, x: torch.searchsorted(lines, x, right=right), lines, x)
    order = torch.tensor([4, 0, 3, 1, 2])
    check(lambda line, x, order: torch.searchsorted(line, x, right=right, sorter=order), line[torch.argsort(order)], x, order)
    check(lambda line, x: torch.searchsorted(line, x, right=right), line[:0], x)
    check(lambda line, x: torch.searchsorted(line, x, right=right), line, x[:0])


def test_places_of_nan_and_infinities():
    line = torch.tensor([float("-inf"), 0.0, 1, float("inf")])
    for right in (False, True):
        check(lambda line, x: torch.searchsorted(line, x, right=right), line, torch.tensor([NAN, float("inf"), float("-inf"), 0.5]))


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("options", [{}, {"padding_idx": 2}, {"include_last_offset": True}], ids=str)
def test_bags(mode, options):
    weight = torch.randn(6, 4, generator=torch.Generator().manual_seed(1))
    indices = torch.tensor([0, 2, 2, 5, 1, 2])
    offsets = torch.tensor([0, 2, 2, 5])  # the second is empty
    if options.get("include_last_offset"):
        offsets = torch.tensor([0, 2, 2, 5, 6])
    check(lambda w, i, o: torch.nn.functional.embedding_bag(i, w, o, mode=mode, **options), weight, indices, offsets)
    check(lambda w, i: torch.nn.functional.embedding_bag(i, w, mode=mode), weight, indices.reshape(2, 3))
    if mode == "sum":
        scale = torch.tensor([1.0, -2, 0.5, 3, 4, 5])
        check(lambda w, i, o, s: torch.nn.functional.embedding_bag(i, w, o, mode=mode, per_sample_weights=s, **options),
              weight, indices, offsets, scale)


def test_an_index_out_of_range_is_an_error():
    module = check(lambda w, i: torch.nn.functional.embedding_bag(i, w), torch.randn(4, 2), torch.tensor([[0, 3]]))
    with pytest.raises(ValueError, match="out of range"):
        module(torch.randn(4, 2), torch.tensor([[0, 9]]))
