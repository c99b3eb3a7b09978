// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <jitney/tensor.h>

#include "util/expected.h"

namespace jitney::ir {

/// What Op::read_dims computes: numbers, all of them 0 or more, that become the values of symbols. `given` are Dims of
/// the node, evaluated. Rules (attribute "rule"):
///   extents   every element of every operand
///   signed    for every element x: max(x, 0), max(-x, 0)
///   reshape   operand: a shape as ONNX's Reshape takes it; given: allowzero, the extents of the data
///   expand    operand: a shape; given: the extents of the data; gives the shape of both broadcast
///   slice     operands: starts, ends and perhaps steps; given: an extent and a step (0: it is an operand) for each;
///             gives a start and an extent for each
///   is_axes   operand: axes, which may be negative; given: their rank, whether order counts, axes; gives 0 or 1
///   without
///             symbols, as the node's output, which is boolean: whether these are the same axes
///   is_allowed_axes
///             the same, where not every axis is allowed; given: rank, whether order counts, how many are not, those,
///             axes
///   padded    operand: what is added before each axis, then behind each; given: their extents; gives those then
///   scaled    operand: scales, of a floating dtype; given: an extent for each; gives floor(extent * scale), in float32
///   not_larger, not_smaller
///             operand: sizes; given: an extent for each; gives those sizes scaled so that the aspect is kept
///   range     operands: start, limit, delta of any number dtype; gives how many
/// Errors (user) say what the elements are and may be. `who`: "Reshape 'x'", for messages. Thread-safe.
Expected<std::vector<std::int64_t>> read_dims(const std::string& rule, const std::string& who,
                                              const std::vector<const Tensor*>& operands,
                                              const std::vector<std::int64_t>& given);

/// Whether the rule gives a boolean and no symbols.
bool is_test(const std::string& rule);

/// Whether there is such a rule, and it takes operands and given of these counts.
bool is_rule(const std::string& rule, std::size_t operands, std::size_t given);

/// Whether the rule reads operands of this type.
bool is_operand(const std::string& rule, DType dtype);

}  // namespace jitney::ir
