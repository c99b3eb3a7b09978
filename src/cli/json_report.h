// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli/run_report.h"

namespace jitney::cli {

/// One JSON object on one line, with a stable set of keys. Times are milliseconds; those of `latency_ms` are null when
/// nothing was measured. Text that is no UTF-8 has the bad bytes replaced.
std::string to_json(const RunReport& report);

/// min, mean, median, p90, p95, p99, max and iterations.
nlohmann::ordered_json json_of(const Latency& latency);

}  // namespace jitney::cli
