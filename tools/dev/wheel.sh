# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
# make_wheel: dist/jitney-*.whl, checked. Built with what is in .venv, in build-wheel, so that a second time is fast.
make_wheel() {
  say "building the wheel"
  rm -rf dist/jitney-*.whl
  # The compiler by the name that CMake finds elsewhere, too: then ccache knows what it compiled for build/.
  CC=${CC:-cc} CXX=${CXX:-c++} CMAKE_BUILD_PARALLEL_LEVEL=$(jobs) "$python" -m pip wheel -q --disable-pip-version-check --no-deps --no-build-isolation -w dist . ||
    fail "the wheel does not build"
  "$python" tools/wheel/check.py dist/jitney-*.whl || fail "the wheel needs something that is not in it"
}

# test_wheel: in an environment of its own, with nothing but the wheel and numpy.
test_wheel() {
  # In a process of its own: where it fails, whatever else is to be checked still is.
  if ! (make_wheel); then
    record "wheel" FAILED "does not build"
  elif JITNEY_WHEEL=$(echo "$PWD"/dist/jitney-*.whl) "$python" -m pytest -q -p no:cacheprovider tests/wheel 2>&1; then
    record "wheel" passed
  else
    record "wheel" FAILED
  fi
}
