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
std::string text_of(const test::GoldenGraph& golden, const EmitOptions& options,
                    backend::SourceLanguage language = backend::SourceLanguage::c) {
  std::string text =
      "// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0\n"
      "// Generated; see tests/compiler/test_golden.cpp.\n";
  for (const auto& kernel : test::kernels_of(test::lowered(golden.graph))) {
    auto emitted = emit(kernel, options, language);
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
  auto compare = [&](const std::string& name, const std::string& text) {
    const auto file = kFolder / name;
    known.insert(file);
    if (update) std::ofstream(file) << text;
    EXPECT_EQ(read(file), text) << "the generated source differs from " << file
                                << "; where that is meant, JITNEY_UPDATE_GOLDEN=1 writes it anew";
  };
  for (const auto& golden : test::golden_graphs()) {
    compare(golden.name + ".c", text_of(golden, {.vector_bytes = 64}));
    compare(golden.name + ".cu", text_of(golden, {.vector_bytes = 16}, backend::SourceLanguage::cuda));
    // The specialized form, for some: what known numbers make of it.
    if (std::set<std::string>{"softmax", "elementwise_broadcast", "transpose"}.contains(golden.name))
      compare(golden.name + ".special.c",
              text_of(golden, {.vector_bytes = 64, .known = ir::SymbolValues{{"n", 3}, {"m", 128}}}));
  }
  for (const auto& entry : std::filesystem::directory_iterator(kFolder))
    EXPECT_TRUE(known.contains(entry.path())) << "no graph gives " << entry.path();
}

}  // namespace
}  // namespace jitney::compiler
