// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

// The protobuf classes of ONNX, generated at build time into a package of our own.
#include <jitney_onnx.pb.h>

namespace jitney::onnx {
namespace proto = ::jitney_onnx;
}  // namespace jitney::onnx
