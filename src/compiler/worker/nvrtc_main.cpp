// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// jitney-compiler-nvrtc: compiles CUDA C++ for the library that started it. See compiler/protocol.h for what is said.
#include <unistd.h>

#include <optional>
#include <string_view>

#include "compiler/worker/nvrtc_compile.h"
#include "compiler/worker/serve.h"

namespace jitney::compiler {
namespace {

class NvrtcProgram final : public WorkerProgram {
 public:
  std::string_view name() const override { return "jitney-compiler-nvrtc"; }

  Expected<std::string> identity() override {
    JITNEY_TRY(nvrtc_, open_nvrtc());
    return nvrtc_identity(*nvrtc_);
  }

  // Another NVRTC may be installed, or /usr/local/cuda may point elsewhere, while the one that is mapped stays where it
  // is: the files that decide which one is found.
  std::vector<std::string> further_files() override {
    std::vector<std::string> files;
    for (const std::string& file : {std::string("/etc/ld.so.cache"), nvrtc_->path}) {
      if (file.starts_with('/') && ::access(file.c_str(), R_OK) == 0) files.push_back(file);
    }
    return files;
  }

  Result compile(const Request& request) override { return compile_cuda(*nvrtc_, request); }

 private:
  std::optional<NvrtcLibrary> nvrtc_;
};

}  // namespace
}  // namespace jitney::compiler

int main(int argc, char** argv) {
  jitney::compiler::NvrtcProgram program;
  jitney::compiler::run_worker(argc, argv, program);
}
