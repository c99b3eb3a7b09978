# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The models: small configurations of real architectures, with the inputs that they are traced with and other sizes of
these. Nothing is downloaded."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

DYNAMIC = torch.export.Dim.DYNAMIC


@dataclass
class Model:
    """`inputs(batch, length)` gives tensors; `dynamic` says for torch.export which of their extents may change."""

    module: torch.nn.Module
    inputs: Callable[[int, int], tuple[Any, ...]]
    dynamic: Any
    sizes: tuple[tuple[int, int], ...] = ((2, 8), (3, 13), (1, 5))


class First(torch.nn.Module):
    """A model of transformers with tensors in and tensors out."""

    def __init__(self, model: torch.nn.Module, *results: str, **options: Any) -> None:
        super().__init__()
        self.model, self.results, self.options = model, results, options

    def forward(self, *inputs: torch.Tensor) -> Any:
        found = self.model(*inputs, **self.options)
        values = tuple(found[name] for name in self.results)
        return values[0] if len(values) == 1 else values


class Cached(torch.nn.Module):
    """A decoder's step: past keys and values come in, those with the new tokens go out."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: torch.Tensor, past: list[tuple[torch.Tensor, torch.Tensor]]) -> Any:
        from transformers import DynamicCache

        cache = DynamicCache()
        for layer, (key, value) in enumerate(past):
            cache.update(key, value, layer)
        found = self.model(input_ids=ids, past_key_values=cache, use_cache=True)
        present = [(layer.keys, layer.values) for layer in found.past_key_values.layers]
        return found.logits, present


class Named(torch.nn.Module):
    """Arguments by name."""

    def __init__(self, model: torch.nn.Module, names: tuple[str, ...], *results: str) -> None:
        super().__init__()
        self.model, self.names, self.results = model, names, results

    def forward(self, *inputs: torch.Tensor) -> Any:
        found = self.model(**dict(zip(self.names, inputs)))
        values = tuple(found[name] for name in self.results)
        return values[0] if len(values) == 1 else values


def _image(module: torch.nn.Module, size: int = 64) -> Model:
    return Model(module, lambda batch, _: (torch.rand(batch, 3, size, size),), ({0: DYNAMIC},),
                 ((2, 0), (3, 0), (1, 0)))


def _ids(batch: int, length: int, vocabulary: int = 100) -> torch.Tensor:
    return torch.randint(1, vocabulary, (batch, length))


_TOKENS = {0: DYNAMIC, 1: DYNAMIC}


def resnet18() -> Model:
    import torchvision

    return _image(torchvision.models.resnet18())


def mobilenet_v2() -> Model:
    import torchvision

    return _image(torchvision.models.mobilenet_v2())


def efficientnet_b0() -> Model:
    import torchvision

    return _image(torchvision.models.efficientnet_b0())


def vit_b_16() -> Model:
    from torchvision.models.vision_transformer import VisionTransformer

    return _image(VisionTransformer(image_size=64, patch_size=16, num_layers=3, num_heads=4, hidden_dim=64,
                                    mlp_dim=128, num_classes=10))


def swin_t() -> Model:
    from torchvision.models.swin_transformer import SwinTransformer

    return _image(SwinTransformer(patch_size=[4, 4], embed_dim=32, depths=[2, 2], num_heads=[2, 4], window_size=[4, 4],
                                  num_classes=10))


_SMALL = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128,
          "vocab_size": 100}


def bert() -> Model:
    from transformers import BertConfig, BertModel

    return Model(Named(BertModel(BertConfig(**_SMALL)), ("input_ids", "attention_mask"), "last_hidden_state",
                       "pooler_output"),
                 lambda batch, length: (_ids(batch, length), _mask(batch, length)), ((_TOKENS, _TOKENS),))


def _mask(batch: int, length: int) -> torch.Tensor:
    mask = torch.ones(batch, length, dtype=torch.int64)
    mask[0, length - 2:] = 0
    return mask


def gpt2_cache() -> Model:
    from transformers import GPT2Config, GPT2LMHeadModel

    layers, heads = 2, 4
    model = GPT2LMHeadModel(GPT2Config(n_embd=64, n_layer=layers, n_head=heads, vocab_size=100, n_positions=64))

    def inputs(batch: int, length: int) -> tuple[Any, ...]:
        past = [(torch.randn(batch, heads, length, 16), torch.randn(batch, heads, length, 16)) for _ in range(layers)]
        return _ids(batch, 3), past

    held = {0: DYNAMIC, 2: DYNAMIC}
    return Model(Cached(model), inputs, ({0: DYNAMIC}, [(held, held)] * layers))


def llama_cache() -> Model:
    from transformers import LlamaConfig, LlamaForCausalLM

    layers = 2
    model = LlamaForCausalLM(LlamaConfig(**_SMALL, num_key_value_heads=2, max_position_embeddings=64))

    def inputs(batch: int, length: int) -> tuple[Any, ...]:
        past = [(torch.randn(batch, 2, length, 16), torch.randn(batch, 2, length, 16)) for _ in range(layers)]
        return _ids(batch, 3), past

    held = {0: DYNAMIC, 2: DYNAMIC}
    return Model(Cached(model), inputs, ({0: DYNAMIC}, [(held, held)] * layers))


def llama() -> Model:
    from transformers import LlamaConfig, LlamaForCausalLM

    model = LlamaForCausalLM(LlamaConfig(**_SMALL, num_key_value_heads=2, max_position_embeddings=64, use_cache=False))
    return Model(First(model, "logits", use_cache=False), lambda batch, length: (_ids(batch, length),), ((_TOKENS,),))


def t5_encoder() -> Model:
    from transformers import T5Config, T5EncoderModel

    model = T5EncoderModel(T5Config(d_model=64, d_kv=16, d_ff=128, num_layers=2, num_heads=4, vocab_size=100))
    return Model(First(model, "last_hidden_state"), lambda batch, length: (_ids(batch, length),), ((_TOKENS,),))


def whisper_encoder() -> Model:
    from transformers import WhisperConfig
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    model = WhisperEncoder(WhisperConfig(d_model=64, encoder_layers=2, encoder_attention_heads=4, encoder_ffn_dim=128,
                                         num_mel_bins=20, max_source_positions=30))
    return Model(First(model, "last_hidden_state"), lambda batch, _: (torch.randn(batch, 20, 60),),
                 (({0: DYNAMIC},),), ((2, 0), (3, 0), (1, 0)))


def clip() -> Model:
    from transformers import CLIPConfig, CLIPModel

    sizes = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = CLIPConfig(text_config={**sizes, "vocab_size": 100, "max_position_embeddings": 32, "eos_token_id": 2},
                        vision_config={**sizes, "image_size": 32, "patch_size": 8}, projection_dim=32)
    model = Named(CLIPModel(config), ("input_ids", "pixel_values"), "logits_per_image", "text_embeds")
    return Model(model, lambda batch, length: (_ids(batch, length), torch.rand(batch, 3, 32, 32)),
                 ((_TOKENS, {0: DYNAMIC}),))


MODELS: dict[str, Callable[[], Model]] = {
    f.__name__: f for f in (resnet18, mobilenet_v2, efficientnet_b0, vit_b_16, swin_t, bert, gpt2_cache, t5_encoder,
                            whisper_encoder, clip, llama, llama_cache)
}
