// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "compiler/emit.h"

#include "compiler/prelude_c.h"
#include "compiler/prelude_cuda.h"

namespace jitney::compiler {

std::string EmittedKernel::prelude() const {
  return language == backend::SourceLanguage::cuda ? std::string(prelude_cuda()) : prelude_c_for(code);
}

std::string EmittedKernel::source() const { return defines + prelude() + code; }

EmittedKernel emit(const kernel::Kernel& kernel, const EmitOptions& options, backend::SourceLanguage language) {
  if (kernel.algorithm) return emit_algorithm(kernel, options, language);
  return language == backend::SourceLanguage::cuda ? emit_cuda(kernel, options) : emit_c(kernel, options);
}

}  // namespace jitney::compiler
