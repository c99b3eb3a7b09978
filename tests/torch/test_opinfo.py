# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Every operator of PyTorch's own list, over dtypes and shapes, in engines against eager. What stays in PyTorch is in
opinfo_refused.txt with its reason; an entry that is no longer true fails.

A test run takes every eighth, and those that are also tried with symbolic extents; with JITNEY_ALL_MODELS, as in
./dev check, all of them are."""
import os

import opinfo
import pytest
import test_converters
import torch

from jitney.dynamo.conversion import converters

REFUSED = opinfo.read_refused()
TARGETS, SEEN = set(), set()
# One operator a test, but the quick ones together would hide names: pytest's overhead is small.
OPERATORS = opinfo.operators_by_name()

DYNAMIC = ["add", "matmul", "nn.functional.layer_norm", "softmax", "cat", "view", "permute", "nn.functional.gelu",
           "mean", "var", "argmax", "cumsum", "nn.functional.max_pool2d", "split", "index_select",
           "where", "expand", "gather", "scatter", "tril", "nn.functional.embedding", "sum", "flip", "roll", "repeat",
           "nn.functional.scaled_dot_product_attention", "slice_scatter", "topk", "sort", "nn.functional.group_norm",
           "nn.functional.pad.constant", "unbind", "bmm", "addmm", "amax", "std", "logsumexp", "full_like", "diagonal"]


def chosen():
    if "JITNEY_ALL_MODELS" in os.environ:
        return list(OPERATORS)
    return [name for index, name in enumerate(OPERATORS) if index % 8 == 0 or name in DYNAMIC]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", chosen())
def test_samples(name):
    with opinfo.quiet():
        report = opinfo.check(OPERATORS[name])
    assert not report.wrong, "\n".join(report.wrong)
    found = {reason: sorted(dtypes) for reason, dtypes in report.refused.items()}
    listed = {reason: sorted(dtypes) for reason, dtypes in REFUSED.get(name, {}).items()}
    assert found == listed, "opinfo_refused.txt is out of date: tests/torch/opinfo.py --update"
    assert report.passed or found, "there were no samples"
    assert not report.passed or report.steps > 0, "nothing ran in an engine"
    TARGETS.update(report.targets)
    SEEN.add(name)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", DYNAMIC)
def test_symbolic_extents(name):
    """The first sample with every extent a symbol. Convolutions need those of their kernels, so they are not here:
    models have them with a symbolic batch."""
    with opinfo.quiet():
        report = opinfo.check(OPERATORS[name], dynamic=True)
    assert not report.wrong, "\n".join(report.wrong)
    assert report.passed == 1 and not report.refused and report.steps > 0


def test_a_list_without_stale_operators():
    assert set(REFUSED) <= set(OPERATORS)


def test_how_many_operators_of_core_aten_are_converted():
    core = {target for target in converters() if isinstance(target, torch._ops.OpOverload)
            and torch.Tag.core in target.tags}
    assert len(core) >= 165


def test_every_converter_had_a_part_in_some_sample():
    if SEEN != set(OPERATORS):
        return  # a part of the tests was chosen; the whole run asks
    called = {str(target) for target, _ in test_converters.CALLS} | test_converters.NOT_CALLED
    unused = {str(target) for target in set(converters()) - TARGETS}
    assert unused <= called, sorted(unused - called)
