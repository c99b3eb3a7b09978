// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Compiles every kernel that models need on NVIDIA GPUs, without one: cuda_kernels [--libraries] MODEL...
// For compute capability 7.5, 9.0 and 12.0, with everything generated or, with --libraries, with what vendor libraries
// could do left to them. Prints a line for each model and target; 1 where something does not compile.
#include <fmt/format.h>
#include <jitney/engine.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <string_view>
#include <thread>
#include <vector>

#include "backend/cuda/architecture.h"
#include "backend/cuda/binary_check.h"
#include "backend/cuda/cuda_backend.h"
#include "compiler/compiler.h"
#include "engine/engine_impl.h"
#include "runtime/program.h"

namespace {

using namespace jitney;

/// Offers every call that a library might take, or none.
class Offers final : public backend::cuda::CudaBackend {
 public:
  explicit Offers(bool all) : all_(all) {}
  bool offers(int, const backend::LibraryCall& call) const override {
    return all_ && !std::holds_alternative<backend::PoolingCall>(call) &&
           !std::holds_alternative<backend::CollectiveCall>(call);
  }

 private:
  const bool all_;
};

struct Count {
  std::atomic<int> kernels{0}, failed{0};
};

void compile_all(const runtime::Program& program, const backend::DeviceInfo& info, compiler::Compiler& compiler,
                 Count& count) {
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i; (i = next++) < program.sources.size();) {
      auto made = compiler.compile({.language = info.language,
                                    .name = program.source_names[i],
                                    .source = program.sources[i].source(),
                                    .options = info.compiler_options});
      ++count.kernels;
      const bool is_good = made && made->binary.size() > 4 && static_cast<char>(made->binary[1]) == 'E' &&
                           backend::cuda::checked_copy(made->binary);
      if (is_good) continue;
      ++count.failed;
      fmt::print(stderr, "{} on {}: {}\n", program.source_names[i], info.target_key,
                 made ? "no whole cubin" : made.error().message);
    }
  };
  std::vector<std::jthread> helpers;
  for (unsigned t = 1; t < std::thread::hardware_concurrency(); ++t) helpers.emplace_back(work);
  work();
}

int run(int argc, char** argv) {
  bool libraries = false, failed = false;
  auto compiler = compiler::make_compiler({.language = backend::SourceLanguage::cuda});
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--libraries") {
      libraries = true;
      continue;
    }
    const Engine engine = Engine::load(argv[i]);
    for (const auto [major, minor] : {std::array{7, 5}, std::array{9, 0}, std::array{12, 0}}) {
      const backend::DeviceInfo info = backend::cuda::describe_architecture(major, minor);
      const Offers backend(libraries);
      const auto program = value_or_throw(runtime::make_program(*engine.impl(), backend, 0, info));
      Count count;
      compile_all(*program, info, *compiler, count);
      int interpreted = 0;
      for (const auto& step : program->steps) interpreted += step.distinct < 0 && !step.is_call;
      fmt::print("{} {}: {} kernels, {} failed, {} interpreted\n", argv[i], info.target_key, count.kernels.load(),
                 count.failed.load(), interpreted);
      std::fflush(stdout);
      failed = failed || count.failed > 0 || interpreted > 0;
    }
  }
  return failed ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
}
