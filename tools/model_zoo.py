# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The PyTorch models behind tests/models, and how each is exported. Used by `tools/models.py export`."""
import tempfile
from pathlib import Path

import onnx
import torch
import torchvision
from torch import nn
from torch.nn import functional

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tests" / "models"
BENCH_FOLDER = ROOT / "bench" / "models"  # too large to be filled with weights in every test run


class Mlp(nn.Sequential):
    """1024 -> 4096 -> 1024 with GELU between."""

    def __init__(self):
        super().__init__(nn.Linear(1024, 4096), nn.GELU(), nn.Linear(4096, 1024))


class Block(nn.Module):
    """One pre-norm encoder layer."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.expand = nn.Linear(width, 4 * width)
        self.contract = nn.Linear(4 * width, width)

    def forward(self, x):
        batch, length, width = x.shape
        qkv = self.qkv(self.norm1(x)).view(batch, length, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        attended = functional.scaled_dot_product_attention(q, k, v)
        x = x + self.project(attended.transpose(1, 2).reshape(batch, length, width))
        return x + self.contract(functional.gelu(self.expand(self.norm2(x))))


class Encoder(nn.Module):
    """Token ids [batch, sequence] -> hidden states [batch, sequence, width]."""

    def __init__(self, layers=6, width=384, heads=6, words=1000, positions=512):
        super().__init__()
        self.words = nn.Embedding(words, width)
        self.positions = nn.Embedding(positions, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, ids):
        x = self.words(ids) + self.positions(torch.arange(ids.shape[1], device=ids.device))
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


class DecoderBlock(nn.Module):
    """One pre-norm layer that sees what its cache holds, [batch, heads, past, width / heads] of keys and of values."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.expand = nn.Linear(width, 4 * width)
        self.contract = nn.Linear(4 * width, width)

    def forward(self, x, past_key, past_value):
        batch, length, width = x.shape
        q, k, v = (part.view(batch, length, self.heads, width // self.heads).transpose(1, 2)
                   for part in self.qkv(self.norm1(x)).split(width, dim=2))
        key, value = torch.cat([past_key, k], dim=2), torch.cat([past_value, v], dim=2)
        attended = functional.scaled_dot_product_attention(q, key, value)
        x = x + self.project(attended.transpose(1, 2).reshape(batch, length, width))
        return x + self.contract(functional.gelu(self.expand(self.norm2(x)), approximate="tanh")), key, value


class DecoderStep(nn.Module):
    """The next token's logits, in the shape of GPT-2: one id [batch, 1] and each layer's cache -> logits
    [batch, 1, words] and each layer's cache, one position longer."""

    def __init__(self, layers=12, width=768, heads=12, words=50257, positions=1024):
        super().__init__()
        self.words = nn.Embedding(words, width)
        self.positions = nn.Embedding(positions, width)
        self.blocks = nn.ModuleList(DecoderBlock(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.logits = nn.Linear(width, words, bias=False)

    def forward(self, ids, *caches):
        x = self.words(ids) + self.positions(torch.full_like(ids, caches[0].shape[2]))
        present = []
        for block, key, value in zip(self.blocks, caches[::2], caches[1::2]):
            x, *longer = block(x, key, value)
            present += longer
        return self.logits(self.norm(x)), *present


def torch_encoder():
    """PyTorch's own encoder, whose attention is written out in another way."""
    layer = nn.TransformerEncoderLayer(384, 6, 1536, activation="gelu", batch_first=True)
    return nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)


IMAGE = ("images", lambda: torch.randn(2, 3, 224, 224), {0: "batch"})
VECTOR = ("x", lambda: torch.randn(2, 1024), {0: "batch"})
IDS = ("ids", lambda: torch.randint(0, 1000, (2, 16)), {0: "batch", 1: "sequence"})
CACHES = [("ids", lambda: torch.randint(0, 1000, (2, 1)), {0: "batch"})] + [
    (f"past_{part}_{layer}", lambda: torch.randn(2, 12, 16, 64), {0: "batch", 2: "past"})
    for layer in range(12) for part in ("key", "value")]
STATES = ("x", lambda: torch.randn(2, 16, 384), {0: "batch", 1: "sequence"})

# name: (model, input or list of inputs, exporter, opset); opset None is the exporter's own default
MODELS = {
    "mlp": (Mlp, VECTOR, "dynamo", None),
    "resnet18": (torchvision.models.resnet18, IMAGE, "dynamo", None),
    "mobilenet_v2": (torchvision.models.mobilenet_v2, IMAGE, "dynamo", None),
    "encoder": (Encoder, IDS, "dynamo", None),
    "torch_encoder": (torch_encoder, STATES, "dynamo", None),
    "resnet18_torchscript": (torchvision.models.resnet18, IMAGE, "torchscript", 11),
    "encoder_torchscript": (Encoder, IDS, "torchscript", 17),
    "resnet50": (torchvision.models.resnet50, IMAGE, "dynamo", None),
    "encoder_12x768": (lambda: Encoder(12, 768, 12), IDS, "dynamo", None),
    "vit_b_16": (torchvision.models.vit_b_16, IMAGE, "dynamo", None),
    "gpt2_step": (DecoderStep, CACHES, "dynamo", None),
}
BENCH_ONLY = {"resnet50", "encoder_12x768", "vit_b_16", "gpt2_step"}


def export_one(name, path):
    make, inputs, exporter, opset = MODELS[name]
    inputs = inputs if isinstance(inputs, list) else [inputs]
    torch.manual_seed(0)
    torch.backends.mha.set_fastpath_enabled(False)
    model = make().eval()
    # Fresh weights are often equal (ones, zeros, copied layers), and exporters merge equal ones: a trained model's differ.
    with torch.no_grad():
        for value in [*model.parameters(), *(b for b in model.buffers() if b.is_floating_point())]:
            value.add_(torch.rand_like(value) / 100)
    names = [input_name for input_name, _, _ in inputs]
    outputs = ["output"] + [f"present_{n.removeprefix('past_')}" for n in names[1:]]
    examples = tuple(example() for _, example, _ in inputs)
    common = {"input_names": names, "output_names": outputs, "opset_version": opset}
    if exporter == "dynamo":
        if name == "torch_encoder":
            shapes = [{axis: torch.export.Dim.DYNAMIC for axis in axes} for _, _, axes in inputs]
        else:
            labels = {label: torch.export.Dim(label, min=1) for _, _, axes in inputs for label in axes.values()}
            shapes = [{axis: labels[label] for axis, label in axes.items()} for _, _, axes in inputs]
        if len(shapes) > 1:
            shapes = [shapes[0], tuple(shapes[1:])]  # forward(self, ids, *caches)
        torch.onnx.export(model, examples, path, dynamic_shapes=tuple(shapes), dynamo=True, external_data=False,
                          verbose=False, **common)
    else:
        torch.onnx.export(model, examples, path, dynamic_axes={names[0]: inputs[0][2], "output": inputs[0][2]},
                          dynamo=False,
                          # Left as batch normalizations, so that the importer sees them too.
                          do_constant_folding=False, training=torch.onnx.TrainingMode.PRESERVE, **common)


def export(names, strip):
    for name in names or MODELS:
        target = (BENCH_FOLDER if name in BENCH_ONLY else FOLDER) / f"{name}.onnx"
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "full.onnx")
            export_one(name, path)
            proto = onnx.load(path)
        onnx.checker.check_model(proto)
        onnx.save(strip(proto), target)
        print(f"{name}: opset {proto.opset_import[0].version}, {len(proto.graph.node)} nodes, "
              f"{target.stat().st_size} bytes")
