# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What nn.TransformerEncoderLayer becomes in evaluation: one operator, which PyTorch itself does not break up."""
from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F


def encoder_layer(src: Any, embed_dim: int, num_heads: int, qkv_weight: Any, qkv_bias: Any, proj_weight: Any,
                  proj_bias: Any, use_gelu: bool, norm_first: bool, eps: float, norm_weight_1: Any, norm_bias_1: Any,
                  norm_weight_2: Any, norm_bias_2: Any, ffn_weight_1: Any, ffn_bias_1: Any, ffn_weight_2: Any,
                  ffn_bias_2: Any, mask: Any = None, mask_type: int | None = None) -> Any:
    """aten._transformer_encoder_layer_fwd by smaller operators. With a mask it stays whole, and so in PyTorch."""
    if mask is not None or src.dim() != 3:
        return NotImplemented

    def attention(x: Any) -> Any:
        batch, length, _ = x.shape
        packed = F.linear(x, qkv_weight, qkv_bias).reshape(batch, length, 3, num_heads, embed_dim // num_heads)
        query, key, value = packed.permute(2, 0, 3, 1, 4).unbind(0)
        heads = F.scaled_dot_product_attention(query, key, value)
        return F.linear(heads.transpose(1, 2).reshape(batch, length, embed_dim), proj_weight, proj_bias)

    def feed_forward(x: Any) -> Any:
        hidden = F.linear(x, ffn_weight_1, ffn_bias_1)
        return F.linear(F.gelu(hidden) if use_gelu else F.relu(hidden), ffn_weight_2, ffn_bias_2)

    def norm_1(x: Any) -> Any:
        return F.layer_norm(x, (embed_dim,), norm_weight_1, norm_bias_1, eps)

    def norm_2(x: Any) -> Any:
        return F.layer_norm(x, (embed_dim,), norm_weight_2, norm_bias_2, eps)

    if norm_first:
        x = src + attention(norm_1(src))
        return x + feed_forward(norm_2(x))
    x = norm_1(src + attention(src))
    return norm_2(x + feed_forward(x))


DECOMPOSITIONS = {torch.ops.aten._transformer_encoder_layer_fwd.default: encoder_layer}
