# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Random models agree with ONNX Runtime. JITNEY_RANDOM_MODELS says how many (nightly: 300)."""
import os

import numpy as np
import onnx
import pytest
from random_models import grow, values

from operators import expected_of

MODELS = int(os.environ.get("JITNEY_RANDOM_MODELS", 300 if "JITNEY_NIGHTLY" in os.environ else 16))


@pytest.mark.parametrize("seed", range(MODELS))
def test_agrees_with_onnxruntime(jitney, cache, tmp_path, seed):
    steps, path = 2 + seed * 7 % 36, tmp_path / "model.onnx"
    model, inputs, errors = grow(seed, steps, symbolic=seed % 2 == 1)
    onnx.save(model, path)
    given = values(inputs, seed, special=False)
    wanted = expected_of(model, given)
    try:
        result = jitney.run(path, given, cache)
    except AssertionError as error:
        # A symbol that turns out to be 1 is not broadcast: known shapes must do.
        assert "must have one extent" in str(error) and seed % 2 == 1
        onnx.save(grow(seed, steps, symbolic=False)[0], path)
        result = jitney.run(path, given, cache)
    assert result.kernels["failed"] == 0
    for (name, error), want in zip(errors.items(), wanted):
        got = result.outputs[name]
        assert got.dtype == want.dtype and got.shape == want.shape, name
        text = f"{name}, which may differ by {error}\n{onnx.printer.to_text(model)}"
        if want.dtype == np.float32:
            np.testing.assert_allclose(got, want, rtol=1e-6, atol=error, err_msg=text)
        else:
            np.testing.assert_array_equal(got, want, err_msg=text)
