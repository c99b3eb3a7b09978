// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/tensor.h>

#include <string>

namespace jitney::python {

/// "cpu", "cuda", "cuda:1", "null". Throws Error(user) for anything else.
Device parse_device(const std::string& text);

}  // namespace jitney::python
