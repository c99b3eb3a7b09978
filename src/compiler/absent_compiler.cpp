// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "compiler/compiler.h"

namespace jitney::compiler {
namespace {

class AbsentCompiler final : public Compiler {
 public:
  explicit AbsentCompiler(std::string reason) : reason_(std::move(reason)) {}

  CompileOutcome compile(const CompileRequest&, std::stop_token) override {
    return tl::unexpected(CompileFailure{CompileFailure::Reason::no_compiler, reason_});
  }
  Expected<std::string> identity(std::stop_token) override { return environment_error("{}", reason_); }
  void remember(const std::string&) override {}
  std::string record() const override { return ""; }
  Expected<std::string> record_key() const override { return environment_error("{}", reason_); }
  int workers_started() const override { return 0; }

 private:
  std::string reason_;
};

}  // namespace

std::unique_ptr<Compiler> make_absent_compiler(std::string reason) {
  return std::make_unique<AbsentCompiler>(std::move(reason));
}

}  // namespace jitney::compiler
