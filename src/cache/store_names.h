// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "util/file.h"

/// How things in a store are called, and how its folders are opened.
namespace jitney::cache {

inline constexpr std::string_view kEntrySuffix = ".jk";
inline constexpr const char* kLocksName = ".jitney-locks";
/// Who evicts has this number; others have even and odd ones below 2^61.
inline constexpr std::uint64_t kEvictNumber = std::uint64_t{1} << 62;

inline std::string folder_of(const std::string& name) { return name.substr(0, 2); }
inline std::string file_of(const std::string& name) { return name + std::string(kEntrySuffix); }

/// Numbers in the lock file, from the digits of the hash.
std::uint64_t claim_number(const std::string& name);
std::uint64_t use_number(const std::string& name);

/// Opens FOLDER/xx. A symlink there is not followed, and what others may write to is not used.
Sys<unique_fd> open_folder(int dir, const std::string& name);

/// What lies in an open folder, but for "." and "..". Empty where it cannot be read.
std::vector<std::string> names_in(int folder);

}  // namespace jitney::cache
