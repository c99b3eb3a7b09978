// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Session::run(): sequences and optionals go in and come out.
#include <jitney/error.h>
#include <jitney/session.h>

#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "engine/engine_impl.h"
#include "engine/structured_model.h"
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

Engine load(const ModelBuilder& m) {
  const std::string bytes = m.model.SerializeAsString();
  return Engine::load(std::as_bytes(std::span(bytes)));
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
  return load(m);
}

/// y = the tensor of s at i.
Engine taking() {
  ModelBuilder m;
  declare(*m.graph().add_input(), "s", false);
  m.input("i", {}, proto::TensorProto::INT64).output("y");
  m.graph().mutable_output(0)->mutable_type()->mutable_tensor_type()->set_elem_type(proto::TensorProto::FLOAT);
  m.node("SequenceAt", {"s", "i"}, {"item"});
  m.node("Neg", {"item"}, {"y"});
  return load(m);
}

/// s = so many tensors, one a round.
Engine looping() {
  ModelBuilder m;
  m.input("n", {}, proto::TensorProto::INT64);
  declare(*m.graph().add_output(), "s", false);
  m.node("SequenceEmpty", {}, {"none"});
  auto& body = m.node("Loop", {"n", "", "none"}, {"s"}).graph("body");
  for (const char* name : {"i", "going", "so_far"}) body.add_input()->set_name(name);
  onnx::testing::add_node(*body.mutable_node(), "Cast", {"i"}, {"number"}).integer("to", proto::TensorProto::FLOAT);
  onnx::testing::add_node(*body.mutable_node(), "SequenceInsert", {"so_far", "number"}, {"longer"});
  for (const char* name : {"going", "longer"}) body.add_output()->set_name(name);
  return load(m);
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

TEST_F(Structured, ContextsOfAllStructuresCount) {
  Session session(appending(), {}, settings_with(path("kernels.jitc")));
  EXPECT_FALSE(session.has_context());
  EXPECT_EQ(session.num_execution_contexts_created(), 0);
  run(session, {}, false);
  run(session, {}, false);
  EXPECT_TRUE(session.has_context());
  EXPECT_EQ(session.num_execution_contexts_created(), 1);
  auto settings = session.runtime_settings();
  settings.dynamic_shapes_kernel_specialization_strategy = DynamicShapesKernelSpecializationStrategy::lazy;
  session.update_runtime_settings(settings);
  EXPECT_EQ(session.num_execution_contexts_created(), 1);
  run(session, {}, false);
  EXPECT_EQ(session.num_execution_contexts_created(), 2);
  run(session, {}, true);
  EXPECT_EQ(session.num_execution_contexts_created(), 3) << "another structure has a context of its own";
  EXPECT_TRUE(session.wait_until_specialized(60));
  session.invalidate_context();
  EXPECT_FALSE(session.has_context());
  EXPECT_EQ(session.num_execution_contexts_created(), 3);
}

TEST_F(Structured, StatsCountASharedCacheOnce) {
  const auto cache = std::make_shared<RuntimeCache>(path("kernels.jitc"));
  Session session(appending(), {}, settings_with(cache)), other(engine(), {}, settings_with(cache));
  run(session, {}, false);
  run(session, {filled({2}, 1)}, false);
  run(session, {filled({2, 2}, 1)}, true);
  SessionTest::run(other, 2, 3);
  const auto one = other.stats(), sum = session.stats();
  EXPECT_GT(sum.cache_misses.size(), 0U);
  EXPECT_EQ(sum.cache_misses, one.cache_misses) << "of the one cache";
  EXPECT_EQ(sum.cache_hits, one.cache_hits);
  EXPECT_EQ(sum.cache_published, one.cache_published);
  EXPECT_EQ(sum.cache_loaded, one.cache_loaded);
  EXPECT_EQ(sum.cache_path, one.cache_path);
}

TEST_F(Structured, StatsAddUpCachesOfTheirOwn) {
  const auto after = [&](const std::vector<bool>& structures) {
    Session session(appending(), {}, settings_with(RuntimeCacheSetting::memory()));
    for (const bool is_there : structures) run(session, {filled({2}, 1)}, is_there);
    return session.stats();
  };
  const auto a = after({false}), b = after({true}), both = after({false, true});
  EXPECT_GT(a.cache_published, 0U);
  EXPECT_EQ(both.cache_published, a.cache_published + b.cache_published);
  EXPECT_EQ(both.compiled, a.compiled + b.compiled);
  std::uint64_t misses = 0, expected = 0;
  for (const auto& [why, n] : both.cache_misses) misses += n;
  for (const auto* one : {&a, &b})
    for (const auto& [why, n] : one->cache_misses) expected += n;
  EXPECT_GT(misses, 0U);
  EXPECT_EQ(misses, expected);
}

TEST_F(Structured, WhatTheModelDropsNobodyKeeps) {
  const Engine engine = taking();
  const auto& model = *engine.impl()->structured();
  EXPECT_TRUE(model.has_scalars());
  Session session(engine, {}, settings_with(path("kernels.jitc")));
  const std::vector<Tensor> items(70, filled({2}, 3));
  const auto all = views_of(items);
  Tensor zero(DType::i64, {});
  const TensorView position = zero.view();
  const auto inputs_of = [&](std::size_t count) {
    return std::vector<ValueView>{{ValueKind::sequence, std::span(all).first(count)},
                                  {ValueKind::tensor, {&position, 1}}};
  };
  EXPECT_EQ(session.run(inputs_of(1))[0].tensors[0].as<float>()[0], -3);
  std::weak_ptr<const engine::StructuredEngine> first = *engine.impl()->structured()->engine_for(inputs_of(1));
  EXPECT_FALSE(first.expired());
  const auto before = session.stats();
  for (std::size_t count = 2; count < 70; ++count)
    ASSERT_TRUE(engine.impl()->structured()->engine_for(inputs_of(count)));  // as another session would
  EXPECT_TRUE(first.expired()) << "a session that does nothing keeps no weights of it";
  EXPECT_FALSE(session.has_context());
  EXPECT_EQ(session.num_execution_contexts_created(), 1);
  EXPECT_EQ(session.stats().compiled, before.compiled) << "counts only grow";
  EXPECT_EQ(session.stats().plans, before.plans);
  EXPECT_EQ(session.run(inputs_of(1))[0].tensors[0].as<float>()[0], -3);
}

TEST_F(Structured, OneThreadImportsAndTheOthersGoOn) {
  const Engine engine = looping();
  const auto& model = engine.impl()->structured();
  const auto of = [&](std::int64_t rounds) {
    Tensor n(DType::i64, {});
    *n.as<std::int64_t>() = rounds;
    const TensorView view = n.view();
    const ValueView input{ValueKind::tensor, {&view, 1}};
    return model->engine_for({&input, 1});
  };
  ASSERT_TRUE(of(1));
  std::atomic<int> begun{0}, done{0};
  std::vector<std::shared_ptr<const engine::StructuredEngine>> made(3);
  std::vector<std::thread> threads;
  for (auto& one : made)
    threads.emplace_back([&] {
      ++begun;
      if (auto engine = of(3000)) one = *engine;
      ++done;
    });
  while (begun < 3) std::this_thread::yield();
  int meanwhile = 0;
  while (done == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    meanwhile += of(1).has_value() && done == 0;
  }
  for (auto& thread : threads) thread.join();
  EXPECT_GT(meanwhile, 3) << "a known structure waited";
  ASSERT_NE(made[0], nullptr);
  EXPECT_EQ(made[0], made[1]);
  EXPECT_EQ(made[0], made[2]);
  // What fails, fails for all that wait, and leaves nothing behind.
  for (const int time : {0, 1}) EXPECT_FALSE(of(5000)) << time;
}

TEST_F(Structured, ThreadsThatFindOutThatValuesDecide) {
  for (int time = 0; time < 20; ++time) {
    const Engine engine = looping();
    std::vector<std::thread> threads;
    std::atomic<int> right{0};
    for (std::int64_t i = 0; i < 4; ++i)
      threads.emplace_back([&, i] {
        Tensor n(DType::i64, {});
        *n.as<std::int64_t>() = i / 2;
        const TensorView view = n.view();
        const ValueView input{ValueKind::tensor, {&view, 1}};
        const auto made = engine.impl()->structured()->engine_for({&input, 1});
        right += made && (*made)->outputs[0].count == static_cast<std::size_t>(i / 2) && !(*made)->is_dropped;
      });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(right, 4);
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
