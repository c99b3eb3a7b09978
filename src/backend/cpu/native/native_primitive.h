// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>

#include "backend/backend.h"
#include "backend/cpu/host_memory.h"

namespace jitney::backend::native {

/// Where the operands of a call are among its pointers; -1 for none.
struct Operands {
  int x = 0, weights = 1, bias = -1, addend = -1, y = -1;
};

/// A clip at the end of a call.
struct Clip {
  float low, high;
};

/// A call that Jitney's own code does. Immutable.
class NativePrimitive : public Primitive {
 public:
  NativePrimitive(Operands operands, Clip clip, int threads) : operands_(operands), clip_(clip), threads_(threads) {}
  bool is_reference() const override { return false; }

  /// Whether it needs what pack() gives.
  virtual bool has_weights() const { return true; }
  /// Equal for weights that are packed in the same way; with the weights' own content it names a packing.
  virtual std::string layout() const = 0;
  virtual std::size_t packed_floats() const = 0;
  /// weights: of the call's dtype.
  virtual void pack(const void* weights, float* packed) const = 0;
  /// Allocates nothing. Thread-safe.
  virtual void run(std::span<void* const> pointers, const float* packed, float* scratch) const = 0;

 protected:
  const Operands operands_;
  const Clip clip_;
  const int threads_;
};

class NativePacked final : public PackedWeights {
 public:
  NativePacked(HostMemory& memory, void* data, std::size_t bytes, std::string layout)
      : memory_(memory), data_(data), bytes_(bytes), layout_(std::move(layout)) {}
  ~NativePacked() override { memory_.free(data_, bytes_); }
  NativePacked(const NativePacked&) = delete;
  std::size_t bytes() const override { return bytes_; }
  const float* data() const { return static_cast<const float*>(data_); }
  const std::string& layout() const { return layout_; }

 private:
  HostMemory& memory_;
  void* data_;
  std::size_t bytes_;
  std::string layout_;
};

class NativeInvocation final : public Invocation {
 public:
  NativeInvocation(std::shared_ptr<const NativePrimitive> primitive, std::shared_ptr<const NativePacked> weights)
      : primitive_(std::move(primitive)), weights_(std::move(weights)) {}
  void run(std::span<void* const> pointers, void* scratch) const {
    primitive_->run(pointers, weights_ ? weights_->data() : nullptr, static_cast<float*>(scratch));
  }

 private:
  std::shared_ptr<const NativePrimitive> primitive_;
  std::shared_ptr<const NativePacked> weights_;
};

}  // namespace jitney::backend::native
