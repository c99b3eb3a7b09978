// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// What shapes as arguments cost: each generated kernel of a model in its generic form beside the one that is
// specialized for the shapes given, on the same data, in turns, on one thread. Prints one JSON object: microseconds of
// both forms and their ratio for each kernel, and for the model (sums over all its steps).
// Usage: jitney-bench-forms MODEL ROUNDS SYMBOL=VALUE...
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include <jitney/jitney.h>

#include "compiler/compiler.h"
#include "engine/engine_impl.h"
#include "runtime/kernel_set.h"
#include "runtime/program.h"
#include "runtime/target.h"

namespace {

using namespace jitney;

struct LaunchArgs {  // as the prelude has it
  void* const* pointers;
  const std::int64_t* numbers;
  std::int32_t* fault;
};
using Entry = void (*)(const LaunchArgs*, std::int64_t, std::int64_t);

/// Compiles and loads; what is loaded stays.
Entry entry_of(const compiler::EmittedKernel& kernel, const runtime::Target& target) {
  auto compiled = runtime::shared_compiler(backend::SourceLanguage::c)
                      .compile({backend::SourceLanguage::c, "kernel", kernel.source(), target.info.compiler_options});
  if (!compiled) throw std::runtime_error(compiled.error().message);
  const int file = ::memfd_create("kernel", MFD_CLOEXEC);
  const auto& bytes = compiled->binary;
  if (::write(file, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
    throw std::runtime_error("cannot keep a kernel in memory");
  void* handle = ::dlopen(("/proc/self/fd/" + std::to_string(file)).c_str(), RTLD_NOW | RTLD_LOCAL);
  ::close(file);
  if (!handle) throw std::runtime_error(::dlerror());
  return reinterpret_cast<Entry>(::dlsym(handle, kernel.symbol.c_str()));
}

struct Form {
  Entry entry;
  std::vector<std::int64_t> numbers;
  std::int64_t points;
  double seconds = 1e9;

  Form(const compiler::EmittedKernel& kernel, const ir::SymbolValues& symbols, const runtime::Target& target)
      : entry(entry_of(kernel, target)), points(value_or_throw(kernel.points.evaluate(symbols))) {
    for (const auto& d : kernel.numbers) numbers.push_back(value_or_throw(d.evaluate(symbols)));
  }
  void run(void* const* pointers, int times) {
    std::int32_t fault = 0;
    const LaunchArgs args{pointers, numbers.data(), &fault};
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < times; ++i) entry(&args, 0, points);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    seconds = std::min(seconds, took.count() / times);
  }
};

/// Any data of the right size: zero where indices may be meant.
Tensor filled(const ir::Value& v, const ir::SymbolValues& symbols) {
  Tensor t(v.dtype, value_or_throw(ir::evaluate(v.shape, symbols)));
  if (v.dtype == DType::f32)
    for (std::int64_t i = 0; i < t.num_elements(); ++i) t.as<float>()[i] = static_cast<float>(i % 17 - 8) / 8;
  return t;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 3) throw std::runtime_error("usage: jitney-bench-forms MODEL ROUNDS SYMBOL=VALUE...");
  ir::SymbolValues symbols;
  for (int i = 3; i < argc; ++i) {
    const char* equals = std::strchr(argv[i], '=');
    if (!equals) throw std::runtime_error(std::string(argv[i]) + " is not SYMBOL=VALUE");
    symbols[std::string(argv[i], static_cast<std::size_t>(equals - argv[i]))] = std::atoll(equals + 1);
  }
  const Engine engine = Engine::load(argv[1]);
  const runtime::Target target = value_or_throw(runtime::open_target({}));
  const auto program =
      value_or_throw(runtime::make_program(*engine.impl(), *target.backend, target.device, target.info));
  nlohmann::ordered_json kernels = nlohmann::json::array();
  std::map<std::string, std::size_t> known;  // by the specialized source
  double generic_sum = 0, special_sum = 0;
  for (const auto& step : program->steps) {
    if (!step.kernel) continue;
    const auto special = compiler::emit_c(*step.kernel, {.vector_bytes = target.info.vector_bytes, .known = symbols});
    auto [at, is_new] = known.emplace(special.source(), kernels.size());
    if (is_new) {
      Form generic(step.emitted, symbols, target), specialized(special, symbols, target);
      std::vector<Tensor> operands;
      std::vector<void*> pointers;
      for (ir::ValueId root : step.roots) operands.push_back(filled(program->graph.value(root), symbols));
      for (auto& t : operands) pointers.push_back(t.data());
      generic.run(pointers.data(), 1);
      const int times = std::max(1, static_cast<int>(200e-6 / generic.seconds));
      for (int round = std::atoi(argv[2]); round > 0; --round) {
        generic.run(pointers.data(), times);
        specialized.run(pointers.data(), times);
      }
      kernels.push_back({{"name", step.kernel->name},
                         {"steps", 0},
                         {"generic_us", generic.seconds * 1e6},
                         {"specialized_us", specialized.seconds * 1e6},
                         {"ratio", generic.seconds / specialized.seconds}});
    }
    auto& row = kernels[at->second];
    row["steps"] = row["steps"].get<int>() + 1;
    generic_sum += row["generic_us"].get<double>();
    special_sum += row["specialized_us"].get<double>();
  }
  nlohmann::ordered_json report = {{"kernels", kernels}};
  report["model"] = {{"generic_us", generic_sum},
                     {"specialized_us", special_sum},
                     {"ratio", special_sum > 0 ? generic_sum / special_sum : 1.0}};
  std::cout << report.dump(1) << "\n";
} catch (const std::exception& error) {
  std::cerr << "jitney-bench-forms: " << error.what() << "\n";
  return 1;
}
