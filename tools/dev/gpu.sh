# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
# What needs a GPU, from a tree that can be carried to a machine with one: no LLVM, no oneDNN, under 64 MiB.
gpu_tree=dist/gpu

# gpu_package: builds JITNEY_BACKENDS=cuda and puts it into $gpu_tree with its tests, the benchmark and its models, and
# with the Python package and its PyTorch tests for machines with the same Python and PyTorch as $JITNEY_GPU_PYTHON.
gpu_package() {
  local for_python=${JITNEY_GPU_PYTHON:-$python} with_python=()
  configure build-gpu -DCMAKE_BUILD_TYPE=RelWithDebInfo -DJITNEY_BACKENDS=cuda -DPython_EXECUTABLE="$for_python" \
    -DJITNEY_TORCH_PYTHON="${JITNEY_GPU_PYTHON:-}"
  if ninja -C build-gpu -t query jitney_torch >/dev/null 2>&1; then with_python=(jitney-python jitney_torch); fi
  compile build-gpu src/all jitney-bench-worker jitney-bench-traffic test_runtime test_runtime_cuda test_backend \
    "${with_python[@]}"
  say "packing $gpu_tree"
  rm -rf "$gpu_tree"
  mkdir -p "$gpu_tree"
  cmake --install build-gpu --prefix "$gpu_tree" --strip >/dev/null
  rm -rf "${gpu_tree:?}"/share
  local program library
  for program in jitney-bench-worker jitney-bench-traffic test_runtime test_runtime_cuda test_backend; do
    cp "build-gpu/bin/$program" "$gpu_tree/bin/"
    strip "$gpu_tree/bin/$program"
  done
  # Libraries of the distribution that another one may not have in this version.
  for library in $(ldd build-gpu/lib/libjitney.so | awk '/libfmt|libprotobuf-lite|libzstd/ {print $3}'); do
    cp -L "$library" "$gpu_tree/lib/"
  done
  mkdir -p "$gpu_tree"/{tests,tools}
  cp -r bench "$gpu_tree/"
  cp -r tests/models tests/torch "$gpu_tree/tests/"
  mkdir -p "$gpu_tree"/{docs,examples}
  cp docs/pytorch.md "$gpu_tree/docs/" # whose code is a test
  cp -r examples/aoti_cpp "$gpu_tree/examples/" # which a test compiles, where there is CMake
  cp -r tools/*.py tools/torch_models tools/gpu-test.sh "$gpu_tree/tools/"
  if ((${#with_python[@]})); then
    cp -rL build-gpu/python "$gpu_tree/"
    rm -rf "$gpu_tree"/python/CMakeFiles
    strip --strip-unneeded "$gpu_tree"/python/jitney/*.so "$gpu_tree"/lib/libjitney_torch.so
  fi
  # Kernels for sm_90, made here where there is no GPU: on one, gpu-test.sh runs with them and compiles nothing.
  "$python" tools/warm_elsewhere.py make "$gpu_tree/warmed" --program build-gpu/bin/jitney
  find "$gpu_tree" -name __pycache__ -prune -exec rm -rf {} +
  git describe --always --dirty >"$gpu_tree/COMMIT" 2>/dev/null || echo unknown >"$gpu_tree/COMMIT"
  local size
  size=$(du -sm "$gpu_tree" | cut -f1)
  say "$gpu_tree: $size MiB"
  ((size < 64)) || fail "$gpu_tree has $size MiB; it must stay below 64"
}

# The benchmark's peers: PyTorch of the system where it has one, else of the benchmark's environment.
gpu_python() {
  if python3 -c 'import torch, onnx, torchvision' 2>/dev/null; then
    echo python3
  else
    python_environment .cache/venv-bench requirements-bench.txt
    echo .cache/venv-bench/bin/python
  fi
}

run_gpu_test() { "$gpu_tree/tools/gpu-test.sh" "$@"; }

run_gpu_bench() {
  if [[ ${1:-} == --traffic ]]; then
    "$(gpu_python)" "$gpu_tree/bench/traffic.py" --device cuda --build "$gpu_tree" "${@:2}"
  else
    "$(gpu_python)" "$gpu_tree/bench/gpu.py" --build "$gpu_tree" "$@"
  fi
}
