# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""NaN, infinities and rounding as eager has them."""
import pytest
import torch
import torch.nn.functional as F

POOLS = {"1d": (lambda x: F.max_pool1d(x, 2), (1, 1, 4)), "2d": (lambda x: F.max_pool2d(x, 2), (1, 1, 4, 4)),
         "3d": (lambda x: F.max_pool3d(x, 2), (1, 1, 4, 4, 4)),
         "padded": (lambda x: F.max_pool2d(x, 3, 2, 1), (1, 16, 9, 9))}


ROUNDINGS = {
    "bfloat16": lambda x: x.bfloat16().float(),
    "float16": lambda x: x.half().float(),
    "both": lambda x: x.half() + x.bfloat16(),
    "one after the other": lambda x: x.half().bfloat16().double(),
    "what is lost": lambda x: x - x.bfloat16().float(),
    "then a sum": lambda x: x.bfloat16().float().sum(-1),
    "then a product": lambda x: x.half().float() @ torch.eye(x.shape[-1]),
    "behind a product": lambda x: (x @ torch.eye(x.shape[-1])).bfloat16().float() + 1,
    "and stored": lambda x: (x.half(), x.half().float() * 2),
    "of a view": lambda x: x.bfloat16().float().t().contiguous(),
    "of doubles": lambda x: x.double().half().double(),
    "behind an activation": lambda x: x.half().float().sigmoid().half().float(),
    "behind another": lambda x: F.gelu(x.bfloat16().float()).bfloat16().float() * 2,
    "of integers": lambda x: (x * 1000).int().bfloat16().float(),
}


@pytest.mark.parametrize("name", ROUNDINGS)
def test_casts_round(name, fresh_dynamo):
    torch.manual_seed(0)
    x = torch.randn(37, 37)
    found = torch.compile(ROUNDINGS[name], backend="jitney", options={"min_block_size": 1})(x)
    torch.testing.assert_close(found, ROUNDINGS[name](x), rtol=1e-6, atol=1e-5 if "product" in name or "sum" in name else 0)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_casts_of_special_values_round(dtype, fresh_dynamo):
    x = torch.tensor([float("nan"), float("inf"), -float("inf"), 70000.0, 3.4e38, 1e-8, -1e-41, -0.0, 0.0, 65519.9])
    found = torch.compile(lambda x: x.to(dtype).float(), backend="jitney", options={"min_block_size": 1})(x)
    torch.testing.assert_close(found, x.to(dtype).float(), rtol=0, atol=1e-37, equal_nan=True)


@pytest.mark.cuda
@pytest.mark.parametrize("name", [name for name in ROUNDINGS if "product" not in name])  # which have a matrix on the CPU
def test_casts_round_on_a_gpu(name, fresh_dynamo):
    torch.manual_seed(0)
    x = torch.randn(37, 37, device="cuda")
    function = ROUNDINGS[name]
    found = torch.compile(function, backend="jitney", options={"min_block_size": 1})(x)
    torch.testing.assert_close(found, function(x), rtol=1e-6, atol=1e-5 if "sum" in name else 0)


@pytest.mark.cuda
@pytest.mark.parametrize("kind", POOLS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize("value", [float("nan"), -float("inf"), float("inf")])
def test_maxima_of_windows_on_a_gpu(kind, dtype, value, fresh_dynamo):
    pool, shape = POOLS[kind]
    x = torch.full(shape, value, dtype=dtype, device="cuda")
    x.view(-1)[0] = 1
    found = torch.compile(pool, backend="jitney", options={"min_block_size": 1})(x)
    torch.testing.assert_close(found, pool(x), rtol=0, atol=0, equal_nan=True)
