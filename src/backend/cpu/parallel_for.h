// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace jitney::backend {

/// Does part of a range. Must not throw.
using RangeFunction = void (*)(void* context, std::int64_t begin, std::int64_t end);

/// Calls function(context, b, e) so that the ranges [b, e) make up [begin, end) exactly once, on up to `threads`
/// threads, and returns when all are done. Each thread gets at most one range, of at least `grain` iterations; the
/// split depends on the arguments only, as long as the runtime grants that many. An empty range calls nothing. Runs on
/// the calling thread alone when there is work for one thread only, inside another parallel region (ours or any other
/// of the same OpenMP runtime), and in the child of a fork, which has none of the pool's threads. Every thread treats
/// denormal numbers as the calling one does, for that time (denormals.h). Allocates nothing. Thread-safe.
///
/// This is the only place where Jitney's own code goes parallel. It uses libgomp, as oneDNN and PyTorch do: a second
/// pool that spins beside the first makes both many times slower. ThreadSanitizer does not understand libgomp, so
/// those builds start plain threads here.
void parallel_for(int threads, std::int64_t begin, std::int64_t end, std::int64_t grain, RangeFunction function,
                  void* context);

/// The same for [0, threads) with a grain of 1, but what the function does to its thread's mode stays.
void on_every_thread(int threads, RangeFunction function, void* context);

/// Whether parallel_for would run on the calling thread alone, whatever the work: in the child of a fork, and inside a
/// parallel region. Libraries on the same runtime must be told.
bool must_run_alone();

}  // namespace jitney::backend
