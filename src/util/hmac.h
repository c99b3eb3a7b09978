// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "util/expected.h"

namespace jitney {

/// HMAC-SHA256 by OpenSSL's libcrypto 3, which is opened when the first secret comes up: programs without one do not
/// load it. Immutable, thread-safe.
class Hmac {
 public:
  static constexpr std::size_t kBytes = 32;
  using Code = std::array<std::byte, kBytes>;

  /// Error(environment) when there is no libcrypto.
  static Expected<std::shared_ptr<const Hmac>> open(std::string secret);

  Expected<Code> sign(std::span<const std::byte> bytes) const;
  /// In a time that does not depend on where they differ.
  bool verify(std::span<const std::byte> bytes, std::span<const std::byte, kBytes> code) const;

 private:
  explicit Hmac(std::string secret) : secret_(std::move(secret)) {}
  const std::string secret_;
};

}  // namespace jitney
