// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/tensor.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "frontend/onnx/given.h"
#include "ir/graph.h"
#include "util/expected.h"

namespace jitney::onnx {

/// The range of ONNX operator sets that the importer was written against. A model that declares a newer one is
/// imported with the newest known meaning of each operator, and a warning is logged.
inline constexpr int kOldestOpset = 6;
inline constexpr int kNewestOpset = 28;

/// Elements of initializers by name, from memory that somebody keeps alive through the tensors.
using Weights = std::map<std::string, Tensor>;

/// What one model may cost. A model beyond a budget is refused (ErrorKind::user) before the cost is paid.
struct ImportOptions {
  std::size_t max_bytes = 0x7fffffff;         ///< of the model file itself; protobuf's own limit is 2 GiB
  std::size_t max_nodes = 1'000'000;          ///< after functions are inlined
  int max_depth = 100;                        ///< nesting of messages, of subgraphs and of function calls
  std::size_t max_tensor_bytes = 1ull << 38;  ///< of all initializers together, external ones included
  /// What writing nodes out anew may copy, where rounds of loops over sequences and calls of functions need names and
  /// tensors of their own. Constants that rounds and calls can share count once, above.
  std::size_t max_repeated_bytes = 1ull << 30;
  /// Initializers whose data the model leaves out: dtype and shape must be those that the model declares. They are not
  /// copied and count towards no budget. Each must be an initializer of the model. Must outlive the import.
  const Weights* weights = nullptr;
  /// A dim_param such as "2*n + 1" (the grammar of ir::Dim) is an expression, instead of a name of its own.
  bool has_expressions = false;
  /// The least and the largest extent of symbols in expressions.
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> extents;
  /// What the inputs are, where some of them are sequences or optionals, which have no type of their own in a graph:
  /// the tensors of a sequence 's' become inputs 's.0', 's.1'. Metadata "sequence_outputs" says how the graph's outputs
  /// make up the model's, a word each: "-" a tensor, a number a sequence of so many, "~" nothing.
  const GivenInputs* given = nullptr;
  /// Says of a model that was refused whether it could be imported with its inputs given.
  Open* open = nullptr;
};

/// Reads an ONNX model. The graph is valid at Stage::imported; its inputs and outputs carry the model's names.
/// Shape computations (Shape, Gather, Concat, ... on integers) are evaluated while importing, so that the graph's
/// extents are expressions over the symbols of its inputs. Integer and boolean constants that only served as
/// shapes leave no trace. External data is read from beneath the model's folder only.
/// Errors: ErrorKind::user for everything that is wrong with the file, environment where memory or reading
/// fails. Thread-safe: no global state.
Expected<ir::Graph> import_file(const std::string& path, const ImportOptions& options = {});

/// The same for a model in memory. External data is refused unless base_directory is given.
Expected<ir::Graph> import_bytes(std::span<const std::byte> bytes,
                                 const std::optional<std::string>& base_directory = std::nullopt,
                                 const ImportOptions& options = {});

}  // namespace jitney::onnx
