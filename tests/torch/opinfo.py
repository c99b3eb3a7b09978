# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""PyTorch's own samples of every operator: traced, converted, all of one operator run as one engine, compared with
eager. `python tests/torch/opinfo.py [WORD] [--update]` prints a table and writes opinfo_refused.txt anew."""
from __future__ import annotations

import contextlib
import itertools
import operator
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import conftest  # noqa: F401  the path to the build
import torch
from torch.fx import GraphModule, Node
from torch.fx.experimental.proxy_tensor import make_fx
from torch.testing._internal.common_methods_invocations import op_db
from torch.utils import _pytree as pytree

import jitney
from jitney.dynamo.conversion import ConversionError, GraphWriter
from jitney.dynamo.conversion.convert import write, writer_inputs
from jitney.dynamo.lowering import composites_kept_whole
from jitney.dynamo.partitioning import is_outside, reason_against
from jitney.dynamo.settings import CompilationSettings

SETTINGS = CompilationSettings()

DTYPES = (torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.int32, torch.int8,
          torch.uint8, torch.bool)
SAMPLES = {torch.float32: 4, torch.float16: 2, torch.int64: 2}  # and of other dtypes
OTHER_SAMPLES = 1
TOLERANCE = {torch.float32: (2e-5, 2e-5), torch.float64: (1e-6, 1e-7), torch.float16: (4e-3, 4e-3),
             torch.bfloat16: (3e-2, 3e-2)}
# Wider, where many rounded values are added or exponentiated on the way: (relative, absolute).
WIDER = {("addbmm", torch.float16): (1e-2, 1e-1), ("addbmm", torch.bfloat16): (5e-2, 5e-1),
         ("nn.functional.scaled_dot_product_attention", torch.float16): (4e-3, 1e-1),
         ("nn.functional.scaled_dot_product_attention", torch.bfloat16): (3e-2, 5e-1),
         # Scores near 2000, where float16 has steps of 1, decide which key wins: of results near 1000 eager is 8 away from
         # float64, a CPU's engine 10, and a GPU's 37 away from eager.
         ("nn.functional.multi_head_attention_forward", torch.float16): (4e-3, 5e1),
         ("nn.functional.grid_sample", torch.float16): (4e-3, 5e-2),
         ("nn.functional.grid_sample", torch.bfloat16): (3e-2, 2e-1),
         ("grid_sampler_2d", torch.float16): (4e-3, 5e-2), ("grid_sampler_2d", torch.bfloat16): (3e-2, 2e-1),
         ("nn.functional.conv_transpose3d", torch.float16): (4e-3, 1e-1)}
# Results that PyTorch does not determine, by number.
OPEN_RESULTS = {"topk": {1}, "sort": {1}, "argsort": {0}}  # the order of equal elements; see test_sorting_is_stable
REFUSED = Path(__file__).parent / "opinfo_refused.txt"
# What they give is not determined by their arguments.
RANDOM = {"bernoulli", "cauchy", "empty", "empty_like", "empty_permuted", "empty_strided", "exponential", "geometric",
          "log_normal", "multinomial", "new_empty", "new_empty_strided", "normal", "rand_like", "randint",
          "randint_like", "randn", "randn_like", "uniform", "nn.functional.alpha_dropout", "nn.functional.dropout",
          "nn.functional.dropout2d", "nn.functional.dropout3d", "nn.functional.feature_alpha_dropout",
          "nn.functional.fractional_max_pool2d", "nn.functional.fractional_max_pool3d", "nn.functional.rrelu"}


# Families that are not run at all, by the beginning of their names.
FAMILIES = {
    "fft.": "spectra are complex numbers",
    "linalg.": "factorizations stay in PyTorch; products and norms are tested under their own names",
    "masked.": "compositions of reductions and softmax that are tested under their own names",
    "signal.windows.": "constants: PyTorch folds them",
    "sparse.": "sparse tensors stay in PyTorch",
    "special.": "aliases of operators that are tested under their own names, and series that stay in PyTorch",
    "torch.ops.aten._safe_softmax": "an operator of autograd", "__r": "aliases of operators with the operands swapped",
    "triangular_solve": "factorizations stay in PyTorch", "svd": "factorizations stay in PyTorch",
    "cholesky": "factorizations stay in PyTorch", "lu": "factorizations stay in PyTorch",
    "jiterator": "CUDA source in strings", "stft": "spectra are complex numbers", "istft": "spectra are complex numbers",
    "histc": "counts stay in PyTorch", "histogram": "counts stay in PyTorch", 
}


def name_of(op: Any) -> str:
    return f"{op.name}.{op.variant_test_name}" if op.variant_test_name else op.name


def operators() -> list[Any]:
    """All of PyTorch's list, but for those whose results are random."""
    return [op for op in op_db if op.name not in RANDOM and not op.name.startswith(tuple(FAMILIES))]


