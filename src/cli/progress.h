// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace jitney::cli {

/// "compiling kernels [#####     ] 5/10", always of the same length for one total. done is clamped to [0, total].
std::string progress_line(int done, int total);

/// A line on stderr that is drawn over itself, and wiped when the object dies: nothing is left of it on a terminal, and
/// nothing at all is written where stderr is none. One object at a time; update() from one thread at a time.
class ProgressBar {
 public:
  ProgressBar();
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void update(int done, int total);
  /// Wipes the line, for whatever is printed next.
  void clear();

 private:
  bool is_terminal_;
  std::size_t width_ = 0;  // of what stands there now
};

}  // namespace jitney::cli
