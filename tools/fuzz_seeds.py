# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Seeds for the fuzzers out of the ONNX backend suite: a small model for each operator, its engine file, and the packed
caches of some.

  PYTHONPATH=build/python:tests/python .venv/bin/python tools/fuzz_seeds.py FOLDER

Writes FOLDER/fuzz_onnx_import, FOLDER/fuzz_engine_file and FOLDER/fuzz_cache_pack. What is there stays, so that a second time is quick.
"""
import sys
from pathlib import Path

from onnx_suite.cases import all_cases

import jitney

LARGEST = 6000  # bytes; larger ones are slow to mutate
PACKS = 10  # they differ little


def write_pack(engine, path):
    """The kernels of one engine, compiled for its inputs at their smallest."""
    cache = jitney.runtime.RuntimeCache()
    ready = jitney.load(engine, runtime_settings=jitney.runtime.RuntimeSettings("none", runtime_cache=cache))
    ready.prepare()
    content = cache.serialize()
    if len(content) > 100:  # more than a head
        path.write_bytes(content)


def main():
    folder = Path(sys.argv[1])
    models, engines, packs = (folder / f"fuzz_{name}" for name in ("onnx_import", "engine_file", "cache_pack"))
    for path in (models, engines, packs):
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
    for engine in sorted(engines.iterdir()):
        if len(list(packs.iterdir())) >= PACKS:
            break
        if not (packs / engine.name).exists():
            write_pack(engine, packs / engine.name)
    for engine in list(engines.iterdir()):
        if engine.stat().st_size > 4 * LARGEST:
            engine.unlink()
    print(f"{len(list(models.iterdir()))} models, {len(list(engines.iterdir()))} engine files and "
          f"{len(list(packs.iterdir()))} packed caches in {folder}")
    return 0 if seen else 1


if __name__ == "__main__":
    sys.exit(main())
