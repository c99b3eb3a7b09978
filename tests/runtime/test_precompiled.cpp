// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// An engine that brings its kernels: used when they are trusted and for exactly this target, else compiled as usual.
#include <cstdlib>

#include "cache/key.h"
#include "cache/pack.h"
#include "engine/file_format.h"
#include "runtime/support.h"

namespace jitney::testing {
namespace {

using Counts = std::map<std::string, std::uint64_t>;

Engine plain() {
  ir::Graph g;
  const ir::Dim n = ir::Dim::symbol("n");
  g.symbols["n"] = {};
  const auto x = g.add_value("x", DType::f32, {n, 8});
  g.inputs = {x};
  g.outputs = {g.add_node(ir::Op::softmax, "s", {x}, DType::f32, {n, 8}, {{"axis", std::int64_t{1}}})};
  return engine_of(g);
}

std::vector<Tensor> input() {
  std::mt19937 rng(1);
  std::vector<Tensor> tensors;
  tensors.push_back(random_tensor(DType::f32, {3, 8}, rng));
  return tensors;
}

/// Everything that the engine compiles for this target, the shape's own kernels too.
std::shared_ptr<RuntimeCache> filled(const Engine& engine) {
  auto cache = std::make_shared<RuntimeCache>();
  ContextOptions options = testing::options();
  options.cache = cache;
  ExecutionContext context(engine, options);
  context.prepare();
  context.warm(std::vector<std::vector<std::vector<std::int64_t>>>{{{3, 8}}});
  return cache;
}

Engine loaded(const std::vector<std::byte>& file, bool trusted) {
  return Engine::load(file, {.trust_precompiled = trusted});
}

ContextStats stats_of(const Engine& engine) {
  ExecutionContext context(engine, testing::options());
  const auto inputs = input();
  const auto got = execute(context, inputs);
  const auto want = value_or_throw(ir::interpret(engine.impl()->graph(), inputs));
  EXPECT_TRUE(close(got[0], want[0], tolerance(DType::f32)));
  EXPECT_TRUE(context.wait_until_specialized(60));
  ContextStats stats = context.stats();
  const auto status = context.compile_status();
  stats.compiled += static_cast<int>(status.compiled);
  stats.precompiled += static_cast<int>(status.precompiled);
  return stats;
}

TEST(Precompiled, Mode30_TheFirstCallCompilesNothing) {
  const auto file = plain().with_precompiled(*filled(plain())).serialize();
  const ContextStats stats = stats_of(loaded(file, true));
  EXPECT_EQ(stats.compiled, 0);
  EXPECT_EQ(stats.workers_started, 0) << "nobody asks a compiler, not even for its name";
  EXPECT_EQ(stats.precompiled, 2) << "one for any shape, one for this";
  EXPECT_EQ(stats.precompiled_misses, Counts());
}

TEST(Precompiled, Mode30_WithoutTrustNothingOfItIsLoaded) {
  const auto file = plain().with_precompiled(*filled(plain())).serialize();
  const ContextStats stats = stats_of(loaded(file, false));
  EXPECT_EQ(stats.precompiled, 0);
  EXPECT_GT(stats.compiled, 0);
  EXPECT_EQ(stats.precompiled_misses, (Counts{{"not trusted", 1}}));
  EXPECT_EQ(loaded(file, false).precompiled().size(), 1u) << "it may be looked at";
}

/// The cache's kernels under keys with another value in one field.
std::shared_ptr<RuntimeCache> altered(const RuntimeCache& cache, const std::string& name, const std::string& value) {
  const auto bytes = cache.serialize();
  cache::PackWriter writer;
  for (const auto& item : cache::read_pack(bytes).items) {
    cache::Key key;
    const auto known = cache::Key::parse(item.entry.key);
    for (const auto& [field, text] : known->fields()) key.add(field, field == name ? value : std::string(text));
    writer.add(*cache::encode_entry(key, *cache::unpack_entry(item.entry)), 0);
  }
  auto made = std::make_shared<RuntimeCache>();
  made->deserialize(writer.take());
  return made;
}

TEST(Precompiled, Mode30_ForAnotherTargetItIsCompiledAsUsual) {
  const auto cache = filled(plain());
  const std::vector<std::pair<std::string, std::string>> cases = {{"target", "other device"},
                                                                  {"options", "other compiler"},
                                                                  {"prelude", "other compiler"},
                                                                  {"abi", "other compiler"}};
  for (const auto& [field, reason] : cases) {
    const auto file = plain().with_precompiled(*altered(*cache, field, "another")).serialize();
    const ContextStats stats = stats_of(loaded(file, true));
    EXPECT_EQ(stats.precompiled, 0) << field;
    EXPECT_GT(stats.compiled, 0) << field;
    EXPECT_EQ(stats.precompiled_misses, (Counts{{reason, 1}})) << field;
  }
}

TEST(Precompiled, WhoCompiledItDoesNotMatter) {
  const auto cache = altered(*filled(plain()), "compiler", "a compiler that this machine has not");
  EXPECT_EQ(stats_of(loaded(plain().with_precompiled(*cache).serialize(), true)).compiled, 0);
}

TEST(Precompiled, Mode30_AHostileSectionCostsACompile) {
  const auto file = plain().with_precompiled(*filled(plain())).serialize();
  const auto pack = value_or_throw(engine::read_sections(file)).kernels;
  ASSERT_FALSE(pack.empty());
  const auto begin = pack.data() - file.data();
  auto damaged = file;
  for (std::size_t i = 60; i < pack.size(); i += 100) damaged[static_cast<std::size_t>(begin) + i] ^= std::byte{4};
  engine::seal(damaged);
  EXPECT_EQ(stats_of(loaded(damaged, true)).precompiled_misses, (Counts{{"damaged", 1}}));
  auto foreign = file;
  std::fill_n(foreign.begin() + begin, pack.size(), std::byte{0x55});
  engine::seal(foreign);
  EXPECT_EQ(stats_of(loaded(foreign, true)).precompiled_misses, (Counts{{"other format", 1}}));
  EXPECT_EQ(stats_of(loaded(foreign, false)).precompiled_misses, (Counts{{"not trusted", 1}}));
  EXPECT_THROW(loaded(foreign, true).precompiled(), Error);
  auto unsealed = file;
  unsealed[static_cast<std::size_t>(begin) + 99] ^= std::byte{4};
  EXPECT_THROW(loaded(unsealed, true), Error) << "the file's own digest";
}

/// A good entry whose payload is no binary.
TEST(Precompiled, Mode30_WhatCannotBeLoadedIsCompiled) {
  const auto cache = filled(plain());
  const auto bytes = cache->serialize();
  cache::PackWriter writer;
  for (const auto& item : cache::read_pack(bytes).items)
    writer.add(*cache::encode_entry(*cache::Key::parse(item.entry.key), cache::Blob(1000, std::byte{7})), 0);
  RuntimeCache bad;
  bad.deserialize(writer.take());
  const ContextStats stats = stats_of(loaded(plain().with_precompiled(bad).serialize(), true));
  EXPECT_GT(stats.compiled, 0);
  EXPECT_EQ(stats.precompiled_misses, (Counts{{"unreadable", 1}}));
}

TEST(Precompiled, TheKernelsStayWithTheirEngine) {
  const Engine engine = plain().with_precompiled(*filled(plain()));
  const auto file = engine.serialize();
  EXPECT_EQ(loaded(file, false).serialize(), file) << "unread, and still there";
  EXPECT_EQ(engine.with_profiles({}).serialize(), file);
  EXPECT_EQ(engine.with_precompiled(RuntimeCache()).serialize(), plain().serialize());
  EXPECT_EQ(plain().precompiled(), Counts());
  // Not in the caches of the programs that trust it: those who use such a cache did not agree to that.
  const auto cache = std::make_shared<RuntimeCache>();
  ContextOptions options = testing::options();
  options.cache = cache;
  ExecutionContext context(loaded(file, true), options);
  execute(context, input());
  EXPECT_TRUE(context.wait_until_specialized(60));
  EXPECT_TRUE(cache->entries().empty());
}

}  // namespace
}  // namespace jitney::testing
