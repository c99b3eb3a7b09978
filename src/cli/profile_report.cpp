// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cli/profile_report.h"

#include <fmt/format.h>

namespace jitney::cli {

std::string to_text(const Profile& profile) {
  double total = 0;
  for (const auto& step : profile.steps) total += step.seconds;
  std::string text = fmt::format("{:>10} {:>6} {:>9}  {:<32} {}\n", "us", "%", "GFLOP/s", "done by", "step");
  for (const auto& step : profile.steps) {
    const bool has_rate = step.operations > 0 && step.seconds > 0;
    text +=
        fmt::format("{:>10.1f} {:>6.1f} {:>9}  {:<32} {}\n", step.seconds * 1e6, 100 * step.seconds / total,
                    has_rate ? fmt::format("{:.1f}", static_cast<double>(step.operations) / step.seconds * 1e-9) : "",
                    step.done_by, step.name);
  }
  return text + fmt::format("{:>10.1f} in all, and {:.1f} outside the steps\n", total * 1e6, profile.outside * 1e6);
}

}  // namespace jitney::cli
