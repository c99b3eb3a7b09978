// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/tensor.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "util/expected.h"

namespace jitney {

/// A large tensor's bytes that are in memory only while somebody holds them, because they can be had again: from the
/// model's file, or by computing them from other weights. Weights are packed once for a library; without this their
/// originals would stay beside the packed ones for as long as the engine lives. Thread-safe.
class Reloadable {
 public:
  virtual ~Reloadable() = default;
  Reloadable(const Reloadable&) = delete;
  Reloadable& operator=(const Reloadable&) = delete;

  /// The bytes, there for as long as the result lives, shared by all who hold them at one time. Fails (environment)
  /// when they cannot be had again, for instance because the model's file changed.
  Expected<std::shared_ptr<void>> hold();
  /// Held for as long as this lives, for code that cannot say when it is done. Throws Error.
  void* keep();
  /// Digest of the bytes, in hex; computed once.
  Expected<std::string> digest();
  /// Whether the bytes are in memory now.
  bool is_held() const;

 protected:
  explicit Reloadable(std::size_t bytes) : bytes_(bytes) {}
  virtual Expected<std::shared_ptr<void>> load() = 0;
  std::size_t bytes() const { return bytes_; }

 private:
  Expected<std::shared_ptr<void>> hold_locked();

  const std::size_t bytes_;
  mutable std::mutex mutex_;
  std::weak_ptr<void> held_;
  std::shared_ptr<void> kept_;
  std::string digest_;
};

/// Smaller tensors stay in memory: they are not worth a second look at the file.
inline constexpr std::size_t kReloadableBytes = std::size_t{1} << 20;

/// The tensor with its bytes in memory for as long as the result lives: itself, where they are there anyway.
Expected<Tensor> resident(const Tensor& tensor);
/// Digest of the tensor's bytes, in hex, without another look at them where it is known.
Expected<std::string> content_digest(const Tensor& tensor);

/// Memory for bytes that come and go, given back to the system at once. 64-byte aligned. Fails (environment).
Expected<std::shared_ptr<void>> map_memory(std::size_t bytes);

/// What `make` gives, now where it is small; else whenever somebody wants it. `make` is called from any thread, one at
/// a time, must always give the same, of this dtype and shape, and keep alive what it needs.
Expected<Tensor> derive(DType dtype, std::vector<std::int64_t> shape, std::function<Expected<Tensor>()> make);

}  // namespace jitney
