// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cli/precompile.h"

#include <fmt/format.h>
#include <jitney/error.h>
#include <jitney/runtime_cache.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/target_process.h"
#include "util/file.h"

namespace jitney::cli {
namespace {

/// A folder of this process' own, gone with this object.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::error_code error;
    path_ = (std::filesystem::temp_directory_path(error) / "jitney-XXXXXX").string();
    if (error || mkdtemp(path_.data()) == nullptr)
      throw Error(ErrorKind::environment, fmt::format("cannot make a temporary folder: {}", errno_text(errno)));
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  std::string operator/(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace

Engine precompile(const Engine& engine, const PrecompileOptions& options) {
  const ScratchFolder scratch;
  // Without kernels that it has already: those that are asked for are all that it will have.
  const std::string model = scratch / "model.jitney", kernels = scratch / "kernels.jkp";
  engine.with_precompiled(RuntimeCache()).save(model);
  for (const auto& target : options.targets) {
    std::vector<std::string> arguments = {model, "--runtime-cache", kernels};
    for (const auto& shape : options.shapes) arguments.insert(arguments.end(), {"--shape", shape});
    warm_for_target(target, std::move(arguments));
  }
  RuntimeCache cache(kernels);
  cache.load();
  return engine.with_precompiled(cache);
}

}  // namespace jitney::cli
