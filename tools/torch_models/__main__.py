# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""python -m torch_models [NAME...] [--page docs/models.md]: the table of PyTorch models. Fails below 95 % of operations
in engines, and for a cosine below 0.9999."""
from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .check import Result, check
from .zoo import MODELS

BEGIN, END = "<!-- torch-models:begin -->", "<!-- torch-models:end -->"


def table(results: list[Result]) -> str:
    lines = ["| model | engines | operators in them | operations in them | stays in PyTorch | cosine |", "|---|---|---|---|---|---|"]
    for r in results:
        lines.append(f"| {r.name} | {r.engines} | {r.operators} | {100 * r.flops_share:.1f} % | "
                     f"{', '.join(r.stayed) or 'nothing'} | {r.cosine:.7f} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="torch_models")
    parser.add_argument("names", nargs="*", default=list(MODELS))
    parser.add_argument("--page", type=Path)
    options = parser.parse_args()
    results = [check(name) for name in options.names or MODELS]
    text = table(results)
    print(text)
    if options.page:
        page = options.page.read_text()
        before, rest = page.split(BEGIN)
        options.page.write_text(before + BEGIN + "\n" + text + "\n" + END + rest.split(END)[1])
    bad = [r.name for r in results if r.flops_share < 0.95 or r.cosine < 0.9999 or not r.engines or not r.steps]
    if bad:
        print("below 95 % of the operations in engines, or another answer:", ", ".join(bad), file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
