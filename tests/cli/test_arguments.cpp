// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cli/arguments.h"

namespace jitney::cli {
namespace {

using Extents = std::vector<std::int64_t>;

TEST(ShapeArgument, Extents) {
  const auto image = parse_shape_argument("images=1x3x224x224");
  ASSERT_TRUE(image);
  EXPECT_EQ(image->input, "images");
  EXPECT_EQ(image->shape, (Extents{1, 3, 224, 224}));
  EXPECT_EQ(parse_shape_argument("x=0")->shape, (Extents{0}));
  EXPECT_EQ(parse_shape_argument("a=b/x:0=2x9223372036854775807")->input, "a=b/x:0");
  EXPECT_EQ(parse_shape_argument("a=2x9223372036854775807")->shape, (Extents{2, INT64_MAX}));
}

TEST(ShapeArgument, MalformedOnesAreTheUsers) {
  for (const char* text : {"", "images", "images=", "=1x2", "images=1xx8", "images=x1", "images=1x", "images=-1x8",
                           "images=1x1e3", "images=+1", "images=1.5", "images=1 x2", "images=0x10x", "images=1X2",
                           "images=9223372036854775808", "images=99999999999999999999x1", "images=1,2"}) {
    const auto parsed = parse_shape_argument(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().kind, ErrorKind::user);
    EXPECT_NE(parsed.error().message.find(std::string("'") + text + "'"), std::string::npos) << parsed.error().message;
  }
}

TEST(InputArgument, NameEndsAtTheFirstEqualsSign) {
  const auto parsed = parse_input_argument("x=folder/a=b.npy");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->input, "x");
  EXPECT_EQ(parsed->file, "folder/a=b.npy");
  for (const char* text : {"", "x", "x=", "=f.npy"}) EXPECT_FALSE(parse_input_argument(text)) << text;
}

TEST(DeviceArgument, Names) {
  EXPECT_EQ(parse_device("cpu"), (Device{Device::Type::cpu, 0}));
  EXPECT_EQ(parse_device("cuda"), (Device{Device::Type::cuda, 0}));
  EXPECT_EQ(parse_device("cuda:99"), (Device{Device::Type::cuda, 99}));
  EXPECT_EQ(parse_device("null"), (Device{Device::Type::null, 0}));
  for (const char* text : {"", "abacus", "CPU", "cuda:", "cuda:-1", "cuda:1x", "cuda:99999999999", ":0"}) {
    EXPECT_FALSE(parse_device(text)) << text;
  }
}

}  // namespace
}  // namespace jitney::cli
