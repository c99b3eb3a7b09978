// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/conformance.h"

namespace jitney::backend {
namespace {

const char* const kComputesNothing = "the null backend's kernels compute nothing";

const Joining kNull{.backend = "null",
                    .binary = [] { return std::vector<std::byte>(1); },
                    .other_binary = [] { return std::vector<std::byte>(2); },
                    .exclusions = {{"GarbageBinaryIsRefused", "any bytes are a binary of the null backend"},
                                   {"MissingSymbolIsNamed", "every name is a kernel of the null backend"},
                                   {"EveryIterationRunsOnce", kComputesNothing},
                                   {"TwoBinariesAreKeptApart", kComputesNothing},
                                   {"FourThreadsLaunchAtOnce", kComputesNothing},
                                   {"LoadsAndUnloadsWhileOthersLaunch", kComputesNothing},
                                   {"ChildOfAForkLaunches", kComputesNothing}}};

INSTANTIATE_TEST_SUITE_P(Null, BackendConformance, testing::Values(kNull));
INSTANTIATE_TEST_SUITE_P(Null, BackendCalls, testing::Values(kNull));

}  // namespace
}  // namespace jitney::backend
