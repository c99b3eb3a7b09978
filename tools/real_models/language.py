# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Models of transformers from a configuration, with random weights: real widths, fewer layers, dynamic extents."""
import torch
import transformers as tf
from real_models.spec import Spec, batch, sequence

TOKENS = 1000
QUIET = {"attn_implementation": "sdpa"}


class Only(torch.nn.Module):
    """One field of a model's output."""

    def __init__(self, model, *fields):
        super().__init__()
        self.model, self.fields = model, fields

    def forward(self, *inputs):
        found = self.model(*inputs)
        result = tuple(getattr(found, field) for field in self.fields)
        return result[0] if len(result) == 1 else result


class WithCache(torch.nn.Module):
    """One step of a decoder: tokens, and the keys and values of all layers so far; gives logits and the new ones."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, ids, *past):
        cache = tf.DynamicCache()
        for layer in range(len(past) // 2):
            cache.update(past[2 * layer], past[2 * layer + 1], layer)
        found = self.model(input_ids=ids, past_key_values=cache, use_cache=True)
        present = [t for layer in found.past_key_values.layers for t in (layer.keys, layer.values)]
        return found.logits, *present


class Decoder(torch.nn.Module):
    """Tokens and a mask to logits, no cache."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, ids, mask):
        return self.model(input_ids=ids, attention_mask=mask, use_cache=False).logits


class Seq2Seq(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, ids, decoder_ids):
        return self.model(input_ids=ids, decoder_input_ids=decoder_ids, use_cache=False).logits


class Clip(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, ids, images, mask):
        return self.model(input_ids=ids, pixel_values=images, attention_mask=mask).logits_per_image


def ids(n, length):
    return torch.randint(3, TOKENS, (n, length))


def mask(n, length):
    """The last row is two shorter than the others."""
    result = torch.ones(n, length, dtype=torch.int64)
    result[-1, length - min(2, length - 1):] = 0
    return result


def bert():
    return Only(tf.BertModel(tf.BertConfig(num_hidden_layers=4, vocab_size=TOKENS), add_pooling_layer=True),
                "last_hidden_state", "pooler_output")


def gpt2():
    return WithCache(tf.GPT2LMHeadModel(tf.GPT2Config(n_layer=4, vocab_size=TOKENS)))


def _gpt2_inputs(size):
    n, length, past = size
    return (ids(n, length), *(torch.randn(n, 12, past, 64) for _ in range(8)))


def t5():
    return Seq2Seq(tf.T5ForConditionalGeneration(tf.T5Config(vocab_size=TOKENS, num_layers=4,
                                                             decoder_start_token_id=0)))


def whisper():
    return Only(tf.WhisperModel(tf.WhisperConfig(vocab_size=TOKENS, pad_token_id=0, bos_token_id=1, eos_token_id=2,
                                                 decoder_start_token_id=1, encoder_layers=4, decoder_layers=1,
                                                 d_model=384, encoder_attention_heads=6,
                                                 decoder_attention_heads=6)).encoder, "last_hidden_state")


def clip():
    config = tf.CLIPConfig(text_config={"vocab_size": TOKENS, "num_hidden_layers": 4, "eos_token_id": 2, "bos_token_id": 0},
                           vision_config={"num_hidden_layers": 4})
    return Clip(tf.CLIPModel(config))


def llama():
    return Decoder(tf.LlamaForCausalLM(tf.LlamaConfig(
        vocab_size=TOKENS, hidden_size=1024, intermediate_size=2816, num_hidden_layers=4, num_attention_heads=16,
        num_key_value_heads=4)))


def qwen():
    return Decoder(tf.Qwen3ForCausalLM(tf.Qwen3Config(
        vocab_size=TOKENS, hidden_size=1024, intermediate_size=3072, num_hidden_layers=4, num_attention_heads=16,
        num_key_value_heads=8, head_dim=128)))


TEXT = {0: batch(), 1: sequence()}
PAST = {0: batch(), 2: sequence("past")}
SPECS = [
    Spec("bert", bert, lambda s: (ids(*s), mask(*s)), ((2, 33), (1, 128), (3, 7)), ((TEXT, TEXT),)),
    Spec("gpt2_cache", gpt2, _gpt2_inputs, ((2, 3, 17), (1, 1, 63), (1, 16, 5)), (TEXT, (PAST,) * 8)),
    Spec("t5", t5, lambda s: (ids(s[0], s[1]), ids(s[0], s[2])), ((2, 33, 9), (1, 64, 1)),
         (TEXT, {0: batch(), 1: sequence("target")})),
    Spec("whisper_encoder", whisper, lambda n: (torch.randn(n, 80, 3000),), (2, 1), (({0: batch()},),)),
    Spec("clip", clip, lambda s: (ids(s[0], s[1]), torch.randn(s[2], 3, 224, 224), mask(s[0], s[1])),
         ((3, 16, 2), (2, 7, 1)), ({0: batch("texts"), 1: sequence(most=77)}, {0: batch("images")},
                                   {0: batch("texts"), 1: sequence(most=77)})),
    Spec("llama", llama, lambda s: (ids(*s), mask(*s)), ((2, 33), (1, 128), (1, 1)), (TEXT, TEXT)),
    Spec("qwen3", qwen, lambda s: (ids(*s), mask(*s)), ((2, 33), (1, 128), (1, 1)), (TEXT, TEXT)),
]
