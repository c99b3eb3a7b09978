// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "engine/engine_impl.h"
#include "ir/graph.h"

namespace jitney::testing {

using Bytes = std::vector<std::byte>;

/// A tensor whose bytes count up from `first`; booleans alternate.
Tensor counting(DType dtype, std::vector<std::int64_t> shape, unsigned first = 1);

/// y = relu(x w + b) for x [batch, 4]: small, with symbols, a guard and metadata.
ir::Graph small_graph();

/// Valid at Stage::optimized, with every kind of attribute but a graph, symbolic extents of every form, guards,
/// constants of every dtype, and of rank 0, of extent 0 and equal to each other.
/// The first `dtypes` dtypes are there as constants.
ir::Graph wide_graph(int dtypes = kDTypeCount);

/// A region whose body has a region: what only the codec takes, as no engine holds regions.
ir::Graph nested_graph(int depth);

/// Divided into stages, with each hosted operator and graphs in graphs: what minor version 1 added. Frozen, as it is
/// what tests/engine/golden/v1.1.jitney holds.
ir::Graph staged_graph();

/// Everything that a file must keep, to the bit.
void expect_same(const ir::Graph& a, const ir::Graph& b);

/// The digest made right again after an edit.
void reseal(Bytes& file);

Bytes serialized(const ir::Graph& graph);

/// Loads bytes that a vector holds.
Expected<ir::Graph> load(Bytes file);

/// The message of a load that must fail as the user's error.
std::string refusal(const Bytes& file);

/// ids [batch, length], mask [batch, length], twice [2*length, 3]: what the ranges of one say about others.
ir::Graph three_inputs();

}  // namespace jitney::testing
