# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The command `jitney` of the wheel: the program that lies in the package."""
from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    program = Path(__file__).with_name("bin") / "jitney"
    if not program.is_file():
        sys.exit(f"jitney: error: this package was built without the command, {program} is missing")
    os.execv(program, [str(program), *sys.argv[1:]])
