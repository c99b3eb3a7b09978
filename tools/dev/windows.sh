# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
# Locks, the store and the packed file for Windows: cross-compiled, and tested under Wine.
run_test_windows() {
  local folder=build-windows log=build-windows/test.log
  if ! cmake -S tests/windows -B $folder -G Ninja -DCMAKE_SYSTEM_NAME=Windows -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_CXX_COMPILER=x86_64-w64-mingw32-g++-posix ||
    ! ninja -C $folder -j "$(jobs)"; then
    record "Windows" FAILED "does not build"
    return
  fi
  # A prefix of its own, so that nobody's Wine is touched.
  if WINEPREFIX=$PWD/$folder/wine WINEDEBUG=-all DISPLAY='' timeout 900 wine $folder/test_windows.exe 2>&1 | tee "$log"; then
    record "Windows" passed "$(grep -E 'PASSED' "$log" | tr -d '\r')"
  else
    record "Windows" FAILED "$log"
  fi
}
