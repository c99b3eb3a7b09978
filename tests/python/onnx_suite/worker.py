# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Runs cases in a process of their own, one after another, so that a crash or a hang costs one case."""
import os
import warnings

import numpy as np
import onnx
from onnx_suite.cases import all_cases
from onnx_suite.compare import difference

PASS, REFUSED, WRONG = "pass", "refused", "wrong"


def run_case(jitney, case):
    """(verdict, reason, operators that the interpreter ran, steps in all)."""
    model = case.model_bytes()
    try:
        engine = jitney.load(model, threads=1)
        for inputs, wanted in case.data_sets():
            problem = _run_data_set(engine, model, case, inputs, wanted)
            if problem:
                return WRONG, problem, 0
    except jitney.UserError as error:
        return REFUSED, str(error), 0
    except jitney.Error as error:
        return WRONG, f"{type(error).__name__}: {error}", 0
    except TypeError as error:
        return REFUSED, str(error), 0
    return PASS, "", engine.stats()["interpreted_operators"]


def _run_data_set(engine, model, case, inputs, wanted):
    names = [name for name in _input_names(model)]
    given = dict(zip(names, inputs))
    given = {name: value if value is None or isinstance(value, (list, tuple)) else np.asarray(value)
             for name, value in given.items() if name in engine.input_names}
    results = engine.run(given)
    outputs = list(results.items())
    if len(outputs) != len(wanted):
        return f"{len(outputs)} outputs, wanted {len(wanted)}"
    for (name, got), want in zip(outputs, wanted):
        found = difference(case, name, got, want)
        if found:
            return found
    return None


def _input_names(model):
    graph = onnx.load_from_string(model).graph
    initialized = {i.name for i in graph.initializer}
    return [i.name for i in graph.input if i.name not in initialized or len(graph.input) == 1]


def serve(pipe):
    """Indices of cases come in, results go out."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # warnings about interpreted kernels
    warnings.simplefilter("ignore")
    import jitney

    cases = all_cases()
    while (index := pipe.recv()) is not None:
        try:
            result = run_case(jitney, cases[index])
        except BaseException as error:  # noqa: BLE001: whatever it is, it is a result
            result = WRONG, f"{type(error).__name__}: {error}", 0
        pipe.send(result)
