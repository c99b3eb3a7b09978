// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>

namespace jitney::cli {

namespace {
/// A terminal that is gone does not matter.
void put(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stderr); }
}  // namespace

std::string progress_line(int done, int total) {
  constexpr int kCells = 30;
  total = std::max(total, 0);
  done = std::clamp(done, 0, total);
  const auto filled = total == 0 ? kCells : static_cast<std::size_t>(static_cast<std::int64_t>(kCells) * done / total);
  const std::string count = std::to_string(total);
  return fmt::format("compiling kernels [{:<{}}] {:>{}}/{}", std::string(filled, '#'), kCells, done, count.size(),
                     count);
}

ProgressBar::ProgressBar() : is_terminal_(isatty(STDERR_FILENO) == 1) {}
ProgressBar::~ProgressBar() { clear(); }

void ProgressBar::update(int done, int total) {
  if (!is_terminal_) return;
  const std::string line = progress_line(done, total);
  width_ = std::max(width_, line.size());
  put(fmt::format("\r{:<{}}", line, width_));
  std::fflush(stderr);
}

void ProgressBar::clear() {
  if (width_ == 0) return;
  put(fmt::format("\r{:{}}\r", "", width_));
  std::fflush(stderr);
  width_ = 0;
}

}  // namespace jitney::cli
