# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What README says of Python works as it stands there."""
import os
import re
import shutil
import subprocess
import sys

from conftest import BUILD, ROOT


def test_the_quick_start(tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    shutil.copytree(ROOT / "models", tmp_path / "models")
    process = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True,
                             env={**os.environ, "PYTHONPATH": str(BUILD / "python"),
                                  "JITNEY_CACHE_DIR": str(tmp_path / "cache")})
    assert process.returncode == 0, process.stderr
    assert process.stdout.splitlines()[-1] == "(2, 10) 1" and (tmp_path / "digits.jitney").exists()
