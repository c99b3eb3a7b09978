// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cache/place.h"
#include "util/range_lock.h"

/// How things in a store are called, and what is done with them on disk: the part of a store that each system has its
/// own form of. Errors are errno values.
namespace jitney::cache {

template <class T>
using DiskResult = tl::expected<T, int>;

inline constexpr std::string_view kEntrySuffix = ".jk";
inline constexpr const char* kLocksName = ".jitney-locks";
/// Who evicts has this number; others have even and odd ones below 2^61.
inline constexpr std::uint64_t kEvictNumber = std::uint64_t{1} << 62;

inline std::string folder_of(const std::string& name) { return name.substr(0, 2); }
inline std::string file_of(const std::string& name) { return name + std::string(kEntrySuffix); }

/// Numbers in the lock file, from the digits of the hash.
std::uint64_t claim_number(const std::string& name);
std::uint64_t use_number(const std::string& name);

/// One entry's file.
struct StoreFile {
  std::string folder, name;
  std::uint64_t bytes = 0;
  std::int64_t used = 0;  ///< seconds since 1970
  std::uint64_t inode = 0, used_nanoseconds = 0;
};

/// The bytes of FOLDER/xx/NAME, a private copy. A symlink is not followed, and a folder that others may write to is not
/// used. `touch`: an entry whose time of use is further away than this, in seconds, gets the present one.
DiskResult<std::vector<std::byte>> read_store_file(const Place& place, const std::string& folder,
                                                   const std::string& name, std::optional<std::int64_t> touch);
/// Makes the folder and the file, whole or not at all.
Status write_store_file(const Place& place, const std::string& folder, const std::string& name,
                        std::span<const std::byte> bytes, bool durable);
/// 0, or an errno.
int remove_store_file(const Place& place, const std::string& folder, const std::string& name);
/// The entry's size and times; false when it is no regular file.
bool examine_store_file(const Place& place, StoreFile& file);
/// What lies in a folder of the store; "" is the store itself. Empty where it cannot be read.
std::vector<std::string> list_store_folder(const Place& place, const std::string& folder);
RangeLocks open_store_locks(const Place& place);
/// Whether the folder was removed from the file system.
bool is_removed(const Place& place);

}  // namespace jitney::cache
