// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/openmp_waiting.h"

#include <dlfcn.h>

#include <cstdlib>

namespace jitney::backend {
namespace {

constexpr const char* kSpinCount = "GOMP_SPINCOUNT";
constexpr const char* kIterations = "1000";

bool is_loaded(const char* library) {
  void* found = dlopen(library, RTLD_LAZY | RTLD_NOLOAD);
  if (found != nullptr) dlclose(found);
  return found != nullptr;
}

}  // namespace

ShortWaits::ShortWaits() {
  if (std::getenv(kSpinCount) != nullptr || std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  if (is_loaded("libgomp.so.1")) return;
  is_set_ = setenv(kSpinCount, kIterations, 0) == 0;
}

// Not for the processes that this one starts.
ShortWaits::~ShortWaits() {
  if (is_set_) unsetenv(kSpinCount);
}

}  // namespace jitney::backend
