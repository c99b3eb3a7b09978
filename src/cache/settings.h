// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "util/expected.h"
#include "util/hmac.h"

namespace jitney::cache {

inline constexpr std::uint64_t kDefaultMaxBytes = std::uint64_t{2} << 30;

/// "500M", "2G", "123456": bytes, with K, M, G or T of 1024.
Expected<std::uint64_t> parse_size(std::string_view text);

/// JITNEY_CACHE_MAX_SIZE, by default 2 GiB. A bad value is warned about once and is the default.
std::uint64_t max_bytes_from_environment();

/// Signs and checks entries with JITNEY_CACHE_KEY; null when that is not set. Error(user) when it is shorter than 16
/// bytes, Error(environment) without libcrypto: then no cache may be used.
Expected<std::shared_ptr<const Hmac>> signer_from_environment();

}  // namespace jitney::cache
