// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cli/model_inputs.h"

#include <optional>

#include "cli/arguments.h"
#include "cli/input_shapes.h"
#include "cli/npy.h"
#include "cli/random_inputs.h"
#include "engine/engine_impl.h"

namespace jitney::cli {
namespace {

const TensorInfo* find_input(const Engine& engine, const std::string& name) {
  for (const TensorInfo& info : engine.inputs()) {
    if (info.name == name) return &info;
  }
  return nullptr;
}

/// A number apart from its neighbours', so that two inputs of one shape differ.
std::uint64_t seed_of(std::uint64_t seed, std::size_t input) { return seed * 0x2545f4914f6cdd1du + input; }

Expected<Tensor> read_input(const Engine& engine, const InputArgument& argument) {
  const ir::Graph& graph = engine.impl()->graph();
  const TensorInfo* info = find_input(engine, argument.input);
  if (info == nullptr) {
    return user_error("the model has no input '{}'; its inputs are: {}", argument.input, list_inputs(graph));
  }
  JITNEY_TRY(Tensor tensor, read_npy(argument.file, info->dtype));
  if (tensor.dtype() != info->dtype) {
    return user_error("input '{}' is {}, and '{}' holds {}", info->name, to_string(info->dtype), argument.file,
                      to_string(tensor.dtype()));
  }
  return tensor;
}

}  // namespace

Expected<ModelInputs> make_inputs(const Engine& engine, const std::vector<std::string>& files,
                                  const std::vector<std::string>& shapes, std::uint64_t seed) {
  const ir::Graph& graph = engine.impl()->graph();
  GivenShapes given;
  for (const std::string& text : shapes) {
    JITNEY_TRY(ShapeArgument argument, parse_shape_argument(text));
    if (!given.emplace(argument.input, std::move(argument.shape)).second) {
      return user_error("--shape gives the shape of '{}' twice", argument.input);
    }
  }
  std::map<std::string, Tensor> read;
  for (const std::string& text : files) {
    JITNEY_TRY(const InputArgument argument, parse_input_argument(text));
    if (read.count(argument.input) != 0) return user_error("--input gives the input '{}' twice", argument.input);
    if (given.count(argument.input) != 0) {
      return user_error("input '{}' has both --input and --shape; the file has a shape of its own", argument.input);
    }
    JITNEY_TRY(Tensor tensor, read_input(engine, argument));
    read.emplace(argument.input, std::move(tensor));
  }
  for (const auto& [name, tensor] : read) given[name] = tensor.shape();
  JITNEY_TRY(InputShapes resolved, resolve_shapes(graph, given));
  ModelInputs result{.assumed_extents = std::move(resolved.assumed)};
  for (std::size_t i = 0; i < resolved.shapes.size(); ++i) {
    const TensorInfo& info = engine.inputs()[i];
    const auto found = read.find(info.name);
    if (found != read.end()) {
      result.tensors.push_back(std::move(found->second));
      continue;
    }
    try {
      result.tensors.push_back(random_tensor(info.dtype, std::move(resolved.shapes[i]), seed_of(seed, i)));
    } catch (const Error& error) {
      return tl::unexpected(Failure{error.kind(), fmt::format("input '{}': {}", info.name, error.what())});
    }
  }
  return result;
}

}  // namespace jitney::cli