def operators_by_name() -> dict[str, Any]:
    """The first of each name."""
    found: dict[str, Any] = {}
    for op in operators():
        found.setdefault(name_of(op), op)
    return found


@dataclass
class Report:
    """What became of the samples of one operator."""

    passed: int = 0
    wrong: list[str] = field(default_factory=list)
    refused: dict[str, set[str]] = field(default_factory=dict)  # reason: dtypes
    targets: set[Any] = field(default_factory=set)  # converters that had a part in it
    steps: int = 0  # kernels and library calls of the engines

    def refuse(self, reason: str, dtype: torch.dtype) -> None:
        self.refused.setdefault(" ".join(reason.split()), set()).add(str(dtype).removeprefix("torch."))


@dataclass
class Case:
    operator: str
    label: str
    dtype: torch.dtype
    module: GraphModule
    tensors: list[torch.Tensor]
    expected: list[torch.Tensor]


def check(op: Any, dynamic: bool = False, device: str = "cpu") -> Report:
    """All samples of one operator, run on `device`, against eager on the CPU; with `dynamic` the first one of float32,
    every extent a symbol."""
    report = Report()
    with warnings.catch_warnings(), composites_kept_whole() as table, torch.no_grad():
        warnings.simplefilter("ignore")
        cases = list(_cases(op, report, table, dynamic))
        convert_and_run(cases, report, device)
    return report


