# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""NaN, infinities and rounding as eager has them."""
import pytest
import torch
import torch.nn.functional as F

POOLS = {"1d": (lambda x: F.max_pool1d(x, 2), (1, 1, 4)), "2d": (lambda x: F.max_pool2d(x, 2), (1, 1, 4, 4)),
         "3d": (lambda x: F.max_pool3d(x, 2), (1, 1, 4, 4, 4)), "padded": (lambda x: F.max_pool2d(x, 3, 2, 1), (1, 16, 9, 9))}


@pytest.mark.parametrize("kind", POOLS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("value", [float("nan"), -float("inf"), float("inf")])
def test_maxima_of_windows(kind, dtype, value, fresh_dynamo):
    pool, shape = POOLS[kind]
    x = torch.full(shape, value, dtype=dtype)
    x.view(-1)[0] = 1
    found = torch.compile(pool, backend="jitney", options={"min_block_size": 1})(x)
    torch.testing.assert_close(found, pool(x), rtol=0, atol=0, equal_nan=True)
