// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/conformance.h"

namespace jitney::backend {
namespace {

INSTANTIATE_TEST_SUITE_P(Cpu, BackendConformance,
                         testing::Values(Joining{.backend = "cpu",
                                                 .binary = [] { return read_test_binary("kernels.so"); },
                                                 .other_binary = [] { return read_test_binary("other_kernels.so"); },
                                                 .exclusions = {}}));

}  // namespace
}  // namespace jitney::backend
