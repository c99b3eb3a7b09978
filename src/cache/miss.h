// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace jitney::cache {

/// Why a lookup gave nothing.
enum class Miss : std::uint8_t {
  absent,
  other_device,    ///< there is one for another device or processor
  other_driver,    ///< there is one for another driver
  other_compiler,  ///< there is one by another compiler, or with other options
  other_key,       ///< the place in the store holds something else: hashes collided
  format,          ///< written in another format
  damaged,
  unauthenticated,  ///< JITNEY_CACHE_KEY is set, and the entry was not signed with it
  unreadable,       ///< the system refused to read it
  refused_place,
  quarantined,  ///< it failed to compile, and is tried again later
  disabled,
  untrusted,  ///< it came with an engine file that was loaded without trusting its kernels
};
std::string_view to_string(Miss reason);

}  // namespace jitney::cache
