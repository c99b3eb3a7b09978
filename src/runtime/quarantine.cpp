// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/quarantine.h"

#include <span>

#include <charconv>
#include <chrono>

namespace jitney::runtime {
namespace {

using Verdict = Quarantine::Verdict;
constexpr std::int64_t kSeconds = 24 * 3600;
constexpr std::string_view kUnoptimized = " unoptimized ", kHopeless = " hopeless ";

cache::Key key_of(const cache::Key& kernel) { return cache::Key().add("kind", "quarantine").add("of", kernel.hash()); }

std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

Quarantine find_quarantine(cache::RuntimeCache& cache, const cache::Key& kernel) {
  const auto blob = cache.lookup(key_of(kernel));
  if (!blob) return {};
  const std::string_view text(reinterpret_cast<const char*>((*blob)->data()), (*blob)->size());
  std::int64_t until = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), until);
  // An end further away than any that is written is a clock that jumped.
  if (error != std::errc() || until <= now() || until > now() + kSeconds) return {};
  const std::string_view words = text.substr(static_cast<std::size_t>(rest - text.data()));
  if (words.starts_with(kUnoptimized)) return {Verdict::unoptimized, std::string(words.substr(kUnoptimized.size()))};
  if (words.starts_with(kHopeless)) return {Verdict::hopeless, std::string(words.substr(kHopeless.size()))};
  return {};
}

void put_into_quarantine(cache::RuntimeCache& cache, const cache::Key& kernel, const Quarantine& quarantine) {
  const auto text = fmt::format("{}{}{}", now() + kSeconds,
                                quarantine.verdict == Verdict::hopeless ? kHopeless : kUnoptimized, quarantine.why);
  const auto bytes = std::as_bytes(std::span(text));
  cache.publish(key_of(kernel), {bytes.begin(), bytes.end()});
}

}  // namespace jitney::runtime
