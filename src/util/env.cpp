// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "util/env.h"

#if !defined(_WIN32)
#include <sys/auxv.h>
#endif

#include <charconv>
#include <cstdlib>

namespace jitney {

std::optional<std::string> env_string(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == 0) return std::nullopt;
  return value;
}

std::optional<std::string> env_path(const char* name) {
  if (is_privileged_start()) return std::nullopt;
  return env_string(name);
}

Expected<std::optional<std::int64_t>> env_int(const char* name, std::int64_t lowest, std::int64_t highest) {
  const auto text = env_string(name);
  if (!text) return std::optional<std::int64_t>();
  std::int64_t value = 0;
  const char* end = text->data() + text->size();
  const auto [rest, error] = std::from_chars(text->data(), end, value);
  if (error != std::errc() || rest != end || value < lowest || value > highest) {
    return user_error("{} is '{}'; allowed is an integer from {} to {}", name, *text, lowest, highest);
  }
  return std::optional(value);
}

bool is_privileged_start() {
#if defined(_WIN32)
  return false;
#else
  return getauxval(AT_SECURE) != 0;
#endif
}

}  // namespace jitney
