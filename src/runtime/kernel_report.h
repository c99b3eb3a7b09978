// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "passes/traffic.h"
#include "runtime/program.h"

namespace jitney::runtime {

/// What a program's steps do, for people and programs to read. Extents and bytes are expressions over the model's
/// symbols.
struct KernelReport {
  struct Axis {
    std::string name;
    ir::Dim extent;
    bool reduction = false, vector = false;
  };
  struct Operand {
    std::string name;  ///< from the model
    DType dtype = DType::f32;
    bool output = false;
    /// Of a kernel: how it moves along the vector axis, for each way in which it is accessed: "fixed", "contiguous" or
    /// "stride 12*m"; "gathered" where each lane has an index that is data, "... at an index" where all have the same;
    /// "... in bounds" where some elements are not there. Else the shape.
    std::string moves;
  };
  struct Step {
    int number = 0;
    std::string name;                    ///< of the operator that says most about it
    std::string done_by;                 ///< "kernel 3", "library call", "interpreter"
    std::vector<std::string> operators;  ///< fused into it, in order, without views
    std::vector<Axis> axes;              ///< of a kernel, as are the next two
    std::string schedule;
    std::string source;  ///< where asked for: at the first step that runs it
    std::vector<Operand> operands;
    passes::Traffic bytes;
  };
  std::string target;
  int distinct_kernels = 0;
  std::vector<Step> steps;
  passes::FusionSummary fusion;
};

/// `model` is the graph that the program was lowered from. With `source` the generated code is there, too.
KernelReport report_kernels(const ir::Graph& model, const Program& program, const backend::DeviceInfo& device,
                            bool source);

}  // namespace jitney::runtime
