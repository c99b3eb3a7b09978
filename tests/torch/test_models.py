# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Real architectures from their configurations, with dynamic batch and length, against eager."""
import sys

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "tools"))
from torch_models.check import check  # noqa: E402
from torch_models.zoo import MODELS  # noqa: E402


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", MODELS)
def test_model(name):
    result = check(name)
    assert result.engines > 0 and result.steps > 0
    assert result.cosine >= 0.9999, result
    assert result.flops_share >= 0.95, result
