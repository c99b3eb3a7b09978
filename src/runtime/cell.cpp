// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/cell.h"

#include <fmt/ranges.h>

#include <cstring>
#include <new>

#include "util/reloadable.h"

namespace jitney::runtime {

namespace {

using backend::CopyKind;

Expected<std::size_t> bytes_of(DType dtype, const std::vector<std::int64_t>& shape) {
  auto bytes = static_cast<std::int64_t>(size_of(dtype));
  for (const std::int64_t e : shape) {
    if (e < 0 || __builtin_mul_overflow(bytes, e, &bytes))
      return user_error("a value would have the shape [{}], which is not possible", fmt::join(shape, ", "));
  }
  return static_cast<std::size_t>(bytes);
}

}  // namespace

std::int64_t Cell::num_elements() const {
  std::int64_t n = 1;
  for (const std::int64_t e : shape) n *= e;
  return n;
}

Expected<Cell> Cells::on_device(DType dtype, std::vector<std::int64_t> shape) const {
  JITNEY_TRY(const std::size_t bytes, bytes_of(dtype, shape));
  JITNEY_TRY(void* memory, target_.backend->allocate(target_.device, bytes, 0));
  auto* b = target_.backend;
  // Whoever uses it does so on a stream of its own.
  if (!target_.info.host_memory) JITNEY_CHECK(b->synchronize(target_.device, 0));
  std::shared_ptr<void> shared;
  if (memory != nullptr)
    shared = {memory, [b, device = target_.device, bytes](void* p) { b->free(device, p, bytes, 0); }};
  return Cell{dtype, std::move(shape), std::move(shared), target_.info.host_memory};
}

Expected<Cell> Cells::on_host(DType dtype, std::vector<std::int64_t> shape) const {
  if (target_.info.host_memory) return on_device(dtype, std::move(shape));
  JITNEY_TRY(const std::size_t bytes, bytes_of(dtype, shape));
  constexpr std::align_val_t kAlignment{64};
  std::shared_ptr<void> memory;
  if (bytes != 0) {
    void* p = ::operator new(bytes, kAlignment, std::nothrow);
    if (p == nullptr) return environment_error("no memory for {} bytes on the host", bytes);
    memory = {p, [](void* q) { ::operator delete(q, kAlignment); }};
  }
  return Cell{dtype, std::move(shape), std::move(memory), true};
}

Status Cells::copy(void* to, const void* from, std::size_t bytes, CopyKind kind) const {
  if (bytes == 0) return {};
  if (kind != CopyKind::device_to_device) {
    copies_.fetch_add(1, std::memory_order_relaxed);
    copied_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  }
  JITNEY_CHECK(target_.backend->copy(target_.device, to, from, bytes, kind, 0));
  return target_.backend->synchronize(target_.device, 0);
}

Expected<Cell> Cells::to_device(const Cell& cell) const {
  if (target_.info.host_memory || !cell.on_host) return cell;
  JITNEY_TRY(Cell there, on_device(cell.dtype, cell.shape));
  JITNEY_CHECK(copy(there.data(), cell.data(), cell.num_bytes(), CopyKind::host_to_device));
  return there;
}

Expected<Cell> Cells::to_host(const Cell& cell) const {
  if (cell.on_host) return cell;
  JITNEY_TRY(Cell here, on_host(cell.dtype, cell.shape));
  JITNEY_CHECK(copy(here.data(), cell.data(), cell.num_bytes(), CopyKind::device_to_host));
  return here;
}

Cell Cells::of_tensor(const Tensor& tensor) {
  auto held = std::make_shared<Tensor>(tensor);
  return {tensor.dtype(), tensor.shape(), std::shared_ptr<void>(held, held->data()), true};
}

Expected<Cell> Cells::of_constant(const Tensor& tensor) {
  JITNEY_TRY(const Tensor here, resident(tensor));
  return of_tensor(here);
}

Tensor Cells::tensor_of(const Cell& host) {
  if (host.num_bytes() == 0) return {host.dtype, host.shape};
  return {host.dtype, host.shape, host.memory};
}

Status Cells::copy_out(const Cell& cell, void* to) const {
  if (!target_.info.host_memory)
    return copy(to, cell.data(), cell.num_bytes(),
                cell.on_host ? CopyKind::host_to_device : CopyKind::device_to_device);
  if (cell.num_bytes() != 0) std::memcpy(to, cell.data(), cell.num_bytes());
  return {};
}

}  // namespace jitney::runtime
