// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Files whose digest is right and whose content is not: made on purpose, so no digest helps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "engine/codec.h"
#include "engine/file_format.h"
#include "engine/graphs.h"

namespace jitney::testing {
namespace {

using engine::proto::Graph;
using ::testing::HasSubstr;

/// A graph's file after an edit of its message.
Bytes edited(const ir::Graph& graph, const std::function<void(Graph&)>& edit) {
  const Bytes plain = serialized(graph);
  const auto parts = value_or_throw(engine::read_sections(plain));
  Graph message;
  EXPECT_TRUE(message.ParseFromArray(parts.graph.data(), static_cast<int>(parts.graph.size())));
  edit(message);
  std::string text;
  EXPECT_TRUE(message.SerializeToString(&text));
  auto layout = engine::lay_out(std::vector<engine::SectionToWrite>{
      {.id = engine::kGraphSection, .size = text.size()},
      {.id = engine::kWeightsSection, .size = parts.weights.size(), .align = engine::kWeightsAlignment}});
  std::ranges::copy(std::as_bytes(std::span(text)),
                    layout.file.begin() + static_cast<std::ptrdiff_t>(layout.offsets[0]));
  std::ranges::copy(parts.weights, layout.file.begin() + static_cast<std::ptrdiff_t>(layout.offsets[1]));
  engine::seal(layout.file);
  return layout.file;
}

std::string refusal(const std::function<void(Graph&)>& edit) { return testing::refusal(edited(small_graph(), edit)); }

// In small_graph: values x, w, b, product, sum, y; nodes matmul, add, relu.
TEST(Hostile, Mode30_UnknownOperator) {
  const auto message = refusal([](Graph& g) { g.mutable_nodes(2)->set_op("frobnicate"); });
  EXPECT_THAT(message, HasSubstr("operator 'frobnicate', which this Jitney does not know"));
}

TEST(Hostile, Mode30_IdsOutOfRange) {
  for (const int id : {6, 1000, INT32_MAX, -2, INT32_MIN}) {
    EXPECT_THAT(refusal([&](Graph& g) { g.mutable_nodes(0)->set_inputs(0, id); }),
                HasSubstr("inputs of node 'fc/matmul'"));
    EXPECT_THAT(refusal([&](Graph& g) { g.mutable_nodes(0)->set_outputs(0, id); }),
                HasSubstr("outputs of node 'fc/matmul'"));
    EXPECT_THAT(refusal([&](Graph& g) { g.set_inputs(0, id); }), HasSubstr("the inputs name value"));
    EXPECT_THAT(refusal([&](Graph& g) { g.set_outputs(0, id); }), HasSubstr("the outputs name value"));
  }
  EXPECT_THAT(refusal([](Graph& g) { g.set_outputs(0, -1); }), HasSubstr("the outputs name value -1"));
}

TEST(Hostile, Mode30_UnknownNumbers) {
  EXPECT_THAT(refusal([](Graph& g) { g.mutable_values(0)->set_dtype(kDTypeCount); }),
              HasSubstr("dtype number " + std::to_string(kDTypeCount)));
  EXPECT_THAT(refusal([](Graph& g) { g.mutable_values(0)->set_dtype(256); }), HasSubstr("dtype number 256"));
  EXPECT_THAT(refusal([](Graph& g) { g.mutable_guards(0)->set_relation(3); }), HasSubstr("relation number 3"));
  EXPECT_THAT(refusal([](Graph& g) { g.mutable_nodes(0)->add_attributes()->set_name("a"); }),
              HasSubstr("no value of a known kind"));
}

TEST(Hostile, Mode30_ConstantsOutsideTheWeights) {
  // 176 bytes of weights: w has 48 at 0, b has 12 at 64.
  const auto at = [](std::uint64_t offset) {
    return refusal([&](Graph& g) { g.mutable_values(2)->mutable_constant()->set_offset(offset); });
  };
  for (const std::uint64_t offset :
       {std::uint64_t{1}, std::uint64_t{68}, std::uint64_t{128}, std::uint64_t{1} << 63, UINT64_MAX - 63}) {
    EXPECT_THAT(at(offset), HasSubstr("constant 'b' claims 12 bytes at")) << offset;
  }
}

TEST(Hostile, Mode30_ConstantsOfAnotherSize) {
  const auto sized = [](std::uint64_t bytes) {
    return refusal([&](Graph& g) { g.mutable_values(2)->mutable_constant()->set_bytes(bytes); });
  };
  for (const std::uint64_t bytes : {std::uint64_t{0}, std::uint64_t{11}, std::uint64_t{13}, UINT64_MAX}) {
    EXPECT_THAT(sized(bytes), HasSubstr("constant 'b' has")) << bytes;
  }
  const auto shaped = [](std::vector<std::string> shape, std::uint64_t bytes) {
    return refusal([&](Graph& g) {
      auto* b = g.mutable_values(2);
      b->clear_shape();
      for (const std::string& d : shape) b->add_shape(d);
      b->mutable_constant()->set_bytes(bytes);
    });
  };
  EXPECT_THAT(shaped({"4"}, 12), HasSubstr("has 12 bytes, and 16 by its shape"));
  EXPECT_THAT(shaped({"1099511627776", "1099511627776"}, 0), HasSubstr("more bytes than can be counted"));
  EXPECT_THAT(shaped({"4611686018427387904"}, 0), HasSubstr("more bytes than can be counted"));  // 2^62 * 4 = 2^64
  EXPECT_THAT(shaped({"4611686018427387904", "0"}, 12), HasSubstr("has 12 bytes, and 0 by its shape"));
  EXPECT_THAT(shaped({"batch"}, 12), HasSubstr("constant 'b' has the extent 'batch'"));
  EXPECT_THAT(shaped({"-3"}, 12), HasSubstr("value 'b' has the extent -3"));
}

TEST(Hostile, Mode30_BooleansAreZeroOrOne) {
  ir::Graph g;
  g.add_constant("m", counting(DType::boolean, {4}));
  Bytes file = serialized(g);
  file[engine::kWeightsAlignment] = std::byte{2};
  reseal(file);
  EXPECT_THAT(testing::refusal(file), HasSubstr("constant 'm' is boolean"));
}

TEST(Hostile, Mode30_Extents) {
  const auto with = [](const std::string& text) {
    return refusal([&](Graph& g) { g.mutable_values(0)->set_shape(0, text); });
  };
  EXPECT_THAT(with(""), HasSubstr("is not an expression"));
  EXPECT_THAT(with("batch +"), HasSubstr("is not an expression"));
  EXPECT_THAT(with("-1"), HasSubstr("value 'x' has the extent -1"));
  EXPECT_THAT(with("99999999999999999999"), HasSubstr("64 bits"));
  EXPECT_THAT(with(std::string(engine::kMaxDimText + 1, 'a')), HasSubstr("longer than the 16384 characters"));
  EXPECT_THAT(with(std::string(10'000, '(') + "1" + std::string(5'000, ')')), HasSubstr("nested"));
  const auto many = refusal([](Graph& g) {
    for (int i = 0; i < 300; ++i) g.mutable_values(0)->add_shape(std::string(16'000, 'a') + std::to_string(i));
  });
  EXPECT_THAT(many, HasSubstr("or 4194304 for all"));
}

TEST(Hostile, Mode30_Symbols) {
  EXPECT_THAT(refusal([](Graph& g) { g.mutable_symbols(0)->set_min(65); }), HasSubstr("range [65, 64]"));
  EXPECT_THAT(refusal([](Graph& g) { g.mutable_symbols(0)->set_min(-1); }), HasSubstr("range [-1, 64]"));
  EXPECT_THAT(refusal([](Graph& g) { g.mutable_symbols(0)->set_name("2*a"); }), HasSubstr("no name of a symbol"));
  EXPECT_THAT(refusal([](Graph& g) { *g.add_symbols() = g.symbols(0); }), HasSubstr("is there twice"));
}

TEST(Hostile, Mode30_ThingsTwice) {
  EXPECT_THAT(refusal([](Graph& g) { *g.add_metadata() = g.metadata(0); }),
              HasSubstr("metadata 'opset' is there twice"));
  EXPECT_THAT(refusal([](Graph& g) { g.mutable_values(1)->set_name("x"); }), HasSubstr("two values are named 'x'"));
  EXPECT_THAT(refusal([](Graph& g) {
                for (int i = 0; i < 2; ++i) {
                  auto* a = g.mutable_nodes(0)->add_attributes();
                  a->set_name("k");
                  a->set_integer(1);
                }
              }),
              HasSubstr("attribute 'k' twice"));
}

TEST(Hostile, Mode30_GraphsThatDoNotVerify) {
  EXPECT_THAT(refusal([](Graph& g) { g.mutable_nodes()->SwapElements(0, 2); }), HasSubstr("used before it is defined"));
  EXPECT_THAT(refusal([](Graph& g) { g.mutable_nodes(0)->set_op("batch_norm"); }), HasSubstr("not allowed"));
  EXPECT_THAT(refusal([](Graph& g) { g.mutable_nodes(0)->set_inputs(0, 3); }), HasSubstr("used before it is defined"));
  EXPECT_THAT(refusal([](Graph& g) { g.mutable_values(5)->set_dtype(3); }), HasSubstr("was expected"));
}

/// Applies an edit, and says for which extents of "batch" the graph that loads would run.
std::string runs_for(const ir::Graph& graph, const std::vector<std::int64_t>& extents,
                     const std::function<void(Graph&)>& edit) {
  const auto loaded = load(edited(graph, edit));
  if (!loaded) return loaded.error().message;
  std::string text;
  for (const std::int64_t n : extents) text += ir::bind_symbols(*loaded, {{n, 4}}) ? std::to_string(n) + " " : "";
  return text;
}

ir::Graph view_graph(ir::Op op, ir::Shape shape, ir::Attributes attributes) {
  ir::Graph g;
  const ir::Dim batch = ir::Dim::symbol("batch");
  g.inputs = {g.add_value("x", DType::f32, {batch, 4})};
  g.outputs = {g.add_node(op, "view", {g.inputs[0]}, DType::f32, std::move(shape), std::move(attributes))};
  return g;
}

// Kernels do not check what they read, so a file may not leave out what keeps them inside.
TEST(Hostile, Mode30_ReadsOutsideAnInput) {
  const ir::Dim batch = ir::Dim::symbol("batch");
  using Dims = std::vector<ir::Dim>;
  const auto slice = [&](ir::Dim rows, ir::Dim start, std::int64_t step) {
    return view_graph(ir::Op::slice, {rows, 4}, {{"starts", Dims{start, 0}}, {"steps", Dims{step, 1}}});
  };
  const auto none = [](Graph&) {};
  const std::vector<std::int64_t> extents = {0, 1, 2, 3, 6, 7};
  EXPECT_EQ(runs_for(slice(2, 1, 1), extents, none), "3 6 7 ");
  EXPECT_EQ(runs_for(slice(3, 0, 3), extents, none), "7 ");
  EXPECT_EQ(runs_for(slice(3, 6, -3), extents, none), "7 ");
  EXPECT_EQ(runs_for(slice(batch, batch - 1, -1), extents, none), "0 1 2 3 6 7 ");
  EXPECT_EQ(runs_for(slice(batch, 0, 1), extents, none), "0 1 2 3 6 7 ");
  EXPECT_THAT(runs_for(slice(batch, 1, 1), extents, none), HasSubstr("reads outside its inputs"));
  EXPECT_THAT(runs_for(slice(1, -1, 1), extents, none), HasSubstr("reads outside its inputs"));
  EXPECT_THAT(runs_for(slice(1, INT64_MAX, INT64_MAX), extents, none), HasSubstr("reads outside its inputs"));
  EXPECT_THAT(runs_for(slice(3, 5, INT64_MAX), extents, none), HasSubstr("reads outside its inputs"));
  EXPECT_EQ(runs_for(view_graph(ir::Op::reshape, {8}, {}), extents, none), "2 ");
  EXPECT_EQ(runs_for(view_graph(ir::Op::expand, {3, 4}, {}), extents, none), "3 ");
  EXPECT_EQ(runs_for(view_graph(ir::Op::relu, {6, 4}, {}), extents, none), "6 ");
  EXPECT_EQ(runs_for(view_graph(ir::Op::cast, {6, 4}, {}), extents, none), "6 ");
  const Dims before = {1, 0};
  const auto pad = [&](const char* mode) {
    return view_graph(ir::Op::pad, {batch + 1, 4}, {{"before", before}, {"value", 0.0}, {"mode", std::string(mode)}});
  };
  EXPECT_EQ(runs_for(pad("edge"), extents, none), "1 2 3 6 7 ");
  EXPECT_EQ(runs_for(pad("constant"), extents, none), "0 1 2 3 6 7 ");
  // relu's output is said to have 7 rows.
  EXPECT_EQ(runs_for(small_graph(), {1, 7, 64}, [](Graph& g) { g.mutable_values(5)->set_shape(0, "7"); }), "7 ");
}

TEST(Hostile, Mode30_MessagesHoldNoControlCharacters) {
  const auto message = refusal([](Graph& g) {
    g.mutable_nodes(0)->set_name("a\x1b[31m\nb");
    g.mutable_nodes()->SwapElements(0, 2);
  });
  EXPECT_TRUE(std::none_of(message.begin(), message.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }))
      << message;
  const auto op = refusal([](Graph& g) { g.mutable_nodes(0)->set_op(std::string(100'000, '\n')); });
  EXPECT_LT(op.size(), 300U);
  EXPECT_EQ(op.find('\n'), std::string::npos);
}

TEST(Hostile, Mode30_NestedGraphs) {
  const auto nested = [](int depth) {
    return refusal([&](Graph& g) {
      Graph* at = &g;
      for (int i = 0; i < depth; ++i) {
        auto* node = at == &g ? g.mutable_nodes(0) : at->add_nodes();
        node->set_op("region");
        auto* attribute = node->add_attributes();
        attribute->set_name("body");
        at = attribute->mutable_graph();
      }
    });
  };
  EXPECT_THAT(nested(1), HasSubstr("not allowed"));
  EXPECT_THAT(nested(24), HasSubstr("nested more than 24 deep"));
  EXPECT_THAT(nested(50), HasSubstr("its graph cannot be read"));
  EXPECT_THAT(nested(10'000), HasSubstr("its graph cannot be read"));
}

TEST(Hostile, Mode30_MoreThingsThanFitInTheirBytes) {
  EXPECT_THAT(refusal([](Graph& g) {
                for (int i = 0; i < 100'000; ++i) g.add_values();
              }),
              HasSubstr("it claims 100006 values"));
  EXPECT_THAT(refusal([](Graph& g) {
                for (int i = 0; i < 100'000; ++i) g.add_nodes();
              }),
              HasSubstr("100003 nodes"));
}

/// Any generator will do that gives the same numbers everywhere.
struct Random {
  std::uint64_t state;
  std::uint64_t operator()(std::uint64_t below) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (state >> 33) % below;
  }
};

/// A file that loads must be sound enough to print, describe and save again.
void use(const Bytes& file, int& loaded) {
  auto graph = load(file);
  if (!graph) {
    ASSERT_EQ(graph.error().kind, ErrorKind::user) << graph.error().message;
    ASSERT_FALSE(graph.error().message.empty());
    return;
  }
  ++loaded;
  ASSERT_FALSE(ir::print(*graph).empty());
  for (const ir::Value& v : graph->values) {
    unsigned sum = 0;
    for (std::size_t i = 0; v.constant && i < v.constant->num_bytes(); ++i)
      sum += static_cast<const std::uint8_t*>(v.constant->data())[i];
    ASSERT_LT(sum, 1U << 30);
  }
  const EngineImpl described(std::move(*graph));
  if (loaded % 4 != 0) return;
  const auto again = engine::serialize(described.graph());
  ASSERT_TRUE(again) << again.error().message;
  expect_same(described.graph(), value_or_throw(load(*again)));
}

TEST(Hostile, Mode30_RandomBytes) {
  const Bytes small = serialized(small_graph()), wide = serialized(wide_graph());
  Random random{1};
  int loaded = 0;
  for (int i = 0; i < 20'000; ++i) {
    Bytes file = i % 2 == 0 ? small : wide;
    const std::size_t graph_end = std::min<std::size_t>(file.size() - engine::kDigestSize, engine::kWeightsAlignment);
    for (std::uint64_t edits = 1 + random(4); edits > 0; --edits) {
      // Mostly where structure is, past magic and version; weights are only numbers.
      const std::size_t at = 12 + random((random(10) == 0 ? file.size() - engine::kDigestSize : graph_end) - 12);
      static constexpr int kInteresting[] = {0, 1, 0x7f, 0x80, 0xff};
      file[at] = random(2) == 0 ? static_cast<std::byte>(random(256)) : static_cast<std::byte>(kInteresting[random(5)]);
    }
    reseal(file);
    use(file, loaded);
    if (HasFatalFailure()) FAIL() << "mutation " << i;
  }
  EXPECT_GT(loaded, 100);
  EXPECT_LT(loaded, 19'900);
}

/// One edit that keeps the message a message.
void mutate(Graph& g, Random& random) {
  static const std::string kDims[] = {"0",
                                      "1",
                                      "3",
                                      "4",
                                      "-1",
                                      "batch",
                                      "batch + 1",
                                      "9223372036854775807",
                                      "seq.0:len",
                                      "floordiv(1, 0)",
                                      "mod(batch, 0)",
                                      "2*unknown",
                                      ".overflow",
                                      "max(batch, 4)"};
  static const std::int64_t kNumbers[] = {0, 1, -1, 2, 3, INT64_MAX, INT64_MIN, 1 << 20};
  const auto dim = [&] { return kDims[random(std::size(kDims))]; };
  const auto id = [&] { return static_cast<int>(random(static_cast<std::uint64_t>(g.values_size()) + 2)) - 1; };
  auto* value = g.mutable_values(static_cast<int>(random(static_cast<std::uint64_t>(g.values_size()))));
  auto* node = g.mutable_nodes(static_cast<int>(random(static_cast<std::uint64_t>(g.nodes_size()))));
  const auto attribute = [&](const std::function<void(engine::proto::Attribute&)>& edit) {
    if (node->attributes_size() != 0)
      edit(*node->mutable_attributes(static_cast<int>(random(static_cast<std::uint64_t>(node->attributes_size())))));
  };
  switch (random(16)) {
    case 0: value->set_dtype(static_cast<std::uint32_t>(random(15))); break;
    case 1: value->add_shape(dim()); break;
    case 2:
      if (value->shape_size() != 0) value->mutable_shape()->RemoveLast();
      break;
    case 3:
      if (value->shape_size() != 0)
        value->set_shape(static_cast<int>(random(static_cast<std::uint64_t>(value->shape_size()))), dim());
      break;
    case 4: value->mutable_constant()->set_offset(64 * random(100)); break;
    case 5: value->clear_constant(); break;
    case 6:
      node->set_op(std::string(ir::info(static_cast<ir::Op>(random(static_cast<std::uint64_t>(ir::op_count())))).name));
      break;
    case 7:
      if (node->inputs_size() != 0)
        node->set_inputs(static_cast<int>(random(static_cast<std::uint64_t>(node->inputs_size()))), id());
      break;
    case 8: node->add_inputs(id()); break;
    case 9: node->mutable_inputs()->Truncate(node->inputs_size() / 2); break;
    case 10:
      if (node->outputs_size() != 0) node->set_outputs(0, id());
      break;
    case 11:
      attribute([&](auto& a) {
        if (a.has_integer())
          a.set_integer(kNumbers[random(std::size(kNumbers))]);
        else if (a.has_integers() && a.integers().values_size() != 0)
          a.mutable_integers()->set_values(0, kNumbers[random(std::size(kNumbers))]);
      });
      break;
    case 12:
      attribute([&](auto& a) {
        if (a.has_dims())
          a.mutable_dims()->add_values(dim());
        else if (a.has_integers())
          a.mutable_integers()->add_values(kNumbers[random(std::size(kNumbers))]);
      });
      break;
    case 13:
      attribute([&](auto& a) {
        if (a.has_dims() && a.dims().values_size() != 0)
          a.mutable_dims()->set_values(0, dim());
        else
          a.set_real(-1);
      });
      break;
    case 14:
      g.mutable_nodes()->SwapElements(static_cast<int>(random(static_cast<std::uint64_t>(g.nodes_size()))), 0);
      break;
    default: g.add_outputs(id()); break;
  }
}

TEST(Hostile, Mode30_RandomMessages) {
  const ir::Graph small = small_graph(), wide = wide_graph();
  Random random{2};
  int loaded = 0;
  for (int i = 0; i < 5'000; ++i) {
    const Bytes file = edited(i % 2 == 0 ? small : wide, [&](Graph& g) {
      for (std::uint64_t edits = 1 + random(3); edits > 0; --edits) mutate(g, random);
    });
    use(file, loaded);
    if (HasFatalFailure()) FAIL() << "mutation " << i;
  }
  EXPECT_GT(loaded, 100);
}

}  // namespace
}  // namespace jitney::testing
