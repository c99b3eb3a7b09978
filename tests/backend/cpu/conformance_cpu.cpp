// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/conformance.h"

namespace jitney::backend {
namespace {

const Joining kCpu{.backend = "cpu",
                   .binary = [] { return read_test_binary("kernels.so"); },
                   .other_binary = [] { return read_test_binary("other_kernels.so"); },
                   .exclusions = {}};

INSTANTIATE_TEST_SUITE_P(Cpu, BackendConformance, testing::Values(kCpu));
INSTANTIATE_TEST_SUITE_P(Cpu, BackendCalls, testing::Values(kCpu));

}  // namespace
}  // namespace jitney::backend
