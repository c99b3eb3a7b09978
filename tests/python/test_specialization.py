# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The settings on the command line: flags over the environment over the defaults, and what each does."""
import json

import pytest

STRATEGY = "--dynamic-shapes-kernel-specialization-strategy"
VARIABLE = "JITNEY_DYNAMIC_SHAPES_KERNEL_SPECIALIZATION_STRATEGY"


def entries(folder):
    return sum(1 for f in folder.rglob("*") if f.is_file() and f.suffix not in (".lock",))


@pytest.fixture
def run(jitney, filled, tmp_path):
    def run(*arguments, env=None, cache="cache"):
        return jitney("run", filled("encoder"), "--shape", "ids=1x16", "--runtime-cache", f"{tmp_path / cache}/",
                      "--json", *arguments, env=env)
    return run


def stats(result):
    assert result.code == 0, result.stderr
    return json.loads(result.stdout)


def test_eager_compiles_more_than_none_and_nothing_again(run, tmp_path):
    stats(run(STRATEGY, "none", cache="generic"))
    stats(run(STRATEGY, "eager", "--iterations", "0"))
    both, generic = entries(tmp_path / "cache"), entries(tmp_path / "generic")
    assert both > generic
    stats(run(STRATEGY, "eager"))
    assert entries(tmp_path / "cache") == both


def test_lazy_is_ready_before_the_timed_runs(run, tmp_path):
    stats(run(STRATEGY, "lazy", "--iterations", "0"))
    first = entries(tmp_path / "cache")
    stats(run(STRATEGY, "lazy"))
    assert entries(tmp_path / "cache") > first, "a shape that ran once has no kernels of its own yet"


def test_flag_over_environment_over_default(run, tmp_path):
    stats(run(env={VARIABLE: "none"}, cache="a"))
    stats(run(STRATEGY, "eager", env={VARIABLE: "none"}, cache="b"))
    assert entries(tmp_path / "b") > entries(tmp_path / "a")


@pytest.mark.parametrize("given", [{"arguments": [STRATEGY, "often"]}, {"env": {VARIABLE: "often"}}])
def test_an_unknown_value_is_refused_with_what_is_allowed(run, given):
    result = run(*given.get("arguments", []), env=given.get("env"))
    assert result.code != 0
    assert ("Invalid dynamic_shapes_kernel_specialization_strategy: 'often'. Expected one of ['lazy', 'eager', 'none']"
            in result.stderr), result.stderr


def test_no_compile_is_an_error_that_says_what_to_do(run):
    result = run(env={"JITNEY_NO_COMPILE": "error"})
    assert result.code != 0
    assert "JITNEY_NO_COMPILE=error forbids it" in result.stderr
    stats(run())
    assert run(env={"JITNEY_NO_COMPILE": "error"}).code == 0, "what the cache has is enough"
