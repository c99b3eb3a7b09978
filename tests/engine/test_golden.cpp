// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <jitney/engine.h>
#include <jitney/runtime_cache.h>

#include "cache/pack.h"
#include "engine/graphs.h"

namespace jitney::testing {
namespace {

/// Those up to bool; the ones that are only stored came later.
constexpr int kDTypesOfVersion1 = 13;
const std::string kV1 = JITNEY_SOURCE_DIR "/tests/engine/golden/v1.jitney";

/// A file that version 1.0 wrote must load for as long as the major version is 1, and mean the same.
TEST(Golden, Version1) {
  const Engine engine = Engine::load(kV1);
  expect_same(wide_graph(kDTypesOfVersion1), engine.impl()->graph());
}

const std::string kV11 = JITNEY_SOURCE_DIR "/tests/engine/golden/v1.1.jitney";

TEST(Golden, Version11) {
  const Engine engine = Engine::load(kV11);
  expect_same(staged_graph(), engine.impl()->graph());
}

const std::string kV12 = JITNEY_SOURCE_DIR "/tests/engine/golden/v1.2.jitney";

Engine ranged() {
  return Engine(std::make_shared<const EngineImpl>(three_inputs()))
      .with_profiles({{{{{1, 1}, {2, 8}, {4, 64}}, {}, {}}}});
}

TEST(Golden, Version12) {
  const Engine engine = Engine::load(kV12);
  expect_same(three_inputs(), engine.impl()->graph());
  EXPECT_EQ(engine.profiles(), ranged().profiles());
}

const std::string kV13 = JITNEY_SOURCE_DIR "/tests/engine/golden/v1.3.jitney";

Engine with_a_kernel() {
  cache::Key key;
  key.add("kind", "kernel").add("target", "x86-64-v3").add("compiler", "none").add("source", "a");
  cache::PackWriter writer;
  writer.add(value_or_throw(cache::encode_entry(key, cache::Blob(100, std::byte{7}))), 1);
  RuntimeCache cache;
  cache.deserialize(writer.take());
  return Engine(std::make_shared<const EngineImpl>(three_inputs())).with_precompiled(cache);
}

TEST(Golden, Version13) {
  const Engine engine = Engine::load(kV13);
  expect_same(three_inputs(), engine.impl()->graph());
  EXPECT_EQ(engine.precompiled(), (std::map<std::string, std::uint64_t>{{"x86-64-v3", 1}}));
  EXPECT_FALSE(engine.impl()->kernels().is_trusted);
}

TEST(Golden, DISABLED_Write13) { with_a_kernel().save(kV13); }

TEST(Golden, DISABLED_Write12) { ranged().save(kV12); }

TEST(Golden, DISABLED_Write11) { Engine(std::make_shared<const EngineImpl>(staged_graph())).save(kV11); }

/// Writes a new file, when a new version is released: golden/README.md.
TEST(Golden, DISABLED_Write) { Engine(std::make_shared<const EngineImpl>(wide_graph(kDTypesOfVersion1))).save(kV1); }

}  // namespace
}  // namespace jitney::testing
