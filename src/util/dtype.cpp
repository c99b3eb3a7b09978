// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/dtype.h>

#include <array>

namespace jitney {
namespace {

constexpr std::array<std::string_view, kDTypeCount> kNames = {"float32",
                                                              "float64",
                                                              "float16",
                                                              "bfloat16",
                                                              "int8",
                                                              "int16",
                                                              "int32",
                                                              "int64",
                                                              "uint8",
                                                              "uint16",
                                                              "uint32",
                                                              "uint64",
                                                              "bool",
                                                              "float8_e4m3fn",
                                                              "float8_e4m3fnuz",
                                                              "float8_e5m2",
                                                              "float8_e5m2fnuz",
                                                              "float8_e8m0fnu",
                                                              "float4_e2m1fn",
                                                              "int4",
                                                              "uint4",
                                                              "int2",
                                                              "uint2"};

}  // namespace

std::string_view to_string(DType t) {
  const auto index = static_cast<std::size_t>(t);
  return index < kNames.size() ? kNames[index] : "unknown";
}

std::optional<DType> dtype_from_string(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<DType>(i);
  }
  return std::nullopt;
}

}  // namespace jitney
