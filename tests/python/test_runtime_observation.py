# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What Python says of runs (O1): statistics, metrics, traces, layers, and the level of the log."""
import json
import re
import subprocess
import sys
import threading

import pytest
from conftest import BUILD
from runtime_models import random, softmax_model

import jitney
from jitney import _jitney
from jitney.runtime import RuntimeCache, RuntimeSettings

NONE = RuntimeSettings("none", runtime_cache=None)


pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture
def engine():
    return jitney.load(softmax_model(), runtime_settings=NONE)


def test_every_dictionary_has_the_fields_that_its_type_says(engine):
    engine(random(2, 3))
    for found, kind in [(engine.stats(), jitney.Stats), (engine.compile_status(), jitney.CompileStatus),
                        (RuntimeCache().stats(), jitney.CacheStats)]:
        assert set(found) == set(kind.__annotations__), kind
        json.dumps(found)
    with_entries = RuntimeCache()
    engine.runtime_settings = NONE.merge(runtime_cache=with_entries)
    engine(random(2, 3))
    assert set(with_entries.entries()[0]) == set(jitney.CacheEntry.__annotations__)


def test_stats_are_the_fields_of_cpp():
    from conftest import ROOT
    header = (ROOT / "include" / "jitney" / "execution_context.h").read_text()
    body = re.search(r"struct ContextStats \{(.*?)\n\};", header, re.DOTALL)[1]
    code = re.sub(r"//.*|<.*>", "", body)
    declared = set(re.findall(r"(\w+)\s*(?:=\s*0\s*)?[,;]", code))
    assert declared == set(jitney.Stats.__annotations__)


def test_metrics(engine):
    engine(random(2, 3))
    own = engine.metrics(model="m")
    assert own['jitney_kernels_compiled_total{model="m"}'] == engine.stats()["compiled"] > 0
    everything = jitney.metrics(engine)
    assert 'jitney_log_lines_total{level="errors"}' in everything
    assert everything['jitney_plans_total{engine="softmax"}'] == 1


def test_prometheus_text(engine):
    engine(random(2, 3))
    other = jitney.load(softmax_model(), runtime_settings=NONE)
    text = jitney.prometheus(engine, other)
    assert text.count("# TYPE jitney_kernels_compiled_total counter") == 1
    assert re.search(r'^jitney_plans_total\{engine="softmax",number="0"\} 1$', text, re.MULTILINE)
    assert re.search(r'^jitney_plans_total\{engine="softmax",number="1"\} 0$', text, re.MULTILINE)


def test_layer_info(engine):
    layers = json.loads(engine.get_layer_info())
    assert "softmax" in json.dumps(layers).lower()
    assert engine.num_execution_contexts_created() == 0
    shaped = engine.get_layer_info({"x": (2, 3)})
    assert shaped != engine.get_layer_info() and json.loads(shaped)
    with pytest.raises(ValueError):
        engine.get_layer_info([(2,)])


def test_a_trace_with_correlation_ids(engine, tmp_path):
    path = tmp_path / "trace.json"
    with jitney.trace(path):
        assert _jitney.is_tracing()
        with jitney.correlation_id("request-1"):
            engine(random(2, 3))
            with jitney.correlation_id("inner"):
                engine(random(2, 3))
            with jitney.trace_scope("postprocess"):
                pass
        engine(random(2, 3))
        with pytest.raises(ValueError, match="trace"):
            with jitney.trace(tmp_path / "another.json"):
                pass
    assert not _jitney.is_tracing()
    events = json.loads(path.read_text())["traceEvents"]
    executes = [e.get("args", {}).get("correlation_id") for e in events if e.get("cat") == "execute"]
    assert executes == ["request-1", "inner", None]
    assert [e["name"] for e in events if e.get("cat") == "user"] == ["postprocess"]


def test_a_trace_ends_with_an_exception(engine, tmp_path):
    with pytest.raises(KeyError):
        with jitney.trace(tmp_path / "trace.json"):
            raise KeyError
    assert json.loads((tmp_path / "trace.json").read_text())
    with pytest.raises(ValueError, match="nowhere"):
        with jitney.trace(tmp_path / "nowhere" / "trace.json"):
            pass


def test_log_levels_and_scopes():
    assert jitney.logging.level() == "warnings"
    with jitney.logging.debug():
        assert jitney.logging.level() == "debug"
        with jitney.logging.errors():
            seen = []
            thread = threading.Thread(target=lambda: seen.append(jitney.logging.level()))
            thread.start(), thread.join()
            assert seen == ["errors"], "in all threads"
        assert jitney.logging.level() == "debug"
    for name in jitney.logging.LEVELS:
        with getattr(jitney.logging, name)():
            assert jitney.logging.level() == name
    jitney.logging.set_level("info")
    assert jitney.logging.level() == "info"
    jitney.logging.set_level("warnings")
    for bad in ("loud", 3, None):
        with pytest.raises(ValueError, match="Invalid log level: .* Expected one of"):
            jitney.logging.set_level(bad)


def test_debug_says_what_is_compiled(tmp_path):
    code = """
import numpy as np, jitney
from runtime_models import relu_model
from jitney.runtime import RuntimeSettings
engine = jitney.load(relu_model(), runtime_settings=RuntimeSettings("none", runtime_cache=None))
with jitney.logging.debug():
    engine(np.zeros((2, 2), np.float32))
"""
    import os
    import pathlib
    environment = {**os.environ, "PYTHONPATH": f"{BUILD / 'python'}:{pathlib.Path(__file__).parent}"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "in the compiler" in done.stderr, done.stderr
