// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

/// How the CUDA backend calls generated code. Part of every compiled kernel: a change here needs new cache keys.
///
/// A kernel is extern "C" __global__ and takes ONE parameter by value, a structure of 8-byte fields without padding:
///
///     struct { void* pointers[pointer_count]; int64 numbers[number_count]; int64 begin; int64 end; int32* fault; };
///
/// It does the iterations [begin, end). Its blocks are one-dimensional, of LaunchArgs::block_threads threads, and a
/// block does block_points iterations at a time. The grid is one-dimensional and may be smaller than the work, so every
/// kernel loops: block b takes the groups of block_points iterations b, b + gridDim.x, ... (of the blocks of a cluster,
/// which divide a group, c = b / cluster size takes them; a map that goes by tiles takes tiles instead of groups). An
/// empty range launches nothing. Counting from begin with unsigned numbers keeps ranges near the largest integer from
/// overflowing.
///
/// `fault` is a word in page-locked host memory that the device can write, 0 before the launch, or null where the
/// caller gave none. A kernel that meets a bad index writes a number other than 0 there (no atomic operation is needed:
/// any of several will do) and goes on with element 0. The word is the backend's, not LaunchArgs::fault itself, which
/// is pageable memory: FaultWords carries the number over at the next synchronize() of the stream.
namespace jitney::backend::cuda {

/// Bytes of parameters that a kernel may take: 4096 until CUDA 12.1, since then this, on every device that we run on.
/// An older compiler refuses such a kernel, and an older driver its launch.
inline constexpr std::size_t kMaxParameterBytes = 32764;

/// Block and group size where the caller says nothing.
inline constexpr std::int32_t kDefaultBlock = 256;

}  // namespace jitney::backend::cuda
