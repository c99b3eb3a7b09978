// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "onnx/model_builder.h"

namespace jitney::onnx::testing {

/// Imports a model that must import and verify; an empty graph after a failure, which gtest records.
inline ir::Graph imported(const ModelBuilder& builder) {
  auto graph = builder.import();
  if (!graph) {
    ADD_FAILURE() << graph.error().message;
    return {};
  }
  const Status valid = ir::verify(*graph, ir::Stage::imported);
  if (!valid) ADD_FAILURE() << valid.error().message << "\n" << ir::print(*graph);
  return std::move(*graph);
}

/// "float32 [batch, 4]" of output i.
inline std::string type_of(const ir::Graph& graph, std::size_t i = 0) {
  if (i >= graph.outputs.size()) return "no such output";
  const ir::Value& value = graph.value(graph.outputs[i]);
  return std::string(to_string(value.dtype)) + " " + ir::to_string(value.shape);
}

/// Names of the operators, in order: "less where".
inline std::string ops_of(const ir::Graph& graph) {
  std::string text;
  for (const ir::Node& node : graph.nodes) text += (text.empty() ? "" : " ") + std::string(ir::info(node.op).name);
  return text;
}

inline Tensor tensor(std::vector<std::int64_t> shape, const std::vector<float>& data) {
  Tensor t(DType::f32, std::move(shape));
  std::copy(data.begin(), data.end(), t.as<float>());
  return t;
}

/// Outputs of the reference interpreter.
inline std::vector<Tensor> run(const ir::Graph& graph, const std::vector<Tensor>& inputs) {
  auto outputs = ir::interpret(graph, inputs);
  if (!outputs) {
    ADD_FAILURE() << outputs.error().message;
    return {};
  }
  return std::move(*outputs);
}

template <class T = float>
std::vector<T> values_of(const Tensor& t) {
  return std::vector<T>(t.as<T>(), t.as<T>() + t.num_elements());
}

/// Output 0 as floats, for one float input.
inline std::vector<float> run_floats(const ModelBuilder& model, const std::vector<std::int64_t>& shape,
                                     const std::vector<float>& data) {
  const auto outputs = run(imported(model), {tensor(shape, data)});
  return outputs.empty() ? std::vector<float>{} : values_of(outputs[0]);
}

inline void expect_near(const std::vector<float>& found, const std::vector<float>& expected, float tolerance = 1e-5F) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], tolerance) << "element " << i;
}

}  // namespace jitney::onnx::testing
