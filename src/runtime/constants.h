// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "runtime/program.h"
#include "runtime/target.h"

namespace jitney::runtime {

/// The constants of one program where kernels read them. On the host they are the engine's own bytes; on a device a
/// copy that all contexts of this process with the same bytes share, and that goes with the last of them.
///
/// at() may be called by any thread while another keeps a constant; the rest needs the caller's exclusion.
class Constants {
 public:
  /// A constant's bytes, there for as long as this lives.
  struct Held {
    const void* data = nullptr;
    std::shared_ptr<const void> owner;
  };

  Constants(std::shared_ptr<const Program> program, Target target);

  /// Takes those to the device that more reads than the packing of library calls. Call once.
  Status load();
  /// Address on the device; null for what only library calls read, packed, until it is kept.
  void* at(ir::ValueId value) const;
  Expected<Held> hold(ir::ValueId value);
  void keep(ir::ValueId value, Held held);

 private:
  std::shared_ptr<const Program> program_;
  Target target_;
  std::vector<void*> addresses_;  ///< by value id
  std::vector<Held> held_;
};

/// By value id, whether a constant's own bytes are read by more than the packing of library calls, which happens once.
std::vector<bool> plainly_read_constants(const Program& program);

/// Adds to an error of the environment what the memory was wanted for: "cuda:0 cannot allocate 100 bytes ...; they were
/// wanted for ...". The allocation itself, in the order of `stream`.
Expected<void*> allocate_for(const char* what, const Target& target, std::size_t bytes, backend::StreamHandle stream);

}  // namespace jitney::runtime
