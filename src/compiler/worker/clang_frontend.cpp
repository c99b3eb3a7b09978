// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "compiler/worker/clang_frontend.h"

#include <clang/Basic/Version.h>
#include <clang/CodeGen/CodeGenAction.h>
#include <clang/Frontend/CompilerInstance.h>
#include <clang/Frontend/TextDiagnosticPrinter.h>
#include <llvm/Config/llvm-config.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/VirtualFileSystem.h>

#include <cstring>
#include <memory>
#include <span>
#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace jitney::compiler {
namespace {

// No flag here lets the compiler change a result: no fast-math, no reassociation; contraction only within an
// expression, as C says. Kernels ask for more, loop by loop, in their source.
constexpr const char* kCommon[] = {
    "-emit-obj", "-x", "c", "-std=gnu2x", "-nostdsysteminc", "-nobuiltininc",  //
    "-mrelocation-model", "pic", "-pic-level", "2", "-fhalf-no-semantic-interposition", "-mframe-pointer=none",
    "-ffp-contract=on",
    // A warm process must not pay for checking the compiler itself, nor for names of values nobody prints.
    "-disable-llvm-verifier", "-discard-value-names", "-clear-ast-before-backend", "-fno-caret-diagnostics",
    "-ferror-limit", "5", "-Wno-psabi"};
constexpr const char* kOptimized[] = {"-O2", "-vectorize-loops", "-vectorize-slp", "-mprefer-vector-width=512"};
constexpr const char* kUnoptimized[] = {"-O0"};

std::uint64_t digest_of(std::span<const char* const> arguments, std::uint64_t seed) {
  for (const char* a : arguments) seed = XXH3_64bits_withSeed(a, std::strlen(a) + 1, seed);
  return seed;
}

/// Options whose effects outlive one compile, or that load code, are not for requests.
const char* refused_option(const std::vector<std::string>& options) {
  for (const auto& o : options) {
    if (o == "-mllvm" || o == "-load" || o.starts_with("-fplugin") || o.starts_with("-fpass-plugin")) return o.c_str();
  }
  return nullptr;
}

}  // namespace

void initialize_clang() {
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmParser();
  LLVMInitializeX86AsmPrinter();
  LLVMInitializeAArch64TargetInfo();
  LLVMInitializeAArch64Target();
  LLVMInitializeAArch64TargetMC();
  LLVMInitializeAArch64AsmParser();
  LLVMInitializeAArch64AsmPrinter();
}

std::string clang_identity() {
  auto digest = digest_of(kUnoptimized, digest_of(kOptimized, digest_of(kCommon, kProtocolVersion)));
  return fmt::format("{}; LLD {}; arguments {:016x}", clang::getClangFullVersion(), LLVM_VERSION_STRING, digest);
}

bool compile_to_object(const Request& request, llvm::SmallVectorImpl<char>& object, std::string& diagnostics) {
  if (const char* option = refused_option(request.options)) {
    diagnostics += fmt::format("error: option '{}' is not allowed in a compile request\n", option);
    return false;
  }
  std::vector<const char*> args(std::begin(kCommon), std::end(kCommon));
  if (request.optimize) args.insert(args.end(), std::begin(kOptimized), std::end(kOptimized));
  if (!request.optimize) args.insert(args.end(), std::begin(kUnoptimized), std::end(kUnoptimized));
  for (const auto& option : request.options) args.push_back(option.c_str());

  llvm::raw_string_ostream text(diagnostics);
  auto invocation = std::make_shared<clang::CompilerInvocation>();
  clang::TextDiagnosticPrinter printer(text, &invocation->getDiagnosticOpts());
  {
    auto engine = clang::CompilerInstance::createDiagnostics(new clang::DiagnosticOptions, &printer, false);
    if (!clang::CompilerInvocation::CreateFromArgs(*invocation, args, *engine)) return false;
  }
  std::string file = request.name.empty() ? "kernel.c" : request.name + ".c";
  // Clang wants the terminating zero that std::string keeps.
  invocation->getFrontendOpts().Inputs = {
      clang::FrontendInputFile(llvm::MemoryBufferRef(request.source, file), clang::InputKind(clang::Language::C))};

  clang::CompilerInstance instance;
  instance.setInvocation(std::move(invocation));
  instance.createDiagnostics(&printer, false);
  instance.setVerboseOutputStream(llvm::nulls());
  instance.createFileManager(llvm::makeIntrusiveRefCnt<llvm::vfs::InMemoryFileSystem>());
  instance.setOutputStream(std::make_unique<llvm::raw_svector_ostream>(object));
  clang::EmitObjAction action;
  return instance.ExecuteAction(action) && !instance.getDiagnostics().hasErrorOccurred();
}

}  // namespace jitney::compiler