def _samples(op: Any, dtype: torch.dtype) -> list[Any]:
    """A few of all, evenly taken."""
    torch.manual_seed(0)
    found = list(itertools.islice(op.sample_inputs("cpu", dtype, requires_grad=False), 60))
    most = SAMPLES.get(dtype, OTHER_SAMPLES)
    return found if len(found) <= most else [found[i * len(found) // most] for i in range(most)]


def _cases(op: Any, report: Report, table: Any, dynamic: bool) -> Iterator[Case]:
    supported = op.supported_dtypes("cpu")
    if not supported & set(DTYPES):
        report.refuse("it takes other dtypes alone", torch.complex64)
    for dtype in DTYPES[:1] if dynamic else DTYPES:
        if dtype not in supported:
            continue
        for number, sample in enumerate(_samples(op, dtype)[: 1 if dynamic else None]):
            label = f"{name_of(op)} {str(dtype).removeprefix('torch.')} sample {number}"
            function, tensors = _function(op, sample)
            try:
                expected = function(*[tensor.clone() for tensor in tensors])
            except Exception as error:  # noqa: BLE001: PyTorch's own refusal of its own sample
                report.refuse(f"eager: {type(error).__name__}", dtype)
                continue
            if not expected:
                report.refuse("it gives no tensor", dtype)
                continue
            try:
                module = _trace(function, tensors, table, "symbolic" if dynamic else "fake")
            except Exception as error:  # noqa: BLE001: whatever tracing throws is a reason
                report.refuse(f"tracing: {type(error).__name__}: {_first_line(error)}", dtype)
                continue
            reason = _stays(module)
            if reason is not None:
                report.refuse(reason, dtype)
                continue
            yield Case(name_of(op), label, dtype, module, tensors, expected)


def _trace(function: Callable[..., Any], tensors: list[torch.Tensor], table: Any, mode: str) -> GraphModule:
    module = make_fx(torch.func.functionalize(function), decomposition_table=table, tracing_mode=mode)(*tensors)
    if any(node.op == "call_function" and getattr(node.target, "_schema", None) is not None
           and node.target._schema.is_mutable for node in module.graph.nodes):
        # A decomposition that writes in place: functional only when it is traced once more.
        module = make_fx(torch.func.functionalize(module), decomposition_table=table, tracing_mode=mode)(*tensors)
    module.graph.eliminate_dead_code()
    return module


def _stays(module: GraphModule) -> str | None:
    """Why the partitioner would leave an operator of the graph in PyTorch."""
    constants = {str(node.target): getattr(module, str(node.target)) for node in module.graph.nodes
                 if node.op == "get_attr"}
    for node in module.graph.nodes:
        if not is_outside(node) and node.target is not operator.getitem:
            reason = reason_against(node, SETTINGS, constants)
            if reason is not None:
                return f"{_target(node)}: {reason}"
    return None


def _function(op: Any, sample: Any) -> tuple[Callable[..., list[torch.Tensor]], list[torch.Tensor]]:
    """The operator on a sample as a function from tensors to tensors."""
    flat, spec = pytree.tree_flatten((sample.input, sample.args, dict(sample.kwargs)))
    at = [i for i, leaf in enumerate(flat) if isinstance(leaf, torch.Tensor)]

    def function(*tensors: torch.Tensor) -> list[torch.Tensor]:
        leaves = list(flat)
        for i, tensor in zip(at, tensors):
            leaves[i] = tensor
        first, args, kwargs = pytree.tree_unflatten(leaves, spec)
        result = op.op(first, *args, **kwargs)
        return [leaf for leaf in pytree.tree_leaves(result) if isinstance(leaf, torch.Tensor)]

    return function, [flat[i].detach() for i in at]


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [""])[0][:160]


def _converted(cases: list[Case], report: Report | None) -> tuple[GraphWriter, list[tuple[Case, list[str], list[str]]]]:
    """One model of all cases that can be written; the others are refused."""
    writer, written = GraphWriter("opinfo"), []
    for case in cases:
        before = len(writer.graph.node), len(writer.graph.input)
        try:
            inputs = writer_inputs(writer, case.module)
            results = write(writer, case.module, inputs)
        except ConversionError as error:
            del writer.graph.node[before[0]:], writer.graph.input[before[1]:]
            writer.extents._values.clear()
            if report is not None:
                report.refuse(f"{_target(error.node)}: {error.reason}", case.dtype)
            continue
        names = [entry.name for entry in writer.graph.input[before[1]:]]
        written.append((case, names, [writer.output(value, "result") for value in results]))
        if report is not None:
            report.targets |= {node.target for node in case.module.graph.nodes if node.op == "call_function"}
    return writer, written


def _target(node: Node) -> str:
    from jitney.dynamo.conversion.source import operator_name

    return operator_name(node.target) if node.op == "call_function" else node.op


def convert_and_run(cases: list[Case], report: Report, device: str = "cpu") -> None:
    writer, written = _converted(cases, report)
    if not written:
        return
    try:
        outputs, kernels = _run(writer, written, device)
    except jitney.Error:
        if len(written) == 1:
            raise
        for case, _, _ in written:  # which one is it?
            one, alone = _converted([case], None)
            try:
                outputs, kernels = _run(one, alone, device)
                _compare(alone, outputs, kernels, report)
            except jitney.Error as error:
                report.refuse(f"engine: {_first_line(error)}", case.dtype)
        return
    _compare(written, outputs, kernels, report)


def _run(writer: GraphWriter, written: Any, device: str) -> tuple[dict[str, torch.Tensor], int]:
    engine = jitney.build(writer.serialize(), weights=writer.weights, device=device)
    given = {name: tensor.to(device).contiguous() for case, names, _ in written
             for name, tensor in zip(names, case.tensors)}
    results = engine.run(given)
    stats = engine.stats()
    return {name: _tensor(array) for name, array in results.items()}, stats["distinct_kernels"] + stats["library_calls"]


def _tensor(array: Any) -> torch.Tensor:
    if not hasattr(array, "view"):
        return torch.from_dlpack(array).cpu()
    if array.dtype.name == "bfloat16":
        return torch.from_numpy(array.view("uint16").copy()).view(torch.bfloat16)
    return torch.from_numpy(array)


def _compare(written: Any, outputs: dict[str, torch.Tensor], kernels: int, report: Report) -> None:
    report.steps += kernels
    for case, _, names in written:
        try:
            for i, (name, expected) in enumerate(zip(names, case.expected)):
                if i in OPEN_RESULTS.get(case.operator, ()):
                    continue
                rtol, atol = WIDER.get((case.operator, case.dtype)) or TOLERANCE.get(case.dtype, (2e-5, 2e-5))
                torch.testing.assert_close(outputs[name], expected, rtol=rtol, atol=atol, equal_nan=True,
                                           check_stride=False, check_dtype=True)
            report.passed += 1
        except AssertionError as error:
            shapes = [tuple(tensor.shape) for tensor in case.tensors]
            report.wrong.append(f"{case.label} {shapes}: " + "; ".join(str(error).split("\n")[:6]))


def read_refused() -> dict[str, dict[str, set[str]]]:
    """operator: reason: dtypes."""
    found: dict[str, dict[str, set[str]]] = {}
    for line in REFUSED.read_text().splitlines():
        if line and not line.startswith("#"):
            name, dtypes, reason = line.split(" | ", 2)
            found.setdefault(name, {})[reason] = set(dtypes.split(","))
    return found


def write_refused(found: dict[str, dict[str, set[str]]]) -> None:
    lines = ["# Samples of operators that stay in PyTorch: operator | dtypes | reason. Written by opinfo.py --update."]
    for name in sorted(found):
        lines += [f"{name} | {','.join(sorted(dtypes))} | {reason}" for reason, dtypes in sorted(found[name].items())]
    REFUSED.write_text("\n".join(lines) + "\n")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    import logging

    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def main() -> None:
    import argparse
    import time

    from jitney.dynamo.conversion import converters

    parser = argparse.ArgumentParser()
    parser.add_argument("word", nargs="?", default="")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--dynamic", action="store_true")
    options = parser.parse_args()
    refused, targets, totals = {}, set(), [0, 0, 0]
    for op in operators():
        if options.word not in name_of(op):
            continue
        start = time.time()
        with quiet():
            try:
                report = check(op, options.dynamic)
            except Exception as error:  # noqa: BLE001: a table goes on
                print(f"{name_of(op)}: FAILED {type(error).__name__}: {_first_line(error)}", flush=True)
                continue
        targets |= report.targets
        refused[name_of(op)] = report.refused
        count = sum(map(len, report.refused.values()))
        totals = [totals[0] + report.passed, totals[1] + len(report.wrong), totals[2] + count]
        print(f"{name_of(op)}: passed {report.passed}, wrong {len(report.wrong)}, refused {count}, "
              f"{time.time() - start:.2f} s", flush=True)
        for line in report.wrong[:3]:
            print("   WRONG", line[:400], flush=True)
        for reason, dtypes in report.refused.items():
            print(f"   refused {','.join(sorted(dtypes))}: {reason[:200]}", flush=True)
    print("passed, wrong, refused:", totals, "; converters used:", len(targets & set(converters())), "of",
          len(converters()))
    if not options.word:
        print("not used:", sorted(map(str, set(converters()) - targets)))
    if options.update:
        kept = {} if not options.word else {k: v for k, v in read_refused().items() if options.word not in k}
        write_refused({**kept, **refused})


if __name__ == "__main__":
    import conftest  # noqa: F401

    main()
