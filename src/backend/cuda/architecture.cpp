// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/architecture.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

namespace jitney::backend::cuda {
namespace {

constexpr int kArchitectures[] = {75, 80, 86, 87, 88, 89, 90, 100, 103, 110, 120, kNewestArchitecture};
constexpr int kNewestThinkable = 999;

}  // namespace

std::span<const int> architectures() { return kArchitectures; }

std::string target_key(int major, int minor) {
  const int number = major * 10 + minor;
  return fmt::format("sm_{}{}", number, number > kNewestArchitecture ? "+ptx" : "");
}

Expected<int> parse_target(std::string_view text, std::string_view source) {
  int number = 0;
  constexpr std::string_view kPrefix = "sm_";
  if (text.starts_with(kPrefix)) std::from_chars(text.data() + kPrefix.size(), text.data() + text.size(), number);
  const bool is_known = std::ranges::binary_search(kArchitectures, number) ||
                        (number > kNewestArchitecture && number <= kNewestThinkable);
  // The name is compared whole: one GPU has one name.
  if (is_known && target_key(number / 10, number % 10) == text) return number;
  return user_error("{} is '{}'; allowed is one of sm_{}, and sm_NNN+ptx for a GPU that is newer than all of them",
                    source, text, fmt::join(kArchitectures, ", sm_"));
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

DeviceInfo describe_architecture(int major, int minor) {
  DeviceInfo info;
  info.target_key = target_key(major, minor);
  info.language = SourceLanguage::cuda;
  info.compiler_options = compiler_options(major, minor);
  info.vector_bytes = 16;
  info.alignment = kMemoryAlignment;
  info.host_memory = false;
  return info;
}

}  // namespace jitney::backend::cuda
