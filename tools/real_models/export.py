# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Exports the models with PyTorch's current exporter: NAME.onnx, and NAME.SIZE.npz for each size to compare at.

  PYTHONPATH=tools .cache/venv-bench/bin/python -m real_models.export FOLDER [NAME ...]

Weights are random, from a fixed seed: nothing is downloaded. A model that is there already is left as it is.
"""
import sys
import traceback
import warnings
from pathlib import Path

import numpy as np
import torch


def specs():
    from real_models import language, vision

    return vision.SPECS + language.SPECS


def export(spec, folder):
    torch.manual_seed(0)
    model = spec.make().eval()
    with torch.no_grad():
        program = torch.onnx.export(model, spec.inputs(spec.sizes[0]), dynamo=True, dynamic_shapes=spec.dynamic,
                                    external_data=False, verbose=False)
    names = [value.name for value in program.model.graph.inputs]
    for size in spec.sizes:
        torch.manual_seed(1)
        arrays = [t.numpy() for t in spec.inputs(size)]
        assert len(names) == len(arrays), (names, len(arrays))
        label = "x".join(map(str, size)) if isinstance(size, tuple) else str(size)
        np.savez(folder / f"{spec.name}.{label}.npz", **dict(zip(names, arrays)))
    program.save(folder / f"{spec.name}.onnx")


def main():
    folder, wanted = Path(sys.argv[1]), sys.argv[2:]
    folder.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    failed = []
    for spec in specs():
        if (wanted and spec.name not in wanted) or (folder / f"{spec.name}.onnx").exists():
            continue
        print(f"exporting {spec.name}", file=sys.stderr, flush=True)
        try:
            export(spec, folder)
        except Exception:  # noqa: BLE001: the others are exported still
            traceback.print_exc()
            failed.append(spec.name)
    if failed:
        sys.exit(f"not exported: {', '.join(failed)}")


if __name__ == "__main__":
    main()
