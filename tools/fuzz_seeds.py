# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Seeds for the fuzzers out of the ONNX backend suite: a small model for each operator, and its engine file.

  PYTHONPATH=build/python:tests/python .venv/bin/python tools/fuzz_seeds.py FOLDER

Writes FOLDER/fuzz_onnx_import and FOLDER/fuzz_engine_file. What is there stays, so that a second time is quick.
"""
import sys
from pathlib import Path

from onnx_suite.cases import all_cases

import jitney

LARGEST = 6000  # bytes; larger ones are slow to mutate


def main():
    folder = Path(sys.argv[1])
    models, engines = folder / "fuzz_onnx_import", folder / "fuzz_engine_file"
    for path in (models, engines):
        path.mkdir(parents=True, exist_ok=True)
    seen = set()
    for case in all_cases():
        if case.operator in seen:
            continue
        content = case.model_bytes()
        if len(content) > LARGEST:
            continue
        seen.add(case.operator)
        (models / case.name).write_bytes(content)
        engine = engines / case.name
        if engine.exists():
            continue
        try:
            jitney.build(content, engine)
        except jitney.Error:  # a refused one is a seed for the importer alone
            pass
    for engine in list(engines.iterdir()):
        if engine.stat().st_size > 4 * LARGEST:
            engine.unlink()
    print(f"{len(list(models.iterdir()))} models and {len(list(engines.iterdir()))} engine files in {folder}")
    return 0 if seen else 1


if __name__ == "__main__":
    sys.exit(main())
