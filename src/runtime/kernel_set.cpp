// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/kernel_set.h"

#include <chrono>

#include "runtime/kernel_build.h"
#include "util/hash.h"

namespace jitney::runtime {

namespace {

using cache::Key;

// Bump when generated code is called in another way.
constexpr std::string_view kKernelAbi = "1";

}  // namespace

Key kernel_key(const compiler::EmittedKernel& kernel, const backend::DeviceInfo& device,
               const std::string& compiler_identity, bool optimized) {
  Key key;
  std::string options;
  for (const auto& o : device.compiler_options) options += o + " ";
  key.add("kind", "kernel").add("abi", kKernelAbi).add("target", device.target_key).add("compiler", compiler_identity);
  key.add("options", options)
      .add("prelude", hash_hex(kernel.prelude()))
      .add("defines", kernel.defines)
      .add("source", kernel.code);
  if (!optimized) key.add("optimized", "no");
  return key;
}

std::string_view to_string(KernelOrigin origin) {
  switch (origin) {
    case KernelOrigin::cached: return "cached";
    case KernelOrigin::compiled: return "compiled";
    case KernelOrigin::precompiled: return "precompiled";
    default: return "missing";
  }
}

compiler::Compiler& shared_compiler(backend::SourceLanguage language) {
  // Never destroyed: contexts in static storage may still use it at exit. Its workers end when this process does.
  if (language == backend::SourceLanguage::cuda) {
    static compiler::Compiler* cuda = compiler::make_compiler({.language = language}).release();
    return *cuda;
  }
  static compiler::Compiler* c = compiler::make_compiler({}).release();
  return *c;
}

KernelSources sources_of(std::shared_ptr<const Program> program) {
  const Program& p = *program;
  return {p.sources, p.source_names, std::move(program)};
}

KernelSet::KernelSet(KernelSources sources, Target target, cache::RuntimeCache& cache, compiler::Compiler& compiler,
                     const KernelSetOptions& options)
    : sources_(std::move(sources)),
      target_(std::move(target)),
      modules_(sources_.kernels.size()),
      handles_(sources_.kernels.size()),
      origins_(sources_.kernels.size(), KernelOrigin::missing) {
  auto begin = std::chrono::steady_clock::now();
  Build(*this, cache, compiler, options).run();
  counts_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

KernelSet::~KernelSet() {
  for (auto m : modules_)
    if (m != 0) target_.backend->unload(target_.device, m);
}

}  // namespace jitney::runtime
