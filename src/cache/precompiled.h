// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cache/entry_table.h"

namespace jitney::cache {

/// Kernels that came with an engine file: a pack (pack.h) of entries of the kind "kernel", beside the caches and never
/// part of one, so that who trusts a file trusts it for its own engine only. Only read. Thread-safe.
class Precompiled {
 public:
  /// Verifies a copy of the bytes; damaged entries are left out and counted. Error(user) when they are no pack of a
  /// format that this Jitney knows.
  static Expected<std::shared_ptr<Precompiled>> read(std::span<const std::byte> pack, const Hmac* signer);

  /// The binary for exactly this key; else why not.
  tl::expected<SharedBlob, Miss> find(const Key& key);
  /// The compilers that made kernels for this target; where there is none, those of the other targets; at least one.
  std::vector<std::string> compilers(std::string_view target) const;
  /// How many kernels there are for each target.
  std::map<std::string, std::uint64_t> targets() const;
  std::uint64_t damaged() const { return damaged_; }
  std::uint64_t unauthenticated() const { return unauthenticated_; }

 private:
  EntryTable table_;
  std::map<std::string, std::map<std::string, std::uint64_t>> made_;  ///< by target and compiler
  std::uint64_t damaged_ = 0, unauthenticated_ = 0;
};

/// The kernels of a pack as a pack: what an engine file holds. Equal kernels give equal bytes, whenever they were used.
/// Error like Precompiled::read.
Expected<std::vector<std::byte>> kernels_of(std::span<const std::byte> pack, const Hmac* signer);

}  // namespace jitney::cache
