// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Session::run(): sequences and optionals go in and come out.
#include <jitney/error.h>
#include <jitney/session.h>

#include "onnx/model_builder.h"
#include "session_support.h"

namespace jitney::testing {
namespace {

using onnx::testing::ModelBuilder;
namespace proto = onnx::proto;

void declare(proto::ValueInfoProto& value, const std::string& name, bool is_optional) {
  value.set_name(name);
  auto* type = value.mutable_type();
  if (is_optional) type = type->mutable_optional_type()->mutable_elem_type();
  type->mutable_sequence_type()->mutable_elem_type()->mutable_tensor_type()->set_elem_type(proto::TensorProto::FLOAT);
}

/// r = s with x after it; o comes out as it goes in.
Engine appending() {
  ModelBuilder m;
  declare(*m.graph().add_input(), "s", false);
  m.input("x", {"n"});
  declare(*m.graph().add_input(), "o", true);
  declare(*m.graph().add_output(), "r", false);
  declare(*m.graph().add_output(), "same", true);
  m.node("Neg", {"x"}, {"minus"});
  m.node("SequenceInsert", {"s", "minus"}, {"r"});
  m.node("Identity", {"o"}, {"same"});
  const std::string bytes = m.model.SerializeAsString();
  return Engine::load(std::as_bytes(std::span(bytes)));
}

/// y = the tensor of s at i.
Engine taking() {
  ModelBuilder m;
  declare(*m.graph().add_input(), "s", false);
  m.input("i", {}, proto::TensorProto::INT64).output("y");
  m.graph().mutable_output(0)->mutable_type()->mutable_tensor_type()->set_elem_type(proto::TensorProto::FLOAT);
  m.node("SequenceAt", {"s", "i"}, {"item"});
  m.node("Neg", {"item"}, {"y"});
  const std::string bytes = m.model.SerializeAsString();
  return Engine::load(std::as_bytes(std::span(bytes)));
}

Tensor filled(std::vector<std::int64_t> shape, float value) {
  Tensor t(DType::f32, std::move(shape));
  std::fill_n(t.as<float>(), t.num_elements(), value);
  return t;
}

std::vector<TensorView> views_of(const std::vector<Tensor>& tensors) {
  std::vector<TensorView> result;
  for (const Tensor& t : tensors) result.push_back(t.view());
  return result;
}

class Structured : public SessionTest {
 protected:
  std::vector<Value> run(Session& session, const std::vector<Tensor>& s, bool is_there) {
    const auto items = views_of(s);
    const std::vector<Tensor> one{filled({2}, 3)};
    const auto x = views_of(one);
    const ValueView inputs[] = {{ValueKind::sequence, items},
                                {ValueKind::tensor, x},
                                is_there ? ValueView{ValueKind::sequence, items} : ValueView{ValueKind::none, {}}};
    return session.run(inputs);
  }
};

TEST_F(Structured, SequencesAndOptionals) {
  Session session(appending(), {}, settings_with(path("kernels.jitc")));
  EXPECT_TRUE(session.engine().is_structured());
  EXPECT_EQ(session.engine().inputs()[0].kind, ValueKind::sequence);
  EXPECT_EQ(session.engine().inputs()[0].shape, std::vector<std::string>{"..."});
  EXPECT_TRUE(session.engine().inputs()[2].is_optional);
  for (const std::size_t count : {0U, 2U, 1U, 2U}) {
    std::vector<Tensor> s;
    for (std::size_t i = 0; i < count; ++i) s.push_back(filled(std::vector<std::int64_t>(i, 2), static_cast<float>(i)));
    for (const bool is_there : {true, false}) {
      const auto out = run(session, s, is_there);
      ASSERT_EQ(out.size(), 2U);
      ASSERT_EQ(out[0].tensors.size(), count + 1);
      EXPECT_EQ(out[0].tensors[count].as<float>()[1], -3);
      for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(out[0].tensors[i].as<float>()[0], static_cast<float>(i));
      EXPECT_EQ(out[1].kind, is_there ? ValueKind::sequence : ValueKind::none);
      EXPECT_EQ(out[1].tensors.size(), is_there ? count : 0);
    }
  }
  EXPECT_EQ(session.stats().interpreted_operators, 0U);
  session.runtime_cache()->save();
  EXPECT_GT(kernels_at(path("kernels.jitc")), 0U) << "the session's cache serves all structures";
}

TEST_F(Structured, WhatIsGivenMustBeWhatIsDeclared) {
  Session session(appending());
  const std::vector<Tensor> one{filled({2}, 3)};
  const auto x = views_of(one);
  const auto refused = [&](std::vector<ValueView> inputs) -> std::string {
    try {
      session.run(inputs);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  const ValueView tensor{ValueKind::tensor, x}, sequence{ValueKind::sequence, x}, none{ValueKind::none, {}};
  EXPECT_EQ(refused({sequence, tensor, none}), "");
  EXPECT_EQ(refused({sequence, tensor}), "expected 3 inputs, found 2");
  EXPECT_EQ(refused({tensor, tensor, none}), "input 's' must be a sequence of float32 tensors, found a tensor");
  EXPECT_EQ(refused({none, tensor, none}), "input 's' must be a sequence of float32 tensors, found nothing");
  EXPECT_EQ(refused({sequence, {ValueKind::tensor, {}}, none}), "input 'x': a tensor was given as 0 tensors");
  EXPECT_EQ(refused({sequence, tensor, tensor}),
            "input 'o' must be a sequence of float32 tensors, or nothing, found a tensor");
  try {
    session.execute(x);
    FAIL() << "a graph of tensors is what a context runs";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("a context for each structure"), std::string::npos) << error.what();
  }
}

TEST_F(Structured, WhatHasNoDataIsRefused) {
  Session session(taking());
  const std::vector<Tensor> one{filled({2}, 3)};
  const auto x = views_of(one);
  const std::vector<std::int64_t> negative{-1};
  Tensor zero(DType::i64, {});
  const auto refused = [&](const TensorView& item, const TensorView& position) -> std::string {
    const TensorView items[] = {x[0], item};
    const ValueView inputs[] = {{ValueKind::sequence, items}, {ValueKind::tensor, {&position, 1}}};
    try {
      session.run(inputs);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  for (const int time : {0, 1}) {  // before it is known that the position decides, and after
    SCOPED_TRACE(time);
    EXPECT_EQ(refused(x[0], {.data = nullptr, .dtype = DType::i64}), "input 'i' has no data");
    EXPECT_EQ(refused({.data = nullptr, .shape = x[0].shape}, zero.view()), "input 's.1' has no data");
    EXPECT_EQ(refused({.data = x[0].data, .shape = negative}, zero.view()), "input 's.1' has a negative extent -1");
    EXPECT_EQ(refused({.data = x[0].data, .shape = x[0].shape, .strides = {negative.data(), 0}}, zero.view()), "");
  }
}

TEST_F(Structured, EnginesOfTensorsRunTheSameWay) {
  Session session(engine());
  const auto x = input(2, 3);
  const auto wanted = session.execute(views(x));
  const auto in = views(x);
  const ValueView inputs[] = {{ValueKind::tensor, in}};
  const auto out = session.run(inputs);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_TRUE(close(out[0].tensors[0], wanted[0], 0));
}

}  // namespace
}  // namespace jitney::testing
