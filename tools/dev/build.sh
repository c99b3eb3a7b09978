# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
# configure FOLDER [CMAKE OPTION...]: only when the folder was not configured with exactly these options.
configure() {
  local folder=$1
  shift
  local stamp="$PWD $*"
  if [[ -f $folder/build.ninja && $(cat "$folder/.dev-options" 2>/dev/null) == "$stamp" ]]; then return; fi
  say "configuring $folder"
  # CMake refuses a folder that was configured for a tree elsewhere.
  if [[ -f $folder/CMakeCache.txt ]] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" "$folder/CMakeCache.txt"; then
    rm -rf "$folder"
  fi
  # 'return': callers may ask in a condition, where errexit is off.
  cmake -S . -B "$folder" -G Ninja "$@" || return 1
  echo "$stamp" >"$folder/.dev-options"
}

# build [TARGET...]
build() {
  local torch=()
  if [[ -x $torch_environment/bin/python ]]; then torch=(-DJITNEY_TORCH_PYTHON="$torch_environment/bin/python"); fi
  configure build -DCMAKE_BUILD_TYPE=RelWithDebInfo "${torch[@]}"
  compile build "$@"
}

compile() {
  local folder=$1
  shift
  say "building $folder${*:+ ($*)} with $(jobs) jobs"
  ninja -C "$folder" -j "$(jobs)" "$@"
}

sources() { find include src python tests bench examples \( -name '*.h' -o -name '*.cpp' \) -print0; }

run_format() {
  local action=(-i)
  case "${1:-}" in
    --check) action=(--dry-run -Werror) ;;
    "") ;;
    *) fail "unknown option '$1' of format; only --check is known" 2 ;;
  esac
  sources | xargs -0 -r clang-format-19 "${action[@]}"
}

run_lint() {
  local log=build/lint.log
  if run_format --check; then record "clang-format" passed; else record "clang-format" FAILED "'./dev format' mends it"; fi
  compile build # clang-tidy needs the generated headers
  say "clang-tidy, minutes"
  if run-clang-tidy-19 -quiet -p build -j "$(jobs)" "^$PWD/(src|tests|examples)/" >"$log" 2>&1; then
    record "clang-tidy" passed
  else
    grep -E '(warning|error):' "$log" | sort -u || tail -20 "$log"
    record "clang-tidy" FAILED "$log"
  fi
  if "$python" tests/house/check_includes.py; then record "include directions" passed; else record "include directions" FAILED; fi
}

run_bench() {
  if [[ ${1:-} == --bandwidth ]]; then
    compile build jitney-bench-bandwidth
    build/bin/jitney-bench-bandwidth "${@:2}"
    return
  fi
  if [[ ${1:-} == --cache ]]; then
    setup bench
    cmake build >/dev/null # SQLite may be new
    compile build jitney-bench-cache
    build/bin/jitney-bench-cache "${@:2}"
    return
  fi
  compile build jitney-bench-worker jitney-bench-traffic jitney-python
  [[ -f bench/run.py ]] || fail "there are no benchmarks yet"
  mkdir -p .cache
  python_environment .cache/venv-bench requirements-bench.txt
  if [[ ${1:-} == --traffic ]]; then
    .cache/venv-bench/bin/python bench/traffic.py "${@:2}"
  else
    .cache/venv-bench/bin/python bench/run.py "$@"
  fi
}

clean() {
  rm -rf build build-asan build-tsan build-fuzz build-windows
  case "${1:-}" in
    --all) rm -rf .venv .cache ;;
    "") ;;
    *) fail "unknown option '$1' of clean; only --all is known" 2 ;;
  esac
}
