// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/cpu_name.h"

#if defined(__x86_64__)
#include <cpuid.h>

#include <cstring>
#endif

namespace jitney::backend {

std::string cpu_model_name() {
#if defined(__x86_64__)
  // Three leaves of 16 characters.
  char text[49] = {};
  for (unsigned leaf = 0; leaf < 3; ++leaf) {
    unsigned registers[4] = {};
    if (__get_cpuid(0x80000002u + leaf, &registers[0], &registers[1], &registers[2], &registers[3]) == 0) break;
    std::memcpy(text + 16 * leaf, registers, sizeof registers);
  }
  std::string name = text;
  name.erase(0, name.find_first_not_of(' '));
  name.erase(name.find_last_not_of(' ') + 1);
  return name.empty() ? "x86-64" : name;
#else
  return "aarch64";
#endif
}

}  // namespace jitney::backend
