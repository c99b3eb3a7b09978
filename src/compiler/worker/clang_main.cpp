// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// jitney-compiler-clang: compiles C for the library that started it. See compiler/protocol.h for what is said.
#include <llvm/Support/ErrorHandling.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <string_view>

#include "compiler/worker/clang_frontend.h"
#include "compiler/worker/linker.h"
#include "compiler/worker/serve.h"

namespace jitney::compiler {
namespace {

/// LLVM's way of giving up. Its reason goes to the parent, which then sees this process end.
void on_fatal_error(void*, const char* reason, bool) {
  if (std::string_view(reason).find(std::strerror(EFBIG)) != std::string_view::npos) ::_exit(kExitFileTooLarge);
  give_up(reason);
}

class ClangProgram final : public WorkerProgram {
 public:
  std::string_view name() const override { return "jitney-compiler-clang"; }
  Expected<std::string> identity() override { return clang_identity(); }

  void install_handlers() override {
    llvm::install_bad_alloc_error_handler([](void*, const char*, bool) { out_of_memory(); });
    llvm::install_fatal_error_handler(on_fatal_error);
  }

  // The targets are registered while the request is on its way.
  void initialize() override { initialize_clang(); }

  Result compile(const Request& request) override {
    Result result;
    llvm::SmallVector<char, 0> object;
    bool compiled = compile_to_object(request, object, result.diagnostics);
    auto linking = std::chrono::steady_clock::now();
    if (compiled) {
      if (auto binary = link_shared_object(object)) {
        result.binary = std::move(*binary);
      } else {
        compiled = false;
        result.diagnostics += "error: " + binary.error().message;
      }
    }
    result.status = compiled ? ResultStatus::ok : ResultStatus::rejected;
    result.link_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - linking).count();
    return result;
  }
};

}  // namespace
}  // namespace jitney::compiler

int main(int argc, char** argv) {
  jitney::compiler::ClangProgram program;
  jitney::compiler::run_worker(argc, argv, program);
}
