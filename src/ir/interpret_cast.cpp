// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "ir/element.h"
#include "ir/interpret_internal.h"

namespace jitney::ir {

/// Floating point to integer truncates and saturates, NaN gives 0; integers to narrower ones wrap; anything to bool is
/// whether it is not 0 (NaN is not); to f16 and bf16 goes through f32.
Status interpret_cast(const NodeRun& run) {
  if (run.node.op == Op::bitcast) {
    if (run.out.num_bytes() != 0) std::memcpy(run.out.data(), run.in(0).data(), run.out.num_bytes());
    return {};
  }
  return with_element(run.in(0).dtype(), [&]<class From>(From) {
    return with_element(run.out.dtype(), [&]<class To>(To) -> Status {
      const From* x = run.in(0).as<From>();
      To* y = run.out.as<To>();
      const std::int64_t n = run.out.num_elements();
      for (std::int64_t i = 0; i < n; ++i) y[i] = store<To>(load(x[i]));
      return {};
    });
  });
}

}  // namespace jitney::ir
