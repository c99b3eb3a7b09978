// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Weights that are left in the model's file are the same weights.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "frontend/onnx/import.h"
#include "onnx/model_builder.h"

namespace jitney::onnx::testing {
namespace {

struct File {
  std::string path = ::testing::TempDir() + "skeleton-" + std::to_string(getpid()) + ".onnx";
  explicit File(const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }
  ~File() { ::unlink(path.c_str()); }
};

/// One initializer beyond the size that is left in the file, one below it.
std::string two_weights() {
  ModelBuilder m;
  m.input("x", {"n", 3000}).output("y");
  std::vector<float> large(3000), small(8);
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<float>(i);
  m.raw("large", proto::TensorProto::FLOAT, {3000}, large);
  m.raw("small", proto::TensorProto::FLOAT, {1}, std::vector<float>{5});
  m.node("Add", {"x", "large"}, {"h"});
  m.node("Mul", {"h", "small"}, {"y"});
  return m.model.SerializeAsString();
}

TEST(Skeleton, FileAndMemoryGiveTheSameWeights) {
  const std::string bytes = two_weights();
  const File file(bytes);
  auto from_file = import_file(file.path);
  const auto from_memory = import_bytes(std::as_bytes(std::span(bytes)));
  ASSERT_TRUE(from_file && from_memory) << (from_file ? "" : from_file.error().message);
  from_file->metadata.erase("source");  // that is the difference
  EXPECT_EQ(ir::print(*from_file), ir::print(*from_memory));
  int compared = 0;
  for (std::size_t i = 0; i < from_file->values.size(); ++i) {
    const auto &a = from_file->values[i].constant, &b = from_memory->values[i].constant;
    ASSERT_EQ(a == nullptr, b == nullptr);
    if (!a) continue;
    ++compared;
    EXPECT_EQ(std::memcmp(a->data(), b->data(), a->num_bytes()), 0);
  }
  EXPECT_EQ(compared, 2);
}

TEST(Skeleton, EveryTruncationIsRefused) {
  const std::string bytes = two_weights();
  for (std::size_t size = 1; size < bytes.size(); size += 1 + size / 7) {
    const File file(bytes.substr(0, size));
    const auto graph = import_file(file.path);
    ASSERT_FALSE(graph) << size << " bytes";
    EXPECT_EQ(graph.error().kind, ErrorKind::user) << graph.error().message;
  }
}

}  // namespace
}  // namespace jitney::onnx::testing
