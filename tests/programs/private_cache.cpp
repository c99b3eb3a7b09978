// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <filesystem>
#include <string>

namespace {

/// Gives this test program a default cache of its own, so that neither its results nor those of the person who runs it
/// depend on what an earlier run left there. Made before any test and removed after the last.
struct PrivateCache {
  PrivateCache() {
    std::string name = (std::filesystem::temp_directory_path() / "jitney-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    folder = name;
    setenv("JITNEY_CACHE_DIR", (folder / "cache").c_str(), 1);
  }
  ~PrivateCache() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  std::filesystem::path folder;
} private_cache;

}  // namespace
