# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""--help teaches: every command and every option is there, with the exit codes and an example."""
import re

import pytest

COMMANDS = {
    "run": ["--input", "--shape", "--output-dir", "--device", "--iterations", "--warmup", "--threads", "--runtime-cache",
            "--json"],
    "bench": ["--shapes", "--duration", "--warmup", "--iterations", "--streams", "--threads", "--export-json", "--device",
              "--precision", "--cuda-graph-strategy", "--trace", "--metrics", "--layer-info"],
    "build": ["-o", "--profile"],
    "warm": ["--shape", "--shapes-file", "--target", "--device", "--runtime-cache", "--json"],
    "inspect": ["--source", "--kernels", "--layers", "--json", "--shape"],
    "doctor": [],
    "cache": ["stats", "ls", "show", "verify", "merge", "pack", "unpack", "prune", "clear", "path"],
}


def test_the_first_page_names_every_command_and_exit_code(jitney):
    result = jitney("--help")
    assert result.code == 0 and result.stderr == ""
    for command in COMMANDS:
        assert re.search(rf"\b{command}\b", result.stdout)
    assert re.search("exit code", result.stdout, re.IGNORECASE)
    for code in "0123":
        assert re.search(rf"^\s*{code}\b", result.stdout, re.MULTILINE), f"exit code {code} is not explained"


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_its_options(jitney, command):
    result = jitney(command, "--help")
    assert result.code == 0 and result.stderr == ""
    for option in COMMANDS[command]:
        assert option in result.stdout, f"{option} is missing"
    assert f"jitney {command}" in result.stdout, "there is an example to copy"
    # An option without words beside it teaches nothing.
    for line in re.findall(r"^ +(-\S.*)$", result.stdout, re.MULTILINE):
        assert len(line.split()) >= 2, line


def test_version(jitney):
    result = jitney("--version")
    assert result.code == 0 and re.search(r"\d+\.\d+\.\d+", result.stdout)


def test_inspect_shows_the_graph_and_the_kernels(jitney, digits):
    plain = jitney("inspect", digits)
    assert plain.code == 0, plain.stderr
    assert "images" in plain.stdout and "logits" in plain.stdout
    source = jitney("inspect", digits, "--source")
    assert source.code == 0, source.stderr
    assert "for (" in source.stdout and len(source.stdout) > len(plain.stdout), "the kernels' source is C"


def test_text_report_says_what_happened(jitney, digits, cache):
    result = jitney("run", digits, "--shape", "images=2x1x8x8", "--iterations", "5", "--runtime-cache", cache)
    assert result.code == 0, result.stderr
    assert result.stderr == "", "no progress bar where there is no terminal"
    for word in ("logits", "float32", "min", "median", "p90", "p99", "kernel", "cache"):
        assert word in result.stdout, word
