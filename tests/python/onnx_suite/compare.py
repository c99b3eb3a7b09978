# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Whether an output is what the suite wants."""
import numpy as np


def difference(case, name, got, want):
    """One line that says what differs, or None."""
    if want is None or isinstance(want, (list, tuple)):
        return _of_nested(case, name, got, want)
    want = np.asarray(want)
    if got is None or isinstance(got, (list, tuple)):
        return f"output '{name}' is {type(got).__name__}, wanted an array"
    if got.dtype != want.dtype:
        return f"output '{name}' has dtype {got.dtype}, wanted {want.dtype}"
    if got.shape != want.shape:
        return f"output '{name}' has shape {got.shape}, wanted {want.shape}"
    if case.is_random:
        return None
    if want.dtype.kind in "OSUT":
        return None if (got == want).all() else f"output '{name}' has other strings"
    # Types of ml_dtypes know no comparison with a tolerance.
    wide = np.float64 if want.dtype.kind in "fV" else None
    # Two steps of a narrow type, which round differently where a model computes in it more than once. (The suite's own
    # comparison has the same for bfloat16.)
    rtol = max(case.rtol, {"float16": 2**-9, "bfloat16": 2**-6}.get(want.dtype.name, 0))
    a, b = (got.astype(wide), want.astype(wide)) if wide else (got, want)
    # A transform's zeros are sums that cancel: the suite wants the rounding errors that it once saw there.
    atol = max(case.atol, 1e-8 * np.abs(b).max(initial=0)) if case.operator in ("DFT", "STFT") else case.atol
    with np.errstate(all="ignore"):
        same = np.isclose(a, b, rtol=rtol, atol=atol, equal_nan=True) if wide else a == b
        if same.all():
            return None
        at = np.unravel_index(int(np.argmin(same)), same.shape) if same.ndim else ()
    return (f"output '{name}' differs in {int((~same).sum())} of {same.size} elements, first at {tuple(map(int, at))}: "
            f"{a[at]!r}, wanted {b[at]!r}")


def _of_nested(case, name, got, want):
    if want is None:
        return None if got is None else f"output '{name}' is an array, wanted nothing"
    if not isinstance(got, (list, tuple)):
        return f"output '{name}' is no sequence"
    if len(got) != len(want):
        return f"output '{name}' has {len(got)} elements, wanted {len(want)}"
    for index, (g, w) in enumerate(zip(got, want)):
        found = difference(case, f"{name}[{index}]", g, w)
        if found:
            return found
    return None
