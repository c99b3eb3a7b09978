// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <llvm/ADT/SmallVector.h>

#include <string>

#include "compiler/protocol.h"

namespace jitney::compiler {

/// Once a process, before the first compile.
void initialize_clang();

/// Clang's full version, the linker's, and a digest of the arguments below: whatever decides the bytes apart from
/// the request.
std::string clang_identity();

/// C source to a relocatable ELF object in memory. The source sees no files: there is nothing to include.
/// Diagnostics, remarks about loops that were not vectorized included, are appended as text. False: rejected.
bool compile_to_object(const Request& request, llvm::SmallVectorImpl<char>& object, std::string& diagnostics);

}  // namespace jitney::compiler
