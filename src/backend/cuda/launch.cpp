// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/launch.h"

#include <algorithm>
#include <cstring>

namespace jitney::backend::cuda {
namespace {

constexpr std::int32_t kMaxBlock = 1024;
/// A multiprocessor holds at most 32 blocks at once; four rounds of them even out blocks that take longer.
constexpr std::uint64_t kBlocksPerMultiprocessor = 128;
constexpr std::uint64_t kMaxGrid = (std::uint64_t{1} << 31) - 1;
/// Clusters of this size exist on every device that has any.
constexpr std::uint64_t kMostParts = 8;
/// Meeting the other blocks of a cluster takes as long as some rounds.
constexpr std::int64_t kLeastRounds = 4;

}  // namespace

Status Parameters::fill(const LaunchArgs& args, CUdeviceptr fault) {
  static_assert(sizeof(void*) == 8 && sizeof(CUdeviceptr) == 8);
  if (args.pointer_count < 0 || args.number_count < 0) {
    return internal_error("a kernel was launched with {} pointers and {} numbers", args.pointer_count,
                          args.number_count);
  }
  const auto pointers = static_cast<std::size_t>(args.pointer_count),
             numbers = static_cast<std::size_t>(args.number_count);
  if (pointers + numbers + 3 > words_.size()) {
    return internal_error("a kernel was launched with {} pointers and {} numbers; {} fit in all", pointers, numbers,
                          words_.size() - 3);
  }
  if (pointers != 0) std::memcpy(words_.data(), args.pointers, pointers * 8);
  if (numbers != 0) std::memcpy(words_.data() + pointers, args.numbers, numbers * 8);
  count_ = pointers + numbers;
  for (const auto word : {static_cast<std::uint64_t>(args.begin), static_cast<std::uint64_t>(args.end),
                          static_cast<std::uint64_t>(fault)}) {
    words_[count_++] = word;
  }
  return {};
}

Expected<Geometry> geometry(const LaunchArgs& args, int multiprocessors, bool has_clusters) {
  if (args.block_threads < 0 || args.block_threads > kMaxBlock || args.block_points < 0) {
    return internal_error(
        "a kernel was launched with blocks of {} threads for {} iterations; allowed are 1 to {} threads",
        args.block_threads, args.block_points, kMaxBlock);
  }
  const std::int32_t block = args.block_threads == 0 ? kDefaultBlock : args.block_threads;
  if (args.end <= args.begin) return Geometry{0, static_cast<unsigned>(block)};
  const auto points = static_cast<std::uint64_t>(args.block_points == 0 ? block : args.block_points);
  const std::uint64_t count = static_cast<std::uint64_t>(args.end) - static_cast<std::uint64_t>(args.begin);
  const std::uint64_t needed = (count - 1) / points + 1;
  const std::uint64_t useful =
      std::min(kMaxGrid, static_cast<std::uint64_t>(std::max(multiprocessors, 1)) * kBlocksPerMultiprocessor);
  const std::uint64_t grid = std::min(needed, useful);
  std::uint64_t parts = 1;
  while (has_clusters && parts < kMostParts && 2 * parts * grid <= static_cast<std::uint64_t>(multiprocessors) &&
         args.rounds >= static_cast<std::int64_t>(2 * parts) * kLeastRounds)
    parts *= 2;
  return Geometry{static_cast<unsigned>(grid * parts), static_cast<unsigned>(block), static_cast<unsigned>(parts)};
}

}  // namespace jitney::backend::cuda
