// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <jitney/tensor.h>

#include "ir/dim.h"
#include "ir/op.h"
#include "util/expected.h"

namespace jitney::ir {

class Graph;

using ValueId = std::int32_t;
inline constexpr ValueId kNoValue = -1;  ///< an optional input that is absent

/// One attribute of a node. Booleans are int64 0 or 1.
using Attribute = std::variant<std::int64_t, double, std::string, std::vector<std::int64_t>, std::vector<Dim>,
                               std::shared_ptr<const Graph>>;
using Attributes = std::map<std::string, Attribute, std::less<>>;

/// One tensor in the graph, defined once: by an input, a constant, or a node.
struct Value {
  std::string name;  ///< from the model where it has one; unique in its graph
  DType dtype = DType::f32;
  Shape shape;
  std::shared_ptr<const Tensor> constant;  ///< set for constants only (weights and folded values)
};

/// One operation. Inputs and outputs index Graph::values.
struct Node {
  Op op;
  std::string name;  ///< the model's name for what it came from; for messages, source and traces
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  Attributes attributes;

  std::int64_t integer(std::string_view key) const;
  double real(std::string_view key) const;
  const std::string& text(std::string_view key) const;
  const std::vector<std::int64_t>& integers(std::string_view key) const;
  const std::vector<Dim>& dims(std::string_view key) const;
  const Graph& graph(std::string_view key) const;
  bool has(std::string_view key) const { return attributes.find(key) != attributes.end(); }
};

/// An equality or bound that shape inference could not decide; checked when shapes are bound.
struct Guard {
  enum class Relation : std::uint8_t { equal, less_equal, divides } relation = Relation::equal;
  Dim a, b;            ///< a == b; a <= b; a divides b
  std::string reason;  ///< "inputs of 'layer1/add' must have one extent along axis 1"
};

/// Range of a symbol. Symbols stand for extents of inputs, or for data-dependent extents.
struct SymbolInfo {
  std::int64_t min = 0;
  std::int64_t max = INT64_MAX;
};

/// A model as SSA values over tensors with symbolic extents. Nodes are in execution order: every value
/// is defined before it is used. Not thread-safe while being changed; freely shared once const.
class Graph {
 public:
  std::string name;
  std::vector<Value> values;
  std::vector<Node> nodes;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  /// What the model calls its outputs: passes replace values, and the names must survive. One an output, or none at
  /// all, which means that each is named as its value.
  std::vector<std::string> output_names;
  std::vector<Guard> guards;
  std::map<std::string, SymbolInfo> symbols;
  std::map<std::string, std::string> metadata;  ///< producer, opset, source file: for people

  ValueId add_value(std::string name, DType dtype, Shape shape);
  ValueId add_constant(std::string name, Tensor tensor);
  /// Adds a node with one new output of the given type; gives the output.
  ValueId add_node(Op op, std::string name, std::vector<ValueId> inputs, DType dtype, Shape shape,
                   Attributes attributes = {});

  /// The same with an output whose name no other value has, whatever the model calls its values. For small graphs.
  ValueId add_body_node(Op op, std::string name, std::vector<ValueId> inputs, DType dtype, Shape shape,
                        Attributes attributes = {});
  /// `base`, or `base` with something appended, that no value is named yet. Looks at every value: for small graphs.
  std::string unused_name(const std::string& base) const;

  const std::string& output_name(std::size_t i) const {
    return output_names.empty() ? value(outputs[i]).name : output_names[i];
  }

  Value& value(ValueId id) { return values[static_cast<std::size_t>(id)]; }
  const Value& value(ValueId id) const { return values[static_cast<std::size_t>(id)]; }
  bool is_constant(ValueId id) const { return id != kNoValue && value(id).constant != nullptr; }

  /// For each value the index of the node that defines it, or -1.
  std::vector<int> producers() const;
  /// For each value how many node inputs and graph outputs use it.
  std::vector<int> use_counts() const;
};

/// A readable listing: one line a value definition, with dtype, shape and attributes.
std::string print(const Graph& graph);

/// How far a graph has come; each stage allows fewer forms (table in verify.cpp).
enum class Stage : std::uint8_t {
  imported,   ///< straight from a front end
  optimized,  ///< canonical: constants folded, dead code gone, batch_norm gone
  called,     ///< contractions may be regions already: library calls, or what the backend has no library for
  fused,      ///< regions, views, constants and dims only
};

/// Checks SSA form, arity, attributes, dtypes and shapes against ops.def and the stage's legal forms.
/// A failure is a bug of the pass before (internal), and says which node and what was expected.
Status verify(const Graph& graph, Stage stage);

/// The shape and dtype that an operator gives. Adds guards to `guards` where equality is undecided.
/// Errors are the user's: they name the node, and the shapes found.
struct Inferred {
  DType dtype;
  Shape shape;
};
Expected<Inferred> infer(Op op, std::string_view node_name, const std::vector<const Value*>& inputs,
                         const Attributes& attributes, std::vector<Guard>& guards);
/// numpy broadcasting; constants are decided, equal Dims too; otherwise the extents must be equal when bound
/// (a guard says so), unless one of them is the constant 1.
Expected<Shape> broadcast(const Shape& a, const Shape& b, std::string_view node_name, std::vector<Guard>& guards);

/// Runs a graph, or a region's body, on the host: slow, simple, and the definition of every operator.
/// Inputs in the order of graph.inputs. f16 and bf16 are computed in f32 and rounded after every operator.
Expected<std::vector<Tensor>> interpret(const Graph& graph, const std::vector<Tensor>& inputs);
/// The same where the symbols' values are known already: for a region's body, whose shapes are over the enclosing
/// graph's symbols.
Expected<std::vector<Tensor>> interpret_body(const Graph& graph, const std::vector<const Tensor*>& inputs,
                                             const SymbolValues& symbols);
/// Values of the symbols given concrete input shapes, and the graph's guards checked.
/// Errors are the user's: they name the input, expected and found.
Expected<SymbolValues> bind_symbols(const Graph& graph, const std::vector<std::vector<std::int64_t>>& input_shapes);
/// One node on concrete tensors, for constant folding. shape: the output's, already evaluated.
Expected<std::vector<Tensor>> interpret_node(const Graph& graph, const Node& node,
                                             const std::vector<const Tensor*>& inputs, const SymbolValues& symbols);

}  // namespace jitney::ir
