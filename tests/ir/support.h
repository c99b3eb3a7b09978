// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <initializer_list>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "util/half.h"

namespace jitney::ir::test {

using Ints = std::vector<std::int64_t>;

/// One element, written as people do, in the tensor's dtype.
inline void set(Tensor& t, std::size_t i, double v) {
  switch (t.dtype()) {
    case DType::f32: t.as<float>()[i] = static_cast<float>(v); break;
    case DType::f64: t.as<double>()[i] = v; break;
    case DType::f16: t.as<std::uint16_t>()[i] = f32_to_f16(static_cast<float>(v)); break;
    case DType::bf16: t.as<std::uint16_t>()[i] = f32_to_bf16(static_cast<float>(v)); break;
    case DType::i8: t.as<std::int8_t>()[i] = static_cast<std::int8_t>(v); break;
    case DType::i16: t.as<std::int16_t>()[i] = static_cast<std::int16_t>(v); break;
    case DType::i32: t.as<std::int32_t>()[i] = static_cast<std::int32_t>(v); break;
    case DType::i64: t.as<std::int64_t>()[i] = static_cast<std::int64_t>(v); break;
    case DType::u8: t.as<std::uint8_t>()[i] = static_cast<std::uint8_t>(v); break;
    case DType::u16: t.as<std::uint16_t>()[i] = static_cast<std::uint16_t>(v); break;
    case DType::u32: t.as<std::uint32_t>()[i] = static_cast<std::uint32_t>(v); break;
    case DType::u64: t.as<std::uint64_t>()[i] = static_cast<std::uint64_t>(v); break;
    case DType::boolean: t.as<std::uint8_t>()[i] = v != 0; break;
    default: FAIL() << "a type that is only stored";
  }
}

inline double get(const Tensor& t, std::size_t i) {
  switch (t.dtype()) {
    case DType::f32: return t.as<float>()[i];
    case DType::f64: return t.as<double>()[i];
    case DType::f16: return f16_to_f32(t.as<std::uint16_t>()[i]);
    case DType::bf16: return bf16_to_f32(t.as<std::uint16_t>()[i]);
    case DType::i8: return t.as<std::int8_t>()[i];
    case DType::i16: return t.as<std::int16_t>()[i];
    case DType::i32: return t.as<std::int32_t>()[i];
    case DType::i64: return static_cast<double>(t.as<std::int64_t>()[i]);
    case DType::u8:
    case DType::boolean: return t.as<std::uint8_t>()[i];
    case DType::u16: return t.as<std::uint16_t>()[i];
    case DType::u32: return t.as<std::uint32_t>()[i];
    case DType::u64: return static_cast<double>(t.as<std::uint64_t>()[i]);
    default: ADD_FAILURE() << "a type that is only stored"; return 0;
  }
}

inline Tensor tensor(DType dtype, Ints shape, const std::vector<double>& values) {
  Tensor t(dtype, std::move(shape));
  EXPECT_EQ(static_cast<std::size_t>(t.num_elements()), values.size());
  for (std::size_t i = 0; i < values.size(); ++i) set(t, i, values[i]);
  return t;
}
inline Tensor f32(Ints shape, const std::vector<double>& values) {
  return tensor(DType::f32, std::move(shape), values);
}
inline Tensor i64(Ints shape, const std::vector<double>& values) {
  return tensor(DType::i64, std::move(shape), values);
}

inline std::vector<double> values(const Tensor& t) {
  std::vector<double> v;
  for (std::int64_t i = 0; i < t.num_elements(); ++i) v.push_back(get(t, static_cast<std::size_t>(i)));
  return v;
}

inline Shape shape_of(const Tensor& t) { return Shape(t.shape().begin(), t.shape().end()); }

/// Runs one operator through interpret(). Without `out` its type is inferred.
struct Out {
  DType dtype;
  Ints shape;
};
inline Expected<Tensor> try_run(Op op, const std::vector<Tensor>& inputs, Attributes attributes = {},
                                const std::optional<Out>& out = std::nullopt) {
  Graph g;
  std::vector<const Value*> types;
  std::vector<Tensor> given;
  std::vector<ValueId> ids;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const bool absent =
        inputs[i].num_elements() == 0 && inputs[i].data() == nullptr && inputs[i].shape() == Ints{0} && i > 0;
    ids.push_back(absent ? kNoValue : g.add_value("x" + std::to_string(i), inputs[i].dtype(), shape_of(inputs[i])));
    if (!absent) given.push_back(inputs[i]);
  }
  for (const ValueId id : ids) types.push_back(id == kNoValue ? nullptr : &g.value(id));
  for (const ValueId id : ids) {
    if (id != kNoValue) g.inputs.push_back(id);
  }
  Inferred type;
  if (out) {
    type = {out->dtype, Shape(out->shape.begin(), out->shape.end())};
  } else {
    JITNEY_TRY(type, infer(op, "node", types, attributes, g.guards));
  }
  g.outputs = {g.add_node(op, "node", ids, type.dtype, type.shape, std::move(attributes))};
  JITNEY_CHECK(verify(g, Stage::imported));
  JITNEY_TRY(auto results, interpret(g, given));
  EXPECT_EQ(shape_of(results[0]), type.shape);
  EXPECT_EQ(results[0].dtype(), type.dtype);
  return results[0];
}

inline Tensor run(Op op, const std::vector<Tensor>& inputs, Attributes attributes = {},
                  const std::optional<Out>& out = std::nullopt) {
  auto result = try_run(op, inputs, std::move(attributes), out);
  if (!result) {
    ADD_FAILURE() << info(op).name << ": " << result.error().message;
    return out ? Tensor(out->dtype, out->shape) : Tensor();
  }
  return *result;
}

/// Element by element; NaN equals NaN, and zeros have their sign compared.
inline void expect_values(const Tensor& t, const std::vector<double>& expected, double tolerance = 0) {
  ASSERT_EQ(static_cast<std::size_t>(t.num_elements()), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double got = get(t, i), want = expected[i];
    if (want != want) {
      EXPECT_NE(got, got) << "element " << i << " should be NaN";
    } else if (tolerance == 0) {
      EXPECT_EQ(got, want) << "element " << i;
      EXPECT_EQ(std::signbit(got), std::signbit(want)) << "sign of element " << i;
    } else {
      EXPECT_NEAR(got, want, tolerance) << "element " << i;
    }
  }
}

}  // namespace jitney::ir::test
