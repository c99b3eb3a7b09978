// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "backend/cpu/host_memory.h"
#include "backend/cpu/onednn/api.h"

namespace jitney::backend::onednn {

/// Weights in a layout of oneDNN's.
class Packed final : public PackedWeights {
 public:
  /// Error(environment) when there is no memory for them, else undefined content.
  static Expected<std::shared_ptr<Packed>> make(HostMemory& memory, MemoryDesc desc);
  Packed(HostMemory& memory, MemoryDesc desc, void* data, std::size_t bytes)
      : memory_(memory), desc_(std::move(desc)), data_(data), bytes_(bytes) {}
  ~Packed() override { memory_.free(data_, bytes_); }
  Packed(const Packed&) = delete;

  std::size_t bytes() const override { return bytes_; }
  const_dnnl_memory_desc_t desc() const { return desc_.get(); }
  void* data() const { return data_; }

 private:
  HostMemory& memory_;
  MemoryDesc desc_;
  void* data_;
  std::size_t bytes_;
};

/// What is packed in this process, by content and layout. Holds nothing alive. Thread-safe.
class PackedTable {
 public:
  /// The packing of `from`, whose bytes have the digest `content`, in the layout `to`; made if there is none. Without a
  /// digest it is always made. Threads as OpenMP would take now.
  Expected<std::shared_ptr<const Packed>> get(HostMemory& memory, std::string_view content, const void* data,
                                              const_dnnl_memory_desc_t from, const_dnnl_memory_desc_t to);

 private:
  struct Entry {
    std::string content;
    std::weak_ptr<const Packed> packed;
  };
  std::mutex mutex_;
  std::vector<Entry> entries_;
};

}  // namespace jitney::backend::onednn
