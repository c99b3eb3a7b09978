// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "util/reloadable.h"

#include <jitney/error.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>

#include "util/hash.h"
#include "util/memory.h"

namespace jitney {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

std::span<const std::byte> bytes_of(const void* data, std::size_t size) {
  return {static_cast<const std::byte*>(data), size};
}

class Derived final : public Reloadable {
 public:
  Derived(std::size_t bytes, std::function<Expected<Tensor>()> make) : Reloadable(bytes), make_(std::move(make)) {}

 private:
  Expected<std::shared_ptr<void>> load() override {
    JITNEY_TRY(Tensor made, make_());
    if (made.num_bytes() != bytes())
      return internal_error("a derived tensor has {} bytes instead of {}", made.num_bytes(), bytes());
    auto tensor = std::make_shared<Tensor>(std::move(made));
    return std::shared_ptr<void>(tensor, tensor->data());
  }
  const std::function<Expected<Tensor>()> make_;
};

}  // namespace

Expected<std::shared_ptr<void>> Reloadable::hold_locked() {
  if (kept_) return kept_;
  if (auto held = held_.lock()) return held;
  JITNEY_TRY(auto loaded, load());
  held_ = loaded;
  return loaded;
}

Expected<std::shared_ptr<void>> Reloadable::hold() {
  const std::lock_guard lock(mutex_);
  return hold_locked();
}

void* Reloadable::keep() {
  const std::lock_guard lock(mutex_);
  if (!kept_) kept_ = value_or_throw(hold_locked());
  return kept_.get();
}

Expected<std::string> Reloadable::digest() {
  const std::lock_guard lock(mutex_);
  if (digest_.empty()) {
    JITNEY_TRY(auto held, hold_locked());
    digest_ = hash_hex(bytes_of(held.get(), bytes_));
  }
  return digest_;
}

bool Reloadable::is_held() const {
  const std::lock_guard lock(mutex_);
  return !held_.expired();
}

Expected<Tensor> resident(const Tensor& tensor) {
  if (!tensor.reloadable()) return tensor;
  JITNEY_TRY(auto bytes, tensor.reloadable()->hold());
  return Tensor(tensor.dtype(), tensor.shape(), std::move(bytes));
}

Expected<std::string> content_digest(const Tensor& tensor) {
  if (tensor.reloadable()) return tensor.reloadable()->digest();
  return hash_hex(bytes_of(tensor.data(), tensor.num_bytes()));
}

Expected<std::shared_ptr<void>> map_memory(std::size_t bytes) {
  // On a machine that grants more than it has, the process would be killed later instead.
  void* memory = bytes <= usable_memory() ? ::mmap(nullptr, std::max<std::size_t>(bytes, 1), PROT_READ | PROT_WRITE,
                                                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                                          : MAP_FAILED;
  if (memory == MAP_FAILED)
    return environment_error("no memory for {} bytes of weights: {} bytes are available to this process", bytes,
                             usable_memory());
  if (bytes >= 2 * kHugePage) ::madvise(memory, bytes, MADV_HUGEPAGE);  // a wish: fewer page faults
  return std::shared_ptr<void>(memory, [bytes](void* p) { ::munmap(p, std::max<std::size_t>(bytes, 1)); });
}

Expected<Tensor> derive(DType dtype, std::vector<std::int64_t> shape, std::function<Expected<Tensor>()> make) {
  std::int64_t bytes = static_cast<std::int64_t>(size_of(dtype));
  for (const auto extent : shape) bytes *= extent;
  if (bytes < static_cast<std::int64_t>(kReloadableBytes)) return make();
  return Tensor::reloading(dtype, std::move(shape),
                           std::make_shared<Derived>(static_cast<std::size_t>(bytes), std::move(make)));
}

}  // namespace jitney
