# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
# run_ctest NAME FOLDER [CTEST OPTION...]: records the closing line.
run_ctest() {
  local name=$1 folder=$2 log status=passed
  shift 2
  log=$folder/ctest.log
  say "$name"
  ctest --test-dir "$folder" --output-on-failure --no-tests=error -j "$(jobs)" "$@" 2>&1 | tee "$log" || status=FAILED
  record "$name" "$status" "$(grep -E 'tests passed|No tests' "$log" | tail -1)"
}

# run_tests [WORD]: C++ tests, then everything that goes through the command line.
run_tests() {
  local only_ctest=() only_pytest=() log=build/pytest.log code=0 listed
  if [[ -n ${1:-} ]]; then
    only_ctest=(-R "$1")
    only_pytest=(-k "$1")
  fi
  listed=$(ctest --test-dir build -N "${only_ctest[@]}")
  if [[ -z ${1:-} || $listed == *'Test '*'#'* ]]; then
    run_ctest "C++ tests" build "${only_ctest[@]}"
  fi
  say "Python tests"
  JITNEY_BUILD_DIR=$PWD/build "$python" -m pytest -q -rs -p no:cacheprovider --color=auto tests/python tests/house "${only_pytest[@]}" 2>&1 |
    tee "$log" || code=$?
  # Code 5: nothing matched WORD, which is fine when a C++ test did.
  if ((code != 5 || ${#results[@]} == 0)); then
    if ((code == 0)); then record "Python tests" passed "$(tail -1 "$log")"; else record "Python tests" FAILED "$(tail -1 "$log")"; fi
  fi
  run_torch_tests "${only_pytest[@]}"
}

# run_torch_tests [-k WORD]: the PyTorch side, in its own environment.
run_torch_tests() {
  local log=build/pytest-torch.log code=0
  say "PyTorch tests"
  JITNEY_BUILD_DIR=$PWD/build "$torch_environment/bin/python" -m pytest -q -rs -p no:cacheprovider --color=auto tests/torch "$@" 2>&1 |
    tee "$log" || code=$?
  if ((code == 5 && $# > 0)); then return; fi
  if ((code == 0)); then record "PyTorch tests" passed "$(tail -1 "$log")"; else record "PyTorch tests" FAILED "$(tail -1 "$log")"; fi
}

run_onnx_suite() { PYTHONPATH=$PWD/build/python:$PWD/tests/python "$python" -m onnx_suite "$@"; }

run_check() {
  export JITNEY_ALL_MODELS=1
  build
  run_tests
  test_wheel
  run_reliability
  run_sanitizer address address,undefined
  run_sanitizer thread thread
  run_fuzzers "${JITNEY_FUZZ_SECONDS:-60}"
}

# The cache's failure modes, with the numbers that are promised (tenfold at night), rather than the few of a test run.
run_reliability() {
  local log=build/reliability.log
  say "reliability, minutes"
  if reliability_runs >"$log" 2>&1; then
    record "reliability" passed "$(grep -cE '^\[ +OK \]' "$log") tests, and $(tail -1 "$log")"
  else
    tail -40 "$log"
    record "reliability" FAILED "$log"
  fi
}

reliability_runs() {
  local -x JITNEY_CHECK=1 JITNEY_BUILD_DIR=$PWD/build
  build/bin/test_util --gtest_filter='FileLock*' && build/bin/test_cache &&
    build/bin/test_onnx --gtest_filter='HostileModel*' && build/bin/test_runtime --gtest_filter='Teardown*' &&
    "$python" -m pytest -q -p no:cacheprovider --timeout=7200 tests/python/test_cache_faults.py \
      tests/python/test_runtime_processes.py
}

run_nightly() {
  export JITNEY_NIGHTLY=1 JITNEY_FUZZ_SECONDS=${JITNEY_FUZZ_SECONDS:-3600}
  run_check
  JITNEY_CHECK=1 run_test_windows
  run_lint
}

# run_sanitizer address|thread FLAGS. Tests labelled no-address or no-thread are left out.
run_sanitizer() {
  local kind=$1 folder=build-asan fixed=()
  if [[ $kind == thread ]]; then folder=build-tsan; fi
  if ! configure "$folder" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DJITNEY_SANITIZE="$2" || ! compile "$folder"; then
    record "$kind sanitizer" FAILED "does not build"
    return
  fi
  # ThreadSanitizer cannot place its shadow under the address randomization of newer kernels.
  if [[ $kind == thread ]] && setarch "$(uname -m)" -R true 2>/dev/null; then fixed=(setarch "$(uname -m)" -R); fi
  # LLVM is not instrumented, so annotations of containers that it shares with us are incomplete.
  ASAN_OPTIONS=detect_container_overflow=0:strict_string_checks=1:${ASAN_OPTIONS:-} \
    UBSAN_OPTIONS=print_stacktrace=1:${UBSAN_OPTIONS:-} \
    TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:${TSAN_OPTIONS:-} \
    wrapped_ctest "${fixed[*]}" "$kind sanitizer" "$folder" -LE "^no-$kind$"
}

# The wrapper goes around ctest itself, so that every test inherits it.
wrapped_ctest() {
  local wrapper=$1
  shift
  if [[ -n $wrapper ]]; then
    ctest() { $wrapper "$(type -P ctest)" "$@"; }
  fi
  run_ctest "$@"
  unset -f ctest
}

# run_fuzzers SECONDS: every target named fuzz_*; findings are left in build-fuzz.
run_fuzzers() {
  local seconds=$1 name names
  if ! configure build-fuzz -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_C_COMPILER=clang-19 \
    -DCMAKE_CXX_COMPILER=clang++-19 -DJITNEY_SANITIZE=address,undefined -DJITNEY_FUZZERS=ON -DJITNEY_TESTS=OFF; then
    record "fuzzers" FAILED "do not configure"
    return
  fi
  names=$(ninja -C build-fuzz -t targets all | sed -nE 's/^(fuzz_[A-Za-z0-9_]+): phony.*/\1/p')
  if [[ -z $names ]]; then
    record "fuzzers" SKIPPED "there are none yet: nothing was fuzzed"
    return
  fi
  # shellcheck disable=SC2086
  if ! compile build-fuzz $names; then
    record "fuzzers" FAILED "do not build"
    return
  fi
  PYTHONPATH=$PWD/build/python:$PWD/tests/python "$python" tools/fuzz_seeds.py .cache/fuzz-seeds ||
    record "fuzzers' seeds" FAILED
  for name in $names; do fuzz_one "$name" "$seconds"; done
}

fuzz_one() {
  local name=$1 seconds=$2 program corpus=.cache/fuzz/$1 seeds=() folder log=build-fuzz/$1.log
  program=$(find build-fuzz -type f -name "$name" -perm -u+x | head -1)
  mkdir -p "$corpus"
  for folder in "tests/fuzz/$name" ".cache/fuzz-seeds/$name"; do
    if [[ -d $folder ]]; then seeds+=("$folder"); fi
  done
  say "$name for $seconds s"
  if ASAN_OPTIONS=detect_container_overflow=0 "$program" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 \
    -print_final_stats=1 -artifact_prefix="build-fuzz/$name-" "$corpus" "${seeds[@]}" >"$log" 2>&1; then
    record "$name" passed "$(sed -nE 's/^stat::number_of_executed_units: *//p' "$log") runs in $seconds s"
  else
    tail -40 "$log"
    record "$name" FAILED "$log"
  fi
}
