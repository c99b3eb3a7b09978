// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/optimization_profile.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "util/expected.h"

namespace jitney::engine {

using Profiles = std::vector<OptimizationProfile>;
using Shapes = std::vector<std::vector<std::int64_t>>;

/// So that the profiles that fit a shape are the bits of a number.
inline constexpr std::size_t kMaxProfiles = 64;

/// Profiles that agree with the graph: ranks, fixed extents, equal symbols, the graph's guards, min <= opt <= max. A
/// range that is missing gets what the other inputs' ranges say about it, where they say all of it. Errors are the
/// user's: they name profile and input.
Expected<Profiles> check_profiles(const ir::Graph& graph, Profiles profiles);

/// Bit i: the shapes are in profile i.
std::uint64_t fitting_profiles(const Profiles& profiles, const Shapes& shapes);

/// Which profile serves shapes that fit `fitting`: `wanted`, or with kAutoProfile `active` while it fits, else the
/// first. Negative where none does.
int choose_profile(std::uint64_t fitting, int wanted, int active);

/// Why choose_profile() found none, in one sentence: input, shape, and what the profiles allow.
tl::unexpected<Failure> no_profile(const ir::Graph& graph, const Profiles& profiles, int wanted, const Shapes& shapes);

/// A line for each input of each profile, for people; nothing where there are none.
std::string describe_profiles(const ir::Graph& graph, const Profiles& profiles);

/// The PROFILES section of an engine file, and back. Errors of reading are the user's.
std::string encode_profiles(const Profiles& profiles);
Expected<Profiles> decode_profiles(std::span<const std::byte> bytes);

}  // namespace jitney::engine
