// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/program.h"

namespace jitney::runtime {

struct Plan;

/// Which outputs of a plan may be written into memory that inputs still lie in. Immutable.
class InPlaceRules {
 public:
  enum class Overlap : std::uint8_t {
    never,    ///< a kernel would read what it has overwritten
    exactly,  ///< where both begin at the same address: every element is read by who then writes it
    anyhow,   ///< nobody reads the input once the output is being written
  };
  InPlaceRules(const Program& program, const Plan& plan);
  Overlap of(std::size_t output, std::size_t input) const { return table_[output * inputs_ + input]; }

 private:
  std::size_t inputs_;
  std::vector<Overlap> table_;
};

}  // namespace jitney::runtime
