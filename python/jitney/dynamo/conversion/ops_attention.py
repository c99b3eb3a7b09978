# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Scaled dot product attention under the names that PyTorch's kernels have."""
from __future__ import annotations

import math
from typing import Any

import torch

from .registry import converter
from .values import FLOATS, Unsupported, Value
from .writer import GraphWriter

aten = torch.ops.aten


def attention(b: GraphWriter, q: Value, k: Value, v: Value, mask: Value | None = None, dropout_p: float = 0.0,
              is_causal: bool = False, *, scale: float | None = None, enable_gqa: bool = False) -> Value:
    if dropout_p:
        raise Unsupported("attention with dropout")
    assert q.shape is not None and k.shape is not None and v.shape is not None
    if any(value.rank < 4 for value in (q, k, v)) or q.rank > 4:
        return _plain(b, q, k, v, mask, is_causal, scale)
    # PyTorch aligns the causal mask at the upper left, which is what the operator does without a past.
    if mask is not None and mask.dtype != torch.bool:
        mask = b.Cast(mask, q.dtype)
    return b.Attention(q, k, v, mask, is_causal=int(is_causal), scale=None if scale is None else float(scale),
                       softmax_precision=1 if q.dtype in (torch.float16, torch.bfloat16) else None)


def _plain(b: GraphWriter, q: Value, k: Value, v: Value, mask: Value | None, is_causal: bool,
           scale: float | None) -> Value:
    """Of any rank: the products and the softmax."""
    assert q.shape is not None and k.shape is not None
    factor = math.sqrt(1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    order = [*range(k.rank - 2), k.rank - 1, k.rank - 2]
    qf, kf, vf = map(b.wide, (q, k, v))
    scores = b.MatMul(b.Mul(qf, factor), b.Mul(b.transpose(kf, order), factor))
    if is_causal:
        rows = b.Range(b.scalar(0, torch.int64), b.dim(q.shape[-2]), b.scalar(1, torch.int64))
        columns = b.Range(b.scalar(0, torch.int64), b.dim(k.shape[-2]), b.scalar(1, torch.int64))
        seen = b.GreaterOrEqual(b.Unsqueeze(rows, b.ints([1])), columns)
        scores = b.Where(seen, scores, b.scalar(float("-inf"), scores.dtype))
    if mask is not None:
        if mask.dtype == torch.bool:
            scores = b.Where(mask, scores, b.scalar(float("-inf"), scores.dtype))
        else:
            scores = b.Add(scores, b.Cast(mask, scores.dtype))
    return b.MatMul(b.Softmax(scores, axis=-1), vf)


converter(aten.scaled_dot_product_attention.default, dtypes=FLOATS | {torch.bool})(attention)


@converter(aten._scaled_dot_product_flash_attention_for_cpu.default, dtypes=FLOATS | {torch.bool})
def flash_for_cpu(b: GraphWriter, q: Value, k: Value, v: Value, dropout_p: float = 0.0, is_causal: bool = False, *,
                  attn_mask: Value | None = None, scale: float | None = None) -> tuple[Value, None]:
    return attention(b, q, k, v, attn_mask, dropout_p, is_causal, scale=scale), None


@converter(aten._scaled_dot_product_flash_attention.default, dtypes=FLOATS)
def flash(b: GraphWriter, q: Value, k: Value, v: Value, dropout_p: float = 0.0, is_causal: bool = False,
          return_debug_mask: bool = False, *, scale: float | None = None) -> tuple[Value | None, ...]:
    return attention(b, q, k, v, None, dropout_p, is_causal, scale=scale), *[None] * 8


@converter(aten._scaled_dot_product_efficient_attention.default, aten._scaled_dot_product_cudnn_attention.default,
           dtypes=FLOATS)
def efficient(b: GraphWriter, q: Value, k: Value, v: Value, attn_bias: Value | None, compute_log_sumexp: bool,
              dropout_p: float = 0.0, is_causal: bool = False, *rest: Any,
              scale: float | None = None) -> tuple[Value | None, ...]:
    count = len(b.result())
    return attention(b, q, k, v, attn_bias, dropout_p, is_causal, scale=scale), *[None] * (count - 1)
