# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""--trace and JITNEY_TRACE: one timeline of a run that a viewer opens; NVTX ranges for a tool that listens."""
import json
import subprocess
from pathlib import Path

import pytest

NVTX = Path("/usr/local/cuda/include/nvtx3/nvToolsExt.h")


def spans(path):
    found = {}
    for event in json.loads(path.read_text())["traceEvents"]:
        if event["ph"] == "X":
            found.setdefault(event["cat"], []).append(event)
    return found


def test_a_run_is_on_the_timeline(jitney, digits, cache, tmp_path):
    file = tmp_path / "trace.json"
    result = jitney("run", digits, "--iterations", 3, "--warmup", 0, "--runtime-cache", cache, "--trace", file)
    assert result.code == 0, result.stderr
    found = spans(file)
    assert [load["name"] for load in found["load"]] == [str(digits)]
    assert {"lower", "compile", "cache", "plan", "execute", "step"} <= set(found)
    assert len(found["execute"]) >= 4
    (load,) = found["load"]
    inside = [p["name"] for p in found["lower"] if load["ts"] <= p["ts"] < load["ts"] + load["dur"]]
    assert "fold_constants" in inside and "fuse" not in inside
    # Every span has the fields that viewers ask for.
    for event in sum(found.values(), []):
        assert event["ts"] >= 0 and event["dur"] >= 0 and event["pid"] > 0 and event["tid"] > 0 and event["name"]


def test_the_environment_starts_one_and_the_end_writes_it(jitney, digits, cache, tmp_path):
    pattern = tmp_path / "trace-%p.json"
    result = jitney("run", digits, "--iterations", 0, "--runtime-cache", cache, env={"JITNEY_TRACE": str(pattern)})
    assert result.code == 0, result.stderr
    (file,) = tmp_path.glob("trace-*.json")
    assert file.name != "trace-%p.json" and "execute" in spans(file)


def test_a_place_that_takes_no_file_is_said_before_anything_runs(jitney, digits, cache, tmp_path):
    result = jitney("run", digits, "--runtime-cache", cache, "--trace", tmp_path / "no" / "trace.json")
    assert result.code == 2 and "trace.json" in result.stderr and result.stdout == ""
    result = jitney("run", digits, "--iterations", 0, "--runtime-cache", cache,
                    env={"JITNEY_TRACE": str(tmp_path / "no" / "trace.json")})
    assert result.code == 0 and "JITNEY_TRACE" in result.stderr


TOOL = r"""
#define NVTX_NO_IMPL
#include <nvtx3/nvToolsExt.h>
#include <cstdio>
#include <cstdlib>
static std::FILE* file() { static std::FILE* f = std::fopen(std::getenv("NVTX_TEST_FILE"), "w"); return f; }
static nvtxDomainHandle_t create(const char* name) {
  std::fprintf(file(), "domain %s\n", name);
  return reinterpret_cast<nvtxDomainHandle_t>(1);
}
static int push(nvtxDomainHandle_t, const nvtxEventAttributes_t* a) {
  return std::fprintf(file(), "push %s\n", a->message.ascii);
}
static int pop(nvtxDomainHandle_t) { int n = std::fprintf(file(), "pop\n"); std::fflush(file()); return n; }
extern "C" __attribute__((visibility("default"))) int InitializeInjectionNvtx2(NvtxGetExportTableFunc_t get) {
  auto* table = static_cast<const NvtxExportTableCallbacks*>(get(NVTX_ETID_CALLBACKS));
  NvtxFunctionTable functions; unsigned size = 0;
  if (!table || !table->GetModuleFunctionTable(NVTX_CB_MODULE_CORE2, &functions, &size)) return 0;
  *functions[NVTX_CBID_CORE2_DomainCreateA] = reinterpret_cast<NvtxFunctionPointer>(create);
  *functions[NVTX_CBID_CORE2_DomainRangePushEx] = reinterpret_cast<NvtxFunctionPointer>(push);
  *functions[NVTX_CBID_CORE2_DomainRangePop] = reinterpret_cast<NvtxFunctionPointer>(pop);
  return 1;
}
"""


@pytest.mark.skipif(not NVTX.is_file(), reason="there are no NVTX headers")
def test_a_tool_sees_ranges(jitney, digits, cache, tmp_path):
    (tmp_path / "tool.cpp").write_text(TOOL)
    subprocess.run(["g++", "-shared", "-fPIC", "-I", NVTX.parents[1], tmp_path / "tool.cpp", "-o", tmp_path / "tool.so"],
                   check=True)
    seen = tmp_path / "ranges.txt"
    result = jitney("run", digits, "--iterations", 0, "--threads", 1, "--runtime-cache", cache,
                    env={"NVTX_INJECTION64_PATH": str(tmp_path / "tool.so"), "NVTX_TEST_FILE": str(seen)})
    assert result.code == 0, result.stderr
    lines = seen.read_text().splitlines()
    assert lines[0] == "domain jitney"
    assert lines.count("pop") == sum(line.startswith("push ") for line in lines) > 10
    assert f"push load: {digits}" in lines
    assert any(line.startswith("push execute") for line in lines) and any(line.startswith("push step: ") for line in lines)
