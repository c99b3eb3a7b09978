// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace jitney {

/// XXH3-128: fast, and good against accidents; it is no defence against somebody who forges content.
using Digest = std::array<std::byte, 16>;

/// The digest in XXH's canonical (big-endian) byte order, so that its hex reads as xxhsum prints it.
Digest digest_of(std::span<const std::byte> bytes);

/// 32 lower-case hex digits.
std::string to_hex(const Digest& digest);

std::string hash_hex(std::span<const std::byte> bytes);
std::string hash_hex(std::string_view text);

}  // namespace jitney
