// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "jitney/torch/cache_handle.h"

#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>
#include <jitney/registry.h>

#include <cstring>

namespace jitney::torch_runtime {

c10::intrusive_ptr<RuntimeCacheHandle> RuntimeCacheHandle::find(std::int64_t id) {
  auto cache = find_runtime_cache(static_cast<std::uint64_t>(id));
  TORCH_CHECK_VALUE(cache != nullptr, "there is no runtime cache with the number ", id, " in this process");
  return c10::make_intrusive<RuntimeCacheHandle>(std::move(cache));
}

at::Tensor RuntimeCacheHandle::serialize() const {
  const auto bytes = cache->serialize();
  at::Tensor result = at::empty({static_cast<std::int64_t>(bytes.size())}, at::kByte);
  if (!bytes.empty()) std::memcpy(result.mutable_data_ptr(), bytes.data(), bytes.size());
  return result;
}

void RuntimeCacheHandle::deserialize(const at::Tensor& bytes) const {
  TORCH_CHECK_VALUE(bytes.scalar_type() == at::kByte, "a cache's bytes must be a uint8 tensor, found ",
                    bytes.scalar_type());
  const at::Tensor here = bytes.cpu().contiguous();
  cache->deserialize({static_cast<const std::byte*>(here.const_data_ptr()), static_cast<std::size_t>(here.numel())});
}

std::int64_t RuntimeCacheHandle::id() const { return static_cast<std::int64_t>(register_runtime_cache(cache)); }

}  // namespace jitney::torch_runtime
