// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// An ONNX model in memory, imported and optimized as Engine::load does. What fails must fail as a Failure; internal
// ones are faults, since the model is the user's.
#include "frontend/onnx/import.h"
#include "fuzzing.h"
#include "passes/lower.h"

using namespace jitney;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto graph = onnx::import_bytes(fuzzing::bytes_of(data, size));
  if (!graph) {
    REQUIRE(graph.error().kind != ErrorKind::internal);
    return 0;
  }
  REQUIRE(ir::verify(*graph, ir::Stage::imported));
  auto optimized = passes::optimize(std::move(*graph));
  if (!optimized) REQUIRE(optimized.error().kind != ErrorKind::internal);
  return 0;
}
