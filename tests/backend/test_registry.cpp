// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "backend/plugin.h"
#include "backend/registry.h"

namespace jitney::backend {
namespace {

namespace fs = std::filesystem;

testing::AssertionResult says(const Failure& failure, ErrorKind kind, std::initializer_list<std::string> parts) {
  if (failure.kind != kind) return testing::AssertionFailure() << "wrong kind: " << failure.message;
  for (const auto& part : parts) {
    if (failure.message.find(part) == std::string::npos) {
      return testing::AssertionFailure() << "no '" << part << "' in: " << failure.message;
    }
  }
  return testing::AssertionSuccess();
}

Failure refusal_of(const std::string& plugin) {
  const auto loaded = load_plugin("test", JITNEY_TEST_OUTPUT "/plugin_" + plugin + ".so");
  EXPECT_FALSE(loaded) << plugin;
  return loaded ? Failure{} : loaded.error();
}

TEST(Registry, RowsAreDistinctAndNamedAlike) {
  for (const auto& row : backend_table()) {
    EXPECT_EQ(row.file, "jitney-backend-" + std::string(row.name) + ".so");
    EXPECT_FALSE(row.doc.empty());
    EXPECT_EQ(std::ranges::count_if(backend_table(), [&](const auto& r) { return r.name == row.name; }), 1);
  }
}

TEST(Registry, UnknownBackendListsTheKnown) {
  for (const std::string name : {"tpu", "", "CPU", "../cpu"}) {
    const auto backend = load_backend(name);
    ASSERT_FALSE(backend);
    EXPECT_TRUE(says(backend.error(), ErrorKind::user, {"'" + name + "'", "cpu", "cuda", "null"}));
  }
}

TEST(Registry, LoadsOnceAlsoFromManyThreads) {
  std::vector<Backend*> seen(8);
  std::vector<std::thread> threads;
  for (auto& place : seen) threads.emplace_back([&place] { place = load_backend("null").value_or(nullptr); });
  for (auto& thread : threads) thread.join();
  ASSERT_NE(seen[0], nullptr);
  EXPECT_EQ(std::ranges::count(seen, seen[0]), 8);
  EXPECT_EQ(seen[0]->name(), "null");
}

TEST(Registry, MissingPluginNamesFileAndFolders) {
  const BackendRow row{"ghost", "jitney-backend-ghost.so", "is not there"};
  const auto file = find_plugin(row, {"/nowhere/one", "/nowhere/two"});
  ASSERT_FALSE(file);
  EXPECT_TRUE(
      says(file.error(), ErrorKind::environment, {"ghost", "jitney-backend-ghost.so", "/nowhere/one", "/nowhere/two"}));
}

TEST(Registry, FirstFolderWins) {
  const fs::path root = fs::path(JITNEY_TEST_OUTPUT) / "registry";
  const BackendRow row{"x", "jitney-backend-x.so", ""};
  for (const char* folder : {"a", "b"}) {
    fs::create_directories(root / folder);
    std::ofstream(root / folder / row.file) << "x";
  }
  EXPECT_EQ(*find_plugin(row, {root / "missing", root / "b", root / "a"}), root / "b" / row.file);
}

TEST(Registry, EnvironmentComesBeforeTheInstallation) {
  const auto before = plugin_directories();
  setenv("JITNEY_BACKEND_PATH", "/first:/second::", 1);  // NOLINT(concurrency-mt-unsafe)
  auto with = plugin_directories();
  unsetenv("JITNEY_BACKEND_PATH");  // NOLINT(concurrency-mt-unsafe)
  ASSERT_GE(with.size(), 2u);
  EXPECT_EQ(with[0], "/first");
  EXPECT_EQ(with[1], "/second");
  with.erase(with.begin(), with.begin() + 2);
  EXPECT_EQ(with, before);
}

TEST(Registry, StatusOfEveryBackend) {
  const auto all = available_backends();
  ASSERT_EQ(all.size(), backend_table().size());
  for (const auto& status : all) {
    EXPECT_EQ(status.backend == nullptr, !status.problem.empty()) << status.name;
    if (status.name == "null") {
      EXPECT_NE(status.backend, nullptr) << status.problem;
    }
  }
}

TEST(Registry, SymbolsOfAPlugin) {
  EXPECT_TRUE(backend_symbol("null", "jitney_null_hooks"));
  EXPECT_FALSE(backend_symbol("null", "no_such_symbol"));
  // Nothing else leaks out of a plugin.
  EXPECT_FALSE(backend_symbol("null", "_ZN6jitney7backend11NullBackend6launchEimRKNS0_10LaunchArgsEm"));
}

TEST(Plugin, WrongInterfaceVersionNamesBoth) {
  EXPECT_TRUE(
      says(refusal_of("wrong_abi"), ErrorKind::environment,
           {"version " + std::to_string(kBackendAbiVersion + 1), "version " + std::to_string(kBackendAbiVersion)}));
}

TEST(Plugin, WrongBuildVersionNamesBoth) {
  EXPECT_TRUE(says(refusal_of("wrong_version"), ErrorKind::environment, {"0.0.1-other", JITNEY_VERSION}));
}

TEST(Plugin, WrongName) {
  EXPECT_TRUE(says(refusal_of("wrong_name"), ErrorKind::environment, {"somebody-else", "test"}));
}

TEST(Plugin, ThatMakesNoBackend) { EXPECT_TRUE(says(refusal_of("no_backend"), ErrorKind::environment, {"test"})); }

TEST(Plugin, LibraryThatIsNone) {
  EXPECT_TRUE(says(refusal_of("no_entry"), ErrorKind::environment, {"jitney_backend_plugin"}));
}

TEST(Plugin, FileThatIsMissingOrGarbage) {
  EXPECT_TRUE(says(load_plugin("test", "/nowhere/x.so").error(), ErrorKind::environment, {"/nowhere/x.so", "test"}));
  const std::string garbage = JITNEY_TEST_OUTPUT "/garbage.so";
  std::ofstream(garbage) << "this is no library";
  EXPECT_TRUE(says(load_plugin("test", garbage).error(), ErrorKind::environment, {garbage}));
}

}  // namespace
}  // namespace jitney::backend
