// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace jitney::cache {

/// A cached thing's bytes: a kernel's binary, or a small fact.
using Blob = std::vector<std::byte>;
using SharedBlob = std::shared_ptr<const Blob>;

}  // namespace jitney::cache
