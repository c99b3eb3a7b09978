// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cli/output_files.h"

namespace jitney::cli {
namespace {

TEST(OutputFiles, StemsStayInTheirFolder) {
  EXPECT_EQ(file_stem("logits"), "logits");
  EXPECT_EQ(file_stem("layer1/add:0"), "layer1_add_0");
  for (const char* name : {"", ".", "..", "../../etc/passwd", "/etc/passwd", "a/../..", ".hidden", "\n", "a\\b"}) {
    const std::string stem = file_stem(name);
    EXPECT_FALSE(stem.empty());
    EXPECT_NE(stem[0], '.') << name;
    EXPECT_EQ(stem.find_first_of("/\\\n"), std::string::npos) << name;
  }
  EXPECT_EQ(file_stem(std::string("a\0b", 3)), "a_b");
  EXPECT_LE(file_stem(std::string(5000, 'a')).size(), 200u);
}

TEST(OutputFiles, StemsDiffer) {
  const auto stems = file_stems({{.name = "a/b"}, {.name = "a_b"}, {.name = "A_B"}, {.name = "a_b-2"}, {.name = "c"}});
  EXPECT_EQ(stems, (std::vector<std::string>{"a_b", "a_b-2", "A_B-3", "a_b-2-2", "c"}));
}

TEST(OutputFiles, MakesFoldersAndWrites) {
  std::string pattern = testing::TempDir() + "jitney-output-files-XXXXXX";
  ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  const std::filesystem::path root = pattern;
  const std::string folder = (root / "a" / "b").string();
  ASSERT_TRUE(make_folder(folder));
  ASSERT_TRUE(make_folder(folder)) << "again is fine";
  const auto paths = write_outputs(folder, {{.name = "../y"}}, {Tensor(DType::f32, {2})});
  ASSERT_TRUE(paths) << paths.error().message;
  EXPECT_EQ(*paths, (std::vector<std::string>{folder + "/_._y.npy"}));
  EXPECT_TRUE(std::filesystem::is_regular_file(paths->front()));
  std::ofstream(root / "file") << "in the way";
  for (const char* name : {"file", "file/out"}) {
    const auto made = make_folder((root / name).string());
    ASSERT_FALSE(made) << name;
    EXPECT_EQ(made.error().kind, ErrorKind::user);
    EXPECT_NE(made.error().message.find(name), std::string::npos);
  }
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace jitney::cli
