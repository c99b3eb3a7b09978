// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/tuning.h"

#include <string_view>

namespace jitney::backend::cuda {
namespace {

constexpr std::string_view kTimed = "timed ", kRecommended = "recommended ";

}  // namespace

std::string Tuning::key(const std::string& library, const std::string& call) const {
  return fmt::format("{}; {} multiprocessors; {}{}", library, multiprocessors, call,
                     has_large_weights() ? "; weights in memory" : "");
}

std::optional<std::string> Tuning::recall(const std::string& key) const {
  if (services == nullptr) return std::nullopt;
  const auto kept = services->recall(key);
  if (!kept) return std::nullopt;
  if (kept->starts_with(kTimed)) return kept->substr(kTimed.size());
  if (kept->starts_with(kRecommended) && !times()) return kept->substr(kRecommended.size());
  return std::nullopt;
}

void Tuning::keep(const std::string& key, const std::string& choice, bool was_timed) const {
  if (services != nullptr) services->keep(key, std::string(was_timed ? kTimed : kRecommended) + choice);
}

}  // namespace jitney::backend::cuda
