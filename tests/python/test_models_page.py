# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The page of real models tells of the models that the tool exports, all of them, and of nothing that fails."""
import ast
import re
import sys

import numpy as np
import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "tools"))
from real_models import compare, names  # noqa: E402


def page_rows():
    text = (ROOT / "docs" / "models.md").read_text().split(compare.BEGIN)[1].split(compare.END)[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def test_the_table_has_the_models_of_the_tool():
    assert [row[0] for row in page_rows()] == sorted(names.MODELS)


def test_the_tool_has_the_models_of_its_list():
    """Read, not run: exporting needs torch."""
    found = []
    for file in ("vision", "language"):
        tree = ast.parse((ROOT / "tools" / "real_models" / f"{file}.py").read_text())
        (specs,) = [node.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "SPECS"]
        found += [call.args[0].value for call in specs.elts]
    assert tuple(found) == names.MODELS


def test_every_model_works_and_says_by_how_much_it_differs():
    for model, works, difference, _, _ in page_rows():
        assert works == "yes" and float(difference) <= compare.TOLERANCE, model


def test_the_machine_is_named():
    assert re.search(r"\d+ cores, .* onnxruntime [\d.]+; \d{4}-\d\d-\d\d", (ROOT / "docs" / "models.md").read_text())


@pytest.mark.parametrize("ours,theirs,want", [
    (np.float32([1, 2]), np.float32([1, 2]), 0),
    (np.float32([1, 2.5]), np.float32([1, 2]), 0.25),
    (np.float32([np.nan, 2]), np.float32([np.nan, 2]), 0),
    (np.float32([np.inf, 2]), np.float32([np.inf, 2]), 0),
    (np.int64([1, 2]), np.int64([1, 3]), 0.5),
    (np.float32([1]), np.float64([1]), np.inf),
    (np.float32([1]), np.float32([1, 1]), np.inf),
])
def test_differences(ours, theirs, want):
    assert compare.largest_difference(ours, theirs) == want


def test_a_nan_on_one_side_is_a_difference():
    assert not compare.largest_difference(np.float32([np.nan, 1]), np.float32([1, 1])) <= compare.TOLERANCE
