// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "golden_graphs.h"

#include "passes/lower.h"
#include "passes/views.h"

namespace jitney::compiler::test {

using ir::Attributes;
using ir::Dim;
using ir::Graph;
using ir::Op;
using ir::Shape;
using ir::ValueId;

namespace {

using Ints = std::vector<std::int64_t>;

const Dim n = Dim::symbol("n"), m = Dim::symbol("m");

/// Builds a graph in as few words as it takes to read one.
struct Sketch {
  Graph g;

  ValueId in(const std::string& name, DType dtype, Shape shape) {
    for (const auto& d : shape)
      if (auto symbol = d.symbol_name()) g.symbols[*symbol] = {};
    g.inputs.push_back(g.add_value(name, dtype, std::move(shape)));
    return g.inputs.back();
  }
  ValueId op(Op op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    std::vector<const ir::Value*> values;
    values.reserve(inputs.size());
    for (ValueId id : inputs) values.push_back(&g.value(id));
    auto type = value_or_throw(ir::infer(op, info(op).name, values, attributes, g.guards));
    return to(op, std::move(inputs), type.dtype, type.shape, std::move(attributes));
  }
  ValueId to(Op op, std::vector<ValueId> inputs, DType dtype, Shape shape, Attributes attributes = {}) {
    return g.add_body_node(op, g.unused_name(std::string(info(op).name)), std::move(inputs), dtype, std::move(shape),
                           std::move(attributes));
  }
  ValueId scalar(float v) {
    Tensor t(DType::f32, {});
    *t.as<float>() = v;
    return g.add_constant(g.unused_name("c"), std::move(t));
  }
  Graph out(std::vector<ValueId> outputs) {
    g.outputs = std::move(outputs);
    return std::move(g);
  }
};

Graph elementwise_broadcast() {
  Sketch s;
  ValueId x = s.in("x", DType::f32, {n, m, 48}), bias = s.in("bias", DType::f32, {48}),
          row = s.in("row", DType::f32, {n, m, 1});
  ValueId y = s.op(Op::add, {x, bias});
  return s.out({s.op(Op::relu, {s.op(Op::mul, {y, row})})});
}

Graph softmax() {
  Sketch s;
  ValueId x = s.in("x", DType::f32, {n, m});
  return s.out({s.op(Op::softmax, {x}, {{"axis", std::int64_t{1}}})});
}

Graph layer_norm() {
  Sketch s;
  ValueId x = s.in("x", DType::f32, {n, m}), scale = s.in("scale", DType::f32, {m}),
          bias = s.in("bias", DType::f32, {m});
  return s.out({s.op(Op::layer_norm, {x, scale, bias}, {{"axis", std::int64_t{1}}, {"epsilon", 1e-5}})});
}

Graph gather() {
  Sketch s;
  ValueId table = s.in("table", DType::f32, {100, m}), words = s.in("words", DType::i64, {n});
  return s.out({s.op(Op::gather, {table, words}, {{"axis", std::int64_t{0}}})});
}

Graph concat() {
  Sketch s;
  ValueId a = s.in("a", DType::f32, {n, m}), b = s.in("b", DType::f32, {n, 5});
  return s.out({s.op(Op::concat, {a, b}, {{"axis", std::int64_t{1}}})});
}

/// A decoder's cache and one position more: long runs of memory behind one another.
Graph concat_rows() {
  Sketch s;
  ValueId a = s.in("cache", DType::f32, {n, m, 8}), b = s.in("step", DType::f32, {n, 1, 8});
  return s.out({s.op(Op::concat, {a, b}, {{"axis", std::int64_t{1}}})});
}

Graph pad() {
  Sketch s;
  ValueId x = s.in("x", DType::f32, {n, m});
  return s.out({s.to(Op::pad, {x}, DType::f32, {n + Dim(1), m + Dim(5)},
                     {{"before", Shape{1, 2}}, {"value", 0.5}, {"mode", std::string("constant")}})});
}

Graph transpose() {
  Sketch s;
  ValueId x = s.in("x", DType::f32, {n, m, 6});
  return s.out({s.op(Op::permute, {x}, {{"perm", Ints{0, 2, 1}}})});
}

/// What is read across memory goes by tiles on a GPU.
Graph transpose_and_add() {
  Sketch s;
  ValueId x = s.in("x", DType::f16, {n, m}), y = s.in("y", DType::f16, {m, n});
  return s.out({s.op(Op::add, {s.op(Op::permute, {x}, {{"perm", Ints{1, 0}}}), y})});
}

/// Rows that several blocks of a GPU may divide, with numbers that are the code's, in two phases.
Graph long_rows() {
  Sketch s;
  ValueId x = s.in("x", DType::f32, {n, 20000});
  ValueId most = s.op(Op::reduce_max, {x}, {{"axes", Ints{1}}, {"keepdims", std::int64_t{1}}});
  ValueId y = s.op(Op::sub, {x, most});
  return s.out({s.op(Op::sub, {y, s.op(Op::reduce_min, {y}, {{"axes", Ints{1}}, {"keepdims", std::int64_t{1}}})})});
}

Graph reduce_middle() {
  Sketch s;
  ValueId x = s.in("x", DType::f32, {n, m, 40});
  return s.out({s.op(Op::reduce_max, {x}, {{"axes", Ints{1}}, {"keepdims", std::int64_t{0}}})});
}

/// Values lie in 16 bits and are computed in f32.
Graph storage(DType dtype) {
  Sketch s;
  ValueId x = s.in("x", dtype, {n, m}), y = s.in("y", dtype, {m});
  ValueId sum = s.op(Op::add, {x, y});
  return s.out({s.op(Op::reduce_sum, {sum}, {{"axes", Ints{1}}, {"keepdims", std::int64_t{1}}}), s.op(Op::neg, {sum})});
}

Graph where_mask() {
  Sketch s;
  ValueId keep = s.in("keep", DType::boolean, {n, 1, m}), x = s.in("x", DType::f32, {n, 3, m});
  return s.out({s.op(Op::where, {keep, x, s.scalar(-1e9f)})});
}

Graph gelu() {
  Sketch s;
  return s.out({s.op(Op::gelu_erf, {s.in("x", DType::f32, {n, m})})});
}

/// A normalization of rows whose length is known, in 16 bits.
Graph layer_norm_f16() {
  Sketch s;
  ValueId x = s.in("x", DType::f16, {n, m, 384}), scale = s.in("scale", DType::f16, {384});
  return s.out({s.op(Op::layer_norm, {x, scale}, {{"axis", std::int64_t{2}}, {"epsilon", 1e-5}})});
}

/// Each channel by itself, with a bias and two bounds behind it.
Graph depthwise() {
  Sketch s;
  ValueId last = s.in("x", DType::f16, {n, m, 9, 24}), bias = s.in("bias", DType::f16, {24});
  Tensor weights(DType::f16, {24, 1, 3, 3});
  for (std::int64_t i = 0; i < weights.num_elements(); ++i)
    weights.as<std::uint16_t>()[i] = static_cast<std::uint16_t>(0x3c00 + i);
  const ValueId w = s.g.add_constant("w", std::move(weights));
  const ValueId x = s.op(Op::permute, {last}, {{"perm", Ints{0, 3, 1, 2}}});
  ValueId y = s.op(
      Op::conv, {x, w, bias},
      {{"strides", Ints{1, 1}}, {"dilations", Ints{1, 1}}, {"pads", Ints{1, 1, 1, 1}}, {"groups", std::int64_t{24}}});
  Tensor six(DType::f16, {});
  *six.as<std::uint16_t>() = 0x4600;
  y = s.op(Op::min, {s.op(Op::relu, {y}), s.g.add_constant("six", std::move(six))});
  return s.out({s.op(Op::permute, {y}, {{"perm", Ints{0, 2, 3, 1}}})});
}

}  // namespace

std::vector<GoldenGraph> golden_graphs() {
  const std::vector<ir::SymbolValues> shapes = {
      {{"n", 3}, {"m", 37}}, {{"n", 2}, {"m", 128}}, {{"n", 1}, {"m", 1}}, {{"n", 5}, {"m", 0}}, {{"n", 0}, {"m", 7}}};
  const std::pair<const char*, Graph> graphs[] = {{"elementwise_broadcast", elementwise_broadcast()},
                                                  {"softmax", softmax()},
                                                  {"layer_norm", layer_norm()},
                                                  {"gather", gather()},
                                                  {"concat", concat()},
                                                  {"concat_rows", concat_rows()},
                                                  {"pad", pad()},
                                                  {"transpose", transpose()},
                                                  {"transpose_and_add", transpose_and_add()},
                                                  {"long_rows", long_rows()},
                                                  {"reduce_middle", reduce_middle()},
                                                  {"bf16_storage", storage(DType::bf16)},
                                                  {"f16_storage", storage(DType::f16)},
                                                  {"where_mask", where_mask()},
                                                  {"gelu", gelu()},
                                                  {"layer_norm_f16", layer_norm_f16()},
                                                  {"depthwise", depthwise()}};
  std::vector<GoldenGraph> result;
  for (const auto& [name, graph] : graphs) {
    result.push_back({name, graph, shapes});
    // The kernel must fit into its padded input.
    if (std::string_view(name) == "depthwise")
      std::erase_if(result.back().shapes, [](const auto& symbols) { return symbols.at("m") == 0; });
  }
  return result;
}

Graph lowered(const Graph& graph) { return value_or_throw(passes::lower(value_or_throw(passes::optimize(graph)))); }

std::vector<kernel::Kernel> kernels_of(const Graph& lowered) {
  auto views = value_or_throw(passes::compute_views(lowered));
  std::vector<kernel::Kernel> out;
  for (const auto& node : lowered.nodes) {
    if (node.op != Op::region) continue;
    std::vector<Dim> offsets;
    std::vector<std::vector<Dim>> strides;
    for (auto in : node.inputs) {
      offsets.push_back(views[static_cast<std::size_t>(in)].offset);
      strides.push_back(views[static_cast<std::size_t>(in)].strides);
    }
    out.push_back(value_or_throw(kernel::build(node, offsets, strides)));
  }
  return out;
}

}  // namespace jitney::compiler::test
