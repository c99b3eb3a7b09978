// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>

#include "backend/null/null_hooks.h"
#include "backend/registry.h"

namespace jitney::backend {
namespace {

class Null : public testing::Test {
 protected:
  void SetUp() override {
    backend_ = value_or_throw(load_backend("null"));
    hooks_ = static_cast<const NullHooks*>(value_or_throw(backend_symbol("null", "jitney_null_hooks")));
    const std::array<std::byte, 1> binary{};
    module_ = value_or_throw(backend_->load(0, binary));
    kernel_ = value_or_throw(backend_->kernel(0, module_, "any"));
  }
  void TearDown() override { backend_->unload(0, module_); }

  std::int64_t launches() const { return hooks_->counters().calls[static_cast<int>(NullCall::launch)]; }

  Backend* backend_ = nullptr;
  const NullHooks* hooks_ = nullptr;
  ModuleHandle module_ = 0;
  KernelHandle kernel_ = 0;
};

TEST_F(Null, TheNthAllocationFails) {
  hooks_->fail_call(NullCall::allocate, 3);
  std::vector<void*> memory;
  for (int i = 1; i <= 4; ++i) {
    const auto m = backend_->allocate(0, 10, 0);
    EXPECT_EQ(m.has_value(), i != 3);
    if (m) memory.push_back(*m);
  }
  for (void* m : memory) backend_->free(0, m, 10, 0);
  EXPECT_EQ(backend_->live_bytes(), 0);
}

TEST_F(Null, AnOrderToFailCanBeTakenBack) {
  hooks_->fail_call(NullCall::launch, 1);
  hooks_->fail_call(NullCall::launch, 0);
  EXPECT_TRUE(backend_->launch(0, kernel_, {}, 0));
  hooks_->fail_call(NullCall::launch, 1);
  EXPECT_FALSE(backend_->launch(0, kernel_, {}, 0));
  EXPECT_TRUE(backend_->launch(0, kernel_, {}, 0));
}

TEST_F(Null, CountsLaunches) {
  const auto before = launches();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(backend_->launch(0, kernel_, {.end = 1000}, 0));
  EXPECT_EQ(launches(), before + 5);
}

TEST_F(Null, CountsCapturedAndReplayedLaunches) {
  const auto before = hooks_->counters();
  const auto stream = *backend_->create_stream(0, {});
  ASSERT_TRUE(backend_->begin_capture(0, stream));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(backend_->launch(0, kernel_, {}, stream));
  EXPECT_FALSE(backend_->synchronize(0, stream)) << "waiting inside a capture";
  EXPECT_FALSE(backend_->begin_capture(0, stream)) << "a capture inside a capture";
  const auto graph = backend_->end_capture(0, stream);
  ASSERT_TRUE(graph);
  EXPECT_FALSE(backend_->end_capture(0, stream));
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(backend_->replay(0, *graph, stream));
  const auto after = hooks_->counters();
  EXPECT_EQ(after.captured_launches - before.captured_launches, 3);
  EXPECT_EQ(after.replayed_launches - before.replayed_launches, 12);
  backend_->destroy_graph(0, *graph);
  EXPECT_FALSE(backend_->replay(0, *graph, stream)) << "a graph that is gone";
  backend_->destroy_stream(0, stream);
  EXPECT_FALSE(backend_->launch(0, kernel_, {}, stream)) << "a stream that is gone";
}

TEST_F(Null, KnowsWhatIsOrdered) {
  const auto a = *backend_->create_stream(0, {}), b = *backend_->create_stream(0, {}),
             c = *backend_->create_stream(0, {});
  ASSERT_TRUE(backend_->launch(0, kernel_, {}, a));
  const auto event = *backend_->record(0, a);
  EXPECT_TRUE(hooks_->is_ordered(event, a));
  EXPECT_FALSE(hooks_->is_ordered(event, b));
  ASSERT_TRUE(backend_->wait(0, b, event));
  EXPECT_TRUE(hooks_->is_ordered(event, b));
  // What b has seen, c sees through b.
  EXPECT_FALSE(hooks_->is_ordered(event, c));
  const auto through_b = *backend_->record(0, b);
  ASSERT_TRUE(backend_->wait(0, c, through_b));
  EXPECT_TRUE(hooks_->is_ordered(event, c));
  // Later work on a is not covered by the earlier wait.
  ASSERT_TRUE(backend_->launch(0, kernel_, {}, a));
  const auto later = *backend_->record(0, a);
  EXPECT_FALSE(hooks_->is_ordered(later, b));
  for (const auto e : {event, through_b, later}) backend_->destroy_event(0, e);
  EXPECT_FALSE(backend_->wait(0, a, event)) << "an event that is gone";
  for (const auto s : {a, b, c}) backend_->destroy_stream(0, s);
}

}  // namespace
}  // namespace jitney::backend
