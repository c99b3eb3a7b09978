#!/usr/bin/env bash
# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
# All tests that need a GPU, from a packed tree (./dev gpu-package), in a few minutes: tools/gpu-test.sh [--sanitize]
# --sanitize runs a part of them once more under each tool of compute-sanitizer.
# Exit code: 0 when everything ran and passed. Without a GPU nothing has passed.
set -uo pipefail
tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export LD_LIBRARY_PATH=$tree/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export JITNEY_BACKEND_PATH=$tree/lib/jitney JITNEY_COMPILER_NVRTC=$tree/lib/jitney/jitney-compiler-nvrtc
export JITNEY_TEST_DEVICE=cuda:0 JITNEY_TEST_GPU=required
work=${JITNEY_GPU_LOGS:-$(mktemp -d)}
if [[ -z ${JITNEY_GPU_LOGS:-} ]]; then trap 'rm -rf "$work"' EXIT; fi
failed=0
begin=$SECONDS

check() { # NAME COMMAND...
  local name=$1 at=$SECONDS
  shift
  if "$@" >"$work/$name.log" 2>&1; then
    echo "$name: passed, $((SECONDS - at)) s: $(grep -hE '^\[  (PASSED|SKIPPED)|^[0-9]+ passed' "$work/$name.log" | head -2 | tr '\n' ' ')"
  else
    echo "$name: FAILED, $((SECONDS - at)) s"
    grep -E 'FAILED|Failure|error|ERROR' -A 6 "$work/$name.log" | head -150
    failed=1
  fi
}

# shards NAME COUNT COMMAND...: one GoogleTest program as several processes.
shards() {
  local name=$1 count=$2 i bad=0 pids=()
  shift 2
  for ((i = 0; i < count; ++i)); do
    GTEST_TOTAL_SHARDS=$count GTEST_SHARD_INDEX=$i "$@" >"$work/$name.$i.part" 2>&1 &
    pids+=($!)
  done
  for i in "${pids[@]}"; do wait "$i" || bad=1; done
  cat "$work/$name".*.part
  return $bad
}

"$tree/bin/jitney" doctor >"$work/doctor" 2>&1
if ! grep -q 'device cuda:0: works' "$work/doctor"; then
  cat "$work/doctor"
  echo "gpu-test: NOT PASSED: there is no GPU here"
  exit 1
fi
workers=$(($(nproc) / 2 > 8 ? 8 : ($(nproc) / 2 > 0 ? $(nproc) / 2 : 1)))
check backend timeout 200 "$tree/bin/test_backend" --gtest_brief=1 --gtest_filter='*Cuda*'
check tactics timeout 200 env JITNEY_TACTICS=timed "$tree/bin/test_backend" --gtest_brief=1 --gtest_filter='*Cuda/BackendCalls*'
check streams timeout 200 "$tree/bin/test_runtime_cuda" --gtest_brief=1
# The suites that run on any device; the others look at the CPU's code, its compiler, or host tensors alone.
check runtime shards runtime "$workers" timeout 300 "$tree/bin/test_runtime" --gtest_brief=1 \
  --gtest_filter='Kernels.*:PartsAndTiles.*:Algorithms.*:RandomGraphs.*:RefusedJoins.*:MemoryPlan.*:LibraryCalls.AResidual*'
# Kernels that were made where there is no GPU.
if [[ -d $tree/warmed ]] && grep -q 'device cuda:0: .* target sm_90$' "$work/doctor"; then
  check warmed timeout 300 python3 "$tree/tools/warm_elsewhere.py" check "$tree/warmed" --program "$tree/bin/jitney"
else
  echo "warmed: NOT RUN: the package has no kernels for this GPU"
fi
# PyTorch, where there is one that the packed module is for.
if (cd "$tree/python" 2>/dev/null && python3 -c 'import torch, pytest, jitney.dynamo' 2>/dev/null); then
  many=()
  # An example in C++, where it can be compiled.
  if ! command -v cmake >/dev/null || ! command -v c++ >/dev/null; then
    echo "torch: without test_aoti_cpp.py, which needs CMake and a C++ compiler"
    many+=(--ignore="$tree/tests/torch/test_aoti_cpp.py")
  fi
  if python3 -c 'import xdist' 2>/dev/null; then many+=(-n "$workers"); fi
  check torch timeout 300 env JITNEY_BUILD_DIR="$tree" python3 -m pytest -q -p no:cacheprovider -m cuda "${many[@]}" \
    "$tree/tests/torch"
else
  echo "torch: NOT RUN: there is no PyTorch that the packed Python package is for"
fi
if [[ ${1:-} == --sanitize ]]; then
  tool=$(command -v compute-sanitizer || echo /usr/local/cuda/bin/compute-sanitizer)
  for kind in memcheck racecheck synccheck; do
    # Calls of the driver may fail: asking about ordinary memory does, and we know what to do then.
    words=(timeout 200 "$tool" --tool "$kind" --report-api-errors no --error-exitcode 99)
    # Memory is looked at in libraries' kernels, too. Their barriers and shared memory are their own affair, and more
    # than the tools can follow: cuDNN's attention for Hopper ends under synccheck, racecheck takes minutes for its
    # convolutions and reports their copies.
    calls=
    if [[ $kind == synccheck ]]; then
      words+=(--kernel-name kernel_substring=jitney_kernel --kernel-name kernel_substring=own)
    elif [[ $kind == racecheck ]]; then
      calls=:*BackendCalls*
    fi
    # The tools' own calls end a capture that no thread may disturb.
    check "$kind-streams" shards "$kind-streams" 4 "${words[@]}" "$tree/bin/test_runtime_cuda" --gtest_brief=1 \
      --gtest_filter='*Device*:-*_with_a_neighbour'
    check "$kind-backend" shards "$kind-backend" 4 "${words[@]}" "$tree/bin/test_backend" --gtest_brief=1 \
      --gtest_filter="*Cuda*:-FakeCuda*$calls"
    check "$kind-kernels" shards "$kind-kernels" "$workers" "${words[@]}" "$tree/bin/test_runtime" --gtest_brief=1 \
      --gtest_filter='Kernels.*:PartsAndTiles.*:Algorithms.*:RefusedJoins.*:LibraryCalls.AResidual*'
  done
fi
if ((failed)); then echo "gpu-test: NOT PASSED, $((SECONDS - begin)) s"; else echo "gpu-test: passed, $((SECONDS - begin)) s"; fi
exit $failed
