// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Functions and If are replaced by what they hold.
#include "onnx/import_check.h"

namespace jitney::onnx::testing {
namespace {

TEST(Function, IsInlinedWithItsAttributes) {
  ModelBuilder m;
  m.input("x", {"n", 3}).output("y");
  auto& f = add_function(m, "Norm", {"a"}, {"b"});
  f.add_attribute("where");
  add_node(*f.mutable_node(), "Softmax", {"a"}, {"t"}).reference("axis", "where");
  add_node(*f.mutable_node(), "Neg", {"t"}, {"b"}).name("negate");
  m.node("Norm", {"x"}, {"m"}).domain("local").name("first").integer("where", 0);
  m.node("Norm", {"m"}, {"y"}).domain("local").name("second").integer("where", 1);
  const auto graph = imported(m);
  EXPECT_EQ(ops_of(graph), "softmax neg softmax neg");
  EXPECT_EQ(graph.nodes[0].integer("axis"), 0);
  EXPECT_EQ(graph.nodes[2].integer("axis"), 1);
  EXPECT_EQ(graph.nodes[1].name, "first/negate");
  EXPECT_EQ(graph.nodes[3].name, "second/negate");
  EXPECT_EQ(graph.value(graph.outputs[0]).name, "y");
}

TEST(Function, DefaultAttributeAndAbsentInput) {
  ModelBuilder m;
  m.input("x", {"n", 3}).output("y");
  auto& f = add_function(m, "F", {"a", "low"}, {"b"});
  auto& standard = *f.add_attribute_proto();
  standard.set_name("where");
  standard.set_type(proto::AttributeProto::INT);
  standard.set_i(-1);
  add_node(*f.mutable_node(), "Clip", {"a", "low"}, {"t"});
  add_node(*f.mutable_node(), "Softmax", {"t"}, {"b"}).reference("axis", "where");
  m.node("F", {"x"}, {"y"}).domain("local");
  const auto graph = imported(m);
  EXPECT_EQ(ops_of(graph), "softmax");
  EXPECT_EQ(graph.nodes[0].integer("axis"), 1);
}

TEST(Function, Mode33_RecursionIsRefused) {
  ModelBuilder m;
  m.input("x", {"n"}).output("y");
  auto& f = add_function(m, "F", {"a"}, {"b"});
  add_node(*f.mutable_node(), "G", {"a"}, {"b"}).domain("local").name("g");
  auto& g = add_function(m, "G", {"a"}, {"b"});
  add_node(*g.mutable_node(), "F", {"a"}, {"b"}).domain("local").name("f");
  m.node("F", {"x"}, {"y"}).domain("local").name("call");
  EXPECT_EQ(message_of(m.import()), "function 'F' calls itself at node 'call/g/f'; recursion is not supported");
}

TEST(Function, Mode33_DoublingIsBounded) {
  // Thirty functions, each calling the next twice: a billion nodes if nothing stopped it.
  ModelBuilder m;
  m.input("x", {"n"}).output("y");
  for (int i = 0; i < 30; ++i) {
    auto& f = add_function(m, fmt::format("F{}", i), {"a"}, {"b"});
    const std::string next = i == 29 ? "Relu" : fmt::format("F{}", i + 1);
    const std::string domain = i == 29 ? "" : "local";
    add_node(*f.mutable_node(), next, {"a"}, {"t"}).domain(domain);
    add_node(*f.mutable_node(), next, {"t"}, {"b"}).domain(domain);
  }
  m.node("F0", {"x"}, {"y"}).domain("local");
  ImportOptions options;
  options.max_nodes = 10'000;
  EXPECT_EQ(message_of(m.import(options)), "the model has more than 10000 nodes, functions inlined");
}

TEST(If, ADecidedBranchIsInlined) {
  for (const bool deep : {false, true}) {
    ModelBuilder m;
    m.input("x", deep ? std::vector<Extent>{"n", 1} : std::vector<Extent>{"n", 5}).output("y").integer("one", 1);
    m.node("Shape", {"x"}, {"s"}).integer("start", 1);
    m.node("Squeeze", {"s"}, {"extent"});
    m.node("Equal", {"extent", "one"}, {"is_one"});
    auto node = m.node("If", {"is_one"}, {"y"});
    auto& yes = node.graph("then_branch");
    add_node(*yes.mutable_node(), "Squeeze", {"x"}, {"a"});
    yes.add_output()->set_name("a");
    auto& no = node.graph("else_branch");
    add_node(*no.mutable_node(), "Relu", {"x"}, {"b"});
    no.add_output()->set_name("b");
    const auto graph = imported(m);
    EXPECT_EQ(type_of(graph), deep ? "float32 [n]" : "float32 [n, 5]");
    EXPECT_EQ(graph.value(graph.outputs[0]).name, "y");
  }
}

TEST(Outputs, AliasesGetValuesOfTheirOwn) {
  ModelBuilder m;
  m.input("x", {"n"}).output("x").output("y").output("z").output("w").ones("w", {2});
  m.node("Identity", {"x"}, {"y"});
  m.node("Dropout", {"x"}, {"z"});
  const auto graph = imported(m);
  ASSERT_EQ(graph.outputs.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(graph.value(graph.outputs[i]).name, std::string("xyzw").substr(i, 1));
}

}  // namespace
}  // namespace jitney::onnx::testing
