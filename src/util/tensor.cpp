// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <jitney/error.h>
#include <jitney/tensor.h>

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "util/memory.h"
#include "util/reloadable.h"
#include "util/tensor_bytes.h"

namespace jitney {

std::size_t checked_bytes(DType dtype, const std::vector<std::int64_t>& shape) {
  for (std::int64_t extent : shape) {
    if (extent < 0) {
      throw Error(ErrorKind::user,
                  fmt::format("a tensor's shape is [{}]; extents must be 0 or more", fmt::join(shape, ", ")));
    }
  }
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
  auto bytes = static_cast<std::int64_t>(size_of(dtype));
  for (std::int64_t extent : shape) {
    if (__builtin_mul_overflow(bytes, extent, &bytes)) {
      throw Error(ErrorKind::user, fmt::format("a {} tensor of shape [{}] has more than {} bytes", to_string(dtype),
                                               fmt::join(shape, ", "), std::numeric_limits<std::int64_t>::max()));
    }
  }
  return static_cast<std::size_t>(bytes);
}

namespace {

constexpr std::size_t kAlignment = 64;

/// calloc leaves the pages of a large block untouched until they are used, which no aligned allocation does for
/// us, so the block is made larger and the start moved up.
std::shared_ptr<void> allocate_zeroed(std::size_t bytes, DType dtype, const std::vector<std::int64_t>& shape) {
  if (bytes == 0) return nullptr;
  const std::size_t available = usable_memory();
  void* block = bytes <= available - std::min(available, kAlignment) ? std::calloc(bytes + kAlignment, 1) : nullptr;
  if (block == nullptr) {
    throw Error(
        ErrorKind::environment,
        fmt::format("no memory for a {} tensor of shape [{}]: {} bytes asked, {} bytes are available to this process",
                    to_string(dtype), fmt::join(shape, ", "), bytes, available));
  }
  const auto address = (reinterpret_cast<std::uintptr_t>(block) + kAlignment - 1) & ~(kAlignment - 1);
  return {reinterpret_cast<void*>(address), [block](void*) { std::free(block); }};
}

}  // namespace

Tensor::Tensor(DType dtype, std::vector<std::int64_t> shape) : dtype_(dtype), shape_(std::move(shape)) {
  bytes_ = allocate_zeroed(checked_bytes(dtype_, shape_), dtype_, shape_);
}

Tensor::Tensor(DType dtype, std::vector<std::int64_t> shape, std::shared_ptr<void> bytes)
    : dtype_(dtype), shape_(std::move(shape)), bytes_(std::move(bytes)) {
  const std::size_t needed = checked_bytes(dtype_, shape_);
  if (needed != 0 && bytes_ == nullptr) {
    throw Error(ErrorKind::user, fmt::format("a {} tensor of shape [{}] needs {} bytes and got a null pointer",
                                             to_string(dtype_), fmt::join(shape_, ", "), needed));
  }
}

Tensor Tensor::reloading(DType dtype, std::vector<std::int64_t> shape, std::shared_ptr<Reloadable> bytes) {
  Tensor t;
  t.dtype_ = dtype;
  t.shape_ = std::move(shape);
  t.reloadable_ = std::move(bytes);
  return t;
}

void* Tensor::kept() const { return reloadable_->keep(); }

std::int64_t Tensor::num_elements() const {
  // Zero first: the product of the others may overflow.
  if (std::find(shape_.begin(), shape_.end(), 0) != shape_.end()) return 0;
  std::int64_t count = 1;
  for (std::int64_t extent : shape_) count *= extent;
  return count;
}

TensorView Tensor::view() const { return {.data = const_cast<void*>(data()), .dtype = dtype_, .shape = shape_}; }

}  // namespace jitney
