# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Trains the digits model and writes everything the demo and the tests need beside this file.

Run it with the packages of requirements-bench.txt:  python models/digits/train.py
It takes a few seconds on a CPU and gives the same split and the same seed every time.

Writes
  digits.onnx       images [batch, 1, 8, 8] float32 in 0..1  ->  logits [batch, 10] float32
  test_images.npy   the held-out images, as the model takes them
  test_labels.npy   their labels, int64
  accuracy.json     PyTorch's own accuracy and its prediction for each held-out image
"""
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "tools"))
from models import clean  # noqa: E402
SEED = 0
HELD_OUT = 360  # of 1797
EPOCHS = 30


class Digits(nn.Module):
    """Two convolutions with batch normalization, then one linear layer: about 6,000 weights."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.norm1 = nn.BatchNorm2d(16)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.norm2 = nn.BatchNorm2d(32)
        self.pool = nn.MaxPool2d(2)
        self.classify = nn.Linear(32 * 2 * 2, 10)

    def forward(self, images):
        x = self.pool(torch.relu(self.norm1(self.conv1(images))))
        x = self.pool(torch.relu(self.norm2(self.conv2(x))))
        return self.classify(x.flatten(1))


def train(model, images, labels):
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    loss = nn.CrossEntropyLoss()
    generator = torch.Generator().manual_seed(SEED)
    model.train()
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(images), generator=generator).split(64):
            optimizer.zero_grad()
            loss(model(images[batch]), labels[batch]).backward()
            optimizer.step()
    model.eval()


def export(model, path):
    batch = torch.export.Dim("batch", min=1)
    torch.onnx.export(model, (torch.zeros(2, 1, 8, 8),), path, input_names=["images"], output_names=["logits"],
                      dynamic_shapes=({0: batch},), dynamo=True, external_data=False, verbose=False)
    proto = onnx.load(path)
    clean(proto)
    onnx.checker.check_model(proto, full_check=True)
    onnx.save(proto, path)


def main():
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    data = load_digits()
    images = (data.images[:, None] / 16).astype(np.float32)
    labels = data.target.astype(np.int64)
    train_x, test_x, train_y, test_y = train_test_split(images, labels, test_size=HELD_OUT, random_state=SEED,
                                                        stratify=labels)
    model = Digits()
    train(model, torch.from_numpy(train_x), torch.from_numpy(train_y))
    with torch.no_grad():
        predicted = model(torch.from_numpy(test_x)).argmax(1).numpy()
    correct = int((predicted == test_y).sum())

    export(model, str(HERE / "digits.onnx"))
    np.save(HERE / "test_images.npy", test_x)
    np.save(HERE / "test_labels.npy", test_y)
    summary = {"framework": f"PyTorch {torch.__version__.split('+')[0]}", "images": HELD_OUT, "correct": correct,
               "accuracy": correct / HELD_OUT, "predictions": predicted.tolist()}
    (HERE / "accuracy.json").write_text(json.dumps(summary) + "\n")
    print(f"{correct} of {HELD_OUT} held-out images right ({100 * correct / HELD_OUT:.2f} %)")


if __name__ == "__main__":
    main()
