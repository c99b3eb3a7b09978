// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/architecture.h"

#include <fmt/format.h>

namespace jitney::backend::cuda {

std::string target_key(int major, int minor) {
  const int number = major * 10 + minor;
  return fmt::format("sm_{}{}", number, number > kNewestArchitecture ? "+ptx" : "");
}

std::vector<std::string> compiler_options(int major, int minor) {
  const int number = major * 10 + minor;
  return {fmt::format("--gpu-architecture={}_{}", number > kNewestArchitecture ? "compute" : "sm", number),
          "--std=c++17",
          "-default-device",
          "--ftz=false",
          "--prec-div=true",
          "--prec-sqrt=true",
          "--fmad=true"};
}

}  // namespace jitney::backend::cuda
