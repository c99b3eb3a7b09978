# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Export a model, look at what would run where, compile it, save it in three formats; and run such a file elsewhere.

    python examples/export_and_save.py save FOLDER
    python examples/export_and_save.py run FOLDER/model.ep     # or model.ts, model.pt2: another process, no model code
"""
from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import jitney
import torch


class Classifier(torch.nn.Module):
    """A small convolutional network with random weights."""

    def __init__(self) -> None:
        super().__init__()
        self.features = torch.nn.Sequential(
            torch.nn.Conv2d(1, 16, 3, padding=1), torch.nn.BatchNorm2d(16), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
            torch.nn.Conv2d(16, 32, 3, padding=1), torch.nn.ReLU())
        self.head = torch.nn.Linear(32, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(images).mean((2, 3))).log_softmax(-1)


FORMATS = {"model.ep": "exported_program", "model.ts": "torchscript", "model.pt2": "aot_inductor"}


def save(folder: Path) -> None:
    torch.manual_seed(0)
    model = Classifier().eval()
    images = torch.randn(4, 1, 8, 8)
    batch = torch.export.Dim("batch", min=1, max=64)
    program = torch.export.export(model, (images,), dynamic_shapes=({0: batch},))

    print(jitney.dynamo.dry_run(program))  # builds nothing
    compiled = jitney.dynamo.compile(program)
    with torch.no_grad():
        torch.testing.assert_close(compiled(images), model(images), rtol=1e-4, atol=1e-5)

    folder.mkdir(parents=True, exist_ok=True)
    torch.save((images, model(images).detach()), folder / "example.pt")
    for name, output_format in FORMATS.items():
        jitney.save(compiled, folder / name, output_format=output_format, arg_inputs=(images,),
                    dynamic_shapes=({0: batch},))
        print(f"{folder / name}: {(folder / name).stat().st_size} bytes")


def run(path: Path) -> None:
    """Any of the three: settings are not in a file, whoever loads it says how it runs."""
    loaded = jitney.load(path)
    settings = jitney.RuntimeSettings(runtime_cache=path.parent / "kernels.jkp")
    count = jitney.apply_runtime_settings(loaded, settings)
    module: Any = loaded.module() if isinstance(loaded, torch.export.ExportedProgram) else loaded
    images, wanted = torch.load(path.parent / "example.pt")
    with torch.no_grad():
        for size in (4, 1):  # any batch up to 64
            torch.testing.assert_close(module(images[:size]), wanted[:size], rtol=1e-4, atol=1e-5)
    stats = [engine.stats() for engine in jitney.runtime.engines_of(loaded)]
    print(f"{path.name}: {count} engine, {sum(each['compiled'] for each in stats)} kernels compiled, "
          f"{sum(each['from_cache'] for each in stats)} from the cache")


def main() -> int:
    if len(sys.argv) != 3 or sys.argv[1] not in ("save", "run"):
        print(__doc__, file=sys.stderr)
        return 2
    (save if sys.argv[1] == "save" else run)(Path(sys.argv[2]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
