// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backend/cuda/cudnn_library.h"
#include "backend/cuda/stopwatch.h"
#include "backend/cuda/tuning.h"

namespace jitney::backend::cuda {

/// What cuDNN's plan for one call is chosen by.
struct CudnnCall {
  std::string text;       ///< all that decides, for the cache's key
  bool is_exact = false;  ///< no engine that rounds its operands
  /// An empty graph gets its operations.
  std::function<Status(cudnn_frontend::graph::Graph&)> describe;
  std::vector<std::size_t> operand_bytes;
  /// One run of the graph's candidate with that number, on operands in the order of operand_bytes.
  std::function<Status(cudnn_frontend::graph::Graph&, std::int64_t, std::span<char* const>, void*, StreamHandle)> run;
};

/// A graph with a built plan: the one that is kept in the cache, else the first of the heuristics that can be built or,
/// where timing is asked for, the fastest of a few. The device's context is current and cuDNN open.
Expected<std::unique_ptr<cudnn_frontend::graph::Graph>> choose_plan(const CudnnCall& call, const Tuning& tuning);

}  // namespace jitney::backend::cuda
