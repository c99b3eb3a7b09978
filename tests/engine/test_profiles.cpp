// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <jitney/engine.h>

#include <filesystem>

#include "engine/file_format.h"
#include "engine/graphs.h"
#include "engine/profiles.h"

namespace jitney::testing {
namespace {

using engine::Profiles;
using ::testing::HasSubstr;

ShapeRange range(std::vector<std::int64_t> min, std::vector<std::int64_t> opt, std::vector<std::int64_t> max) {
  return {std::move(min), std::move(opt), std::move(max)};
}

std::string refused(std::vector<ShapeRange> inputs) {
  const auto made = engine::check_profiles(three_inputs(), {{std::move(inputs)}});
  EXPECT_FALSE(made);
  return made ? "" : made.error().message;
}

TEST(Profiles, MissingRangesFollowFromOthers) {
  const auto made =
      value_or_throw(engine::check_profiles(three_inputs(), {{{range({1, 1}, {2, 8}, {4, 64}), {}, {}}}}));
  EXPECT_EQ(made[0].inputs[1], made[0].inputs[0]);
  EXPECT_EQ(made[0].inputs[2], range({2, 3}, {16, 3}, {128, 3}));
}

TEST(Profiles, WhatNothingDecidesStaysOpen) {
  const auto made = value_or_throw(engine::check_profiles(three_inputs(), {{{{}, {}, range({2, 3}, {4, 3}, {8, 3})}}}));
  EXPECT_EQ(made[0].inputs[0], ShapeRange{});
  EXPECT_EQ(engine::fitting_profiles(made, {{7, 3}, {7, 3}, {6, 3}}), 1U);
  EXPECT_EQ(engine::fitting_profiles(made, {{7, 9}, {7, 9}, {18, 3}}), 0U);
}

TEST(Profiles, WhatDoesNotFitTheModelIsNamed) {
  const auto good = range({1, 1}, {2, 8}, {4, 64});
  EXPECT_THAT(refused({good}), HasSubstr("profile 0 has ranges for 1 inputs; the model has 3"));
  EXPECT_THAT(refused({range({1}, {1}, {1}), {}, {}}), HasSubstr("min_shape [1] of input 'ids' has 1 dimensions"));
  EXPECT_THAT(refused({range({1, 1}, {1, 1}, {1}), {}, {}}), HasSubstr("max_shape [1] of input 'ids'"));
  EXPECT_THAT(refused({range({3, 1}, {2, 8}, {4, 64}), {}, {}}),
              HasSubstr("input 'ids' must have 0 <= min_shape <= opt_shape <= max_shape along axis 0, found 3, 2, 4"));
  EXPECT_THAT(refused({range({-1, 1}, {2, 8}, {4, 64}), {}, {}}), HasSubstr("0 <= min_shape"));
  EXPECT_THAT(refused({range({1, 1}, {2, 8}, {4, 513}), {}, {}}), HasSubstr("max_shape of optimization profile 0"));
  EXPECT_THAT(refused({good, range({1, 1}, {2, 9}, {4, 64}), {}}), HasSubstr("opt_shape of optimization profile 0"));
  EXPECT_THAT(refused({good, {}, range({2, 4}, {16, 4}, {128, 4})}), HasSubstr("'twice'"));
  EXPECT_FALSE(engine::check_profiles(three_inputs(), Profiles(engine::kMaxProfiles + 1)));
}

TEST(Profiles, AutoKeepsTheActiveOneElseTakesTheLowest) {
  EXPECT_EQ(engine::choose_profile(0b110, kAutoProfile, 2), 2);
  EXPECT_EQ(engine::choose_profile(0b110, kAutoProfile, 0), 1);
  EXPECT_EQ(engine::choose_profile(0b000, kAutoProfile, 0), -1);
  EXPECT_EQ(engine::choose_profile(0b110, 1, 2), 1);
  EXPECT_EQ(engine::choose_profile(0b110, 0, 2), -1);
  EXPECT_EQ(engine::choose_profile(std::uint64_t{1} << 63, kAutoProfile, 0), 63);
}

TEST(Profiles, TravelInTheFile) {
  const Engine plain(std::make_shared<const EngineImpl>(three_inputs()));
  EXPECT_TRUE(plain.profiles().empty());
  const Engine made =
      plain.with_profiles({{{range({1, 1}, {2, 8}, {4, 64}), {}, {}}}, {{range({1, 65}, {1, 128}, {1, 512}), {}, {}}}});
  const auto bytes = made.serialize();
  const Engine read = Engine::load(bytes);
  EXPECT_EQ(read.profiles(), made.profiles());
  EXPECT_EQ(read.profiles().size(), 2U);
  EXPECT_EQ(read.serialize(), bytes);
  EXPECT_EQ(Engine::load(plain.serialize()).profiles(), plain.profiles());
  EXPECT_TRUE(made.with_profiles({}).profiles().empty());
}

/// A file of the given PROFILES section.
Bytes file_with(const std::string& section) {
  const Bytes plain = serialized(three_inputs());
  const auto sections = value_or_throw(engine::read_sections(plain));
  const engine::SectionToWrite parts[] = {
      {.id = engine::kGraphSection, .size = sections.graph.size()},
      {.id = engine::kProfilesSection, .flags = 0, .size = section.size()},
  };
  auto layout = engine::lay_out(parts);
  std::ranges::copy(sections.graph, layout.file.begin() + static_cast<std::ptrdiff_t>(layout.offsets[0]));
  std::memcpy(layout.file.data() + layout.offsets[1], section.data(), section.size());
  engine::seal(layout.file);
  return layout.file;
}

TEST(Profiles, HostileOnesAreRefused) {
  EXPECT_TRUE(load(file_with("")));
  EXPECT_FALSE(load(file_with("\xff\xff\xff")));
  EXPECT_FALSE(load(file_with(engine::encode_profiles(Profiles(65)))));
  EXPECT_FALSE(load(file_with(engine::encode_profiles({{{range({1}, {1}, {1})}}}))));
  const auto bad = load(file_with(engine::encode_profiles({{{range({1, 1}, {1, 1}, {1, 513}), {}, {}}}})));
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().message, HasSubstr("no valid profiles"));
  Bytes twice = file_with("");
  EXPECT_TRUE(load(twice));
}

TEST(Profiles, AMessageNamesInputShapeAndWhatIsAllowed) {
  const auto graph = three_inputs();
  const auto profiles = value_or_throw(engine::check_profiles(
      graph, {{{range({1, 1}, {2, 8}, {4, 64}), {}, {}}}, {{range({8, 1}, {8, 8}, {16, 16}), {}, {}}}}));
  const auto message = [&](int wanted, const engine::Shapes& shapes) {
    return engine::no_profile(graph, profiles, wanted, shapes).value().message;
  };
  const auto automatic = message(kAutoProfile, {{5, 8}, {5, 8}, {16, 3}});
  EXPECT_THAT(automatic, HasSubstr("No optimization profile matches: input 'ids' has shape [5, 8]"));
  EXPECT_THAT(automatic, HasSubstr("profile 0: 'ids' [1, 1] to [4, 64]; profile 1: 'ids' [8, 1] to [16, 16]"));
  EXPECT_THAT(message(1, {{2, 8}, {2, 8}, {16, 3}}),
              HasSubstr("Optimization profile 1 does not match: input 'ids' has shape [2, 8]"));
}

}  // namespace
}  // namespace jitney::testing
