// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

// Debian has no zstd for MinGW-w64. What these tests are about, locks and files, does not need it: entries are stored
// as they are, and packed ones from elsewhere count as damaged.
#include <cstddef>

inline std::size_t ZSTD_compressBound(std::size_t size) { return size; }
inline std::size_t ZSTD_compress(void*, std::size_t, const void*, std::size_t, int) {
  return static_cast<std::size_t>(-1);
}
inline unsigned ZSTD_isError(std::size_t code) { return code == static_cast<std::size_t>(-1); }
inline unsigned long long ZSTD_getFrameContentSize(const void*, std::size_t) { return ~0ULL; }
inline std::size_t ZSTD_findFrameCompressedSize(const void*, std::size_t) { return static_cast<std::size_t>(-1); }
inline std::size_t ZSTD_decompress(void*, std::size_t, const void*, std::size_t) {
  return static_cast<std::size_t>(-1);
}
