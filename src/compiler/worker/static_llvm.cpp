// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// For a worker with LLVM and Clang inside (JITNEY_STATIC_LLVM). It compiles for the processor that it runs on, and the
// libraries register every target that they were built with: those of the others become functions that do nothing, so
// that nothing of them is linked. Polly, which the libraries of distributions ask for, is not used either.
#include <llvm/Passes/PassPlugin.h>

#define JITNEY_NO_TARGET(name)                            \
  extern "C" void LLVMInitialize##name##TargetInfo() {}   \
  extern "C" void LLVMInitialize##name##Target() {}       \
  extern "C" void LLVMInitialize##name##TargetMC() {}     \
  extern "C" void LLVMInitialize##name##AsmParser() {}    \
  extern "C" void LLVMInitialize##name##AsmPrinter() {}   \
  extern "C" void LLVMInitialize##name##Disassembler() {} \
  extern "C" void LLVMInitialize##name##TargetMCA() {}

#if !defined(__x86_64__)
JITNEY_NO_TARGET(X86)
#endif
#if !defined(__aarch64__)
JITNEY_NO_TARGET(AArch64)
#endif
JITNEY_NO_TARGET(AMDGPU)
JITNEY_NO_TARGET(ARM)
JITNEY_NO_TARGET(AVR)
JITNEY_NO_TARGET(BPF)
JITNEY_NO_TARGET(Hexagon)
JITNEY_NO_TARGET(Lanai)
JITNEY_NO_TARGET(LoongArch)
JITNEY_NO_TARGET(M68k)
JITNEY_NO_TARGET(Mips)
JITNEY_NO_TARGET(MSP430)
JITNEY_NO_TARGET(NVPTX)
JITNEY_NO_TARGET(PowerPC)
JITNEY_NO_TARGET(RISCV)
JITNEY_NO_TARGET(Sparc)
JITNEY_NO_TARGET(SystemZ)
JITNEY_NO_TARGET(VE)
JITNEY_NO_TARGET(WebAssembly)
JITNEY_NO_TARGET(XCore)
JITNEY_NO_TARGET(Xtensa)

llvm::PassPluginLibraryInfo getPollyPluginInfo() {
  return {LLVM_PLUGIN_API_VERSION, "none", "", [](llvm::PassBuilder&) {}};
}
