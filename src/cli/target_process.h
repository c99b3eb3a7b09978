// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace jitney::cli {

/// Runs `jitney warm` with these arguments for another target, in a process of its own: which instructions kernels and
/// libraries may use is decided once a process. Gives the one object of its report. `target`: "native" is this
/// machine's processor as it is; "x86-64-v3+avx_vnni" any of its architecture, which need not run here; "sm_90" a GPU:
/// one that is here, else as if there were one. Throws Error, the process' own where that failed.
nlohmann::ordered_json warm_for_target(const std::string& target, std::vector<std::string> arguments);

/// Whether this process' "cuda:0" is one that JITNEY_CUDA_TARGET names, which runs nothing, and not one that is here.
bool is_gpu_elsewhere();

}  // namespace jitney::cli
