// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// An ONNX model in memory, imported and optimized as Engine::load does, and where its structure is the inputs' to say,
// as a run does. What fails must fail as a Failure; internal ones are faults, since the model is the user's.
#include "frontend/onnx/import.h"
#include "fuzzing.h"
#include "passes/lower.h"

using namespace jitney;

namespace {

/// False where it was refused, as it may be.
bool must_be_sound(Expected<ir::Graph> graph) {
  if (!graph) {
    REQUIRE(graph.error().kind != ErrorKind::internal);
    return false;
  }
  REQUIRE(ir::verify(*graph, ir::Stage::imported));
  auto optimized = passes::optimize(std::move(*graph));
  if (!optimized) REQUIRE(optimized.error().kind != ErrorKind::internal);
  return true;
}

/// Two tensors of a sequence, and of an optional one or none; 2 where one integer decides.
onnx::GivenInputs some_structure(const onnx::Declared& declared, bool is_there) {
  onnx::GivenInputs given;
  for (const TensorInfo& info : declared.inputs) {
    const bool is_any = info.shape == std::vector<std::string>{"..."};
    onnx::GivenInput& input = given[info.name];
    input.kind = info.is_optional && !is_there ? ValueKind::none : info.kind;
    if (input.kind == ValueKind::none) continue;
    input.ranks.assign(info.kind == ValueKind::sequence ? 2 : 1, is_any ? 1 : info.shape.size());
    if (info.kind != ValueKind::tensor || info.is_optional || !info.shape.empty()) continue;
    if (info.dtype != DType::i64 && info.dtype != DType::boolean) continue;
    auto value = std::make_shared<Tensor>(info.dtype, std::vector<std::int64_t>{});
    *static_cast<std::uint8_t*>(value->data()) = info.dtype == DType::boolean ? 1 : 2;
    input.value = std::move(value);
  }
  return given;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  onnx::Open open = onnx::Open::no;
  const auto bytes = fuzzing::bytes_of(data, size);
  if (must_be_sound(onnx::import_bytes(bytes, std::nullopt, {.open = &open})) || open == onnx::Open::no) return 0;
  const auto declared = onnx::read_declared(bytes, {});
  if (!declared) {
    REQUIRE(declared.error().kind != ErrorKind::internal);
    return 0;
  }
  for (const bool is_there : {true, false}) {
    const onnx::GivenInputs given = some_structure(*declared, is_there);
    (void)must_be_sound(onnx::import_bytes(bytes, std::nullopt, {.given = &given}));
  }
  return 0;
}
