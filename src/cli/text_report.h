// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/tensor.h>

#include <string>

#include "cli/run_report.h"

namespace jitney::cli {

/// Several lines, each ended by a newline.
std::string to_text(const RunReport& report);

/// "[0.1, 2, -3.5]": all values of a small tensor, else the first few and "...".
std::string first_values(const Tensor& tensor);

}  // namespace jitney::cli
