// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Generated source as files, so that a change of the emitter is a diff in review. After a change that is meant:
//   JITNEY_UPDATE_GOLDEN=1 build/bin/test_compiler --gtest_filter='Golden.*'
// writes tests/compiler/golden/ anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "compiler/emit.h"
#include "golden_graphs.h"

namespace jitney::compiler {
namespace {

const std::filesystem::path kFolder = std::filesystem::path(JITNEY_SOURCE_DIR) / "tests/compiler/golden";

/// All kernels of a graph as one file; the prelude, which is the same for all, is left out.
std::string text_of(const test::GoldenGraph& golden) {
  std::string text =
      "// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0\n"
      "// Generated; see tests/compiler/test_golden.cpp.\n";
  for (const auto& kernel : test::kernels_of(test::lowered(golden.graph))) {
    auto emitted = emit_c(kernel, {.vector_bytes = 64});
    text += "\n" + emitted.defines + emitted.code;
  }
  return text;
}

std::string read(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

TEST(Golden, SourcesAreWhatTheFilesSay) {
  const bool update = std::getenv("JITNEY_UPDATE_GOLDEN") != nullptr;
  std::set<std::filesystem::path> known;
  for (const auto& golden : test::golden_graphs()) {
    SCOPED_TRACE(golden.name);
    const auto file = kFolder / (golden.name + ".c");
    known.insert(file);
    const std::string text = text_of(golden);
    if (update) std::ofstream(file) << text;
    EXPECT_EQ(read(file), text) << "the generated source differs from " << file
                                << "; where that is meant, JITNEY_UPDATE_GOLDEN=1 writes it anew";
  }
  for (const auto& entry : std::filesystem::directory_iterator(kFolder))
    EXPECT_TRUE(known.contains(entry.path())) << "no graph gives " << entry.path();
}

}  // namespace
}  // namespace jitney::compiler
