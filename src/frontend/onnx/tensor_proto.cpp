// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "frontend/onnx/tensor_proto.h"

#include <fmt/ranges.h>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <limits>
#include <vector>

#include "frontend/onnx/storage_cast.h"
#include "util/half.h"
#include "util/reloadable.h"

namespace jitney::onnx {
namespace {

using proto::TensorProto;

/// Bytes of the tensor, or an error: extents must be >= 0 and the product must not overflow.
Expected<std::int64_t> checked_bytes(DType dtype, const std::vector<std::int64_t>& shape, const std::string& what) {
  auto bytes = static_cast<std::int64_t>(size_of(dtype));
  bool empty = false;
  for (const std::int64_t extent : shape) {
    if (extent < 0) return user_error("{} has shape [{}]; extents must be 0 or more", what, fmt::join(shape, ", "));
    empty = empty || extent == 0;
  }
  if (empty) return 0;
  for (const std::int64_t extent : shape) {
    if (__builtin_mul_overflow(bytes, extent, &bytes)) {
      return user_error("{} has shape [{}], which is more than {} bytes", what, fmt::join(shape, ", "),
                        std::numeric_limits<std::int64_t>::max());
    }
  }
  return bytes;
}

tl::unexpected<Failure> wrong_count(const std::string& what, const std::vector<std::int64_t>& shape,
                                    std::int64_t expected, std::int64_t found) {
  return user_error("{} has shape [{}], which is {} elements, but its data has {}", what, fmt::join(shape, ", "),
                    expected, found);
}

/// Copies a typed field, which may be wider than the dtype; a value that does not fit is an error.
template <class To, class Field>
Status copy_field(const Field& field, const std::string& what, const std::vector<std::int64_t>& shape,
                  std::int64_t count, Tensor& into) {
  if (field.size() != count) return wrong_count(what, shape, count, field.size());
  To* out = into.as<To>();
  for (int i = 0; i < field.size(); ++i) {
    if constexpr (std::is_integral_v<To>) {
      if (!std::in_range<To>(field.Get(i)))
        return user_error("{} has the value {}, which does not fit its type", what, field.Get(i));
    }
    out[i] = static_cast<To>(field.Get(i));
  }
  return {};
}

std::int64_t field_size(const TensorProto& t, DType dtype) {
  switch (dtype) {
    case DType::f32: return t.float_data_size();
    case DType::f64: return t.double_data_size();
    case DType::i64: return t.int64_data_size();
    case DType::u32:
    case DType::u64: return t.uint64_data_size();
    default: return t.int32_data_size();
  }
}

Status copy_fields(const TensorProto& t, const std::string& what, std::int64_t count, Tensor& into) {
  const auto& shape = into.shape();
  switch (into.dtype()) {
    case DType::f32: return copy_field<float>(t.float_data(), what, shape, count, into);
    case DType::f64: return copy_field<double>(t.double_data(), what, shape, count, into);
    case DType::i64: return copy_field<std::int64_t>(t.int64_data(), what, shape, count, into);
    case DType::u64: return copy_field<std::uint64_t>(t.uint64_data(), what, shape, count, into);
    case DType::u32: return copy_field<std::uint32_t>(t.uint64_data(), what, shape, count, into);
    case DType::i32: return copy_field<std::int32_t>(t.int32_data(), what, shape, count, into);
    case DType::i16: return copy_field<std::int16_t>(t.int32_data(), what, shape, count, into);
    case DType::i8: return copy_field<std::int8_t>(t.int32_data(), what, shape, count, into);
    case DType::u16:
    case DType::f16:
    case DType::bf16: return copy_field<std::uint16_t>(t.int32_data(), what, shape, count, into);  // halves as bits
    default: return copy_field<std::uint8_t>(t.int32_data(), what, shape, count, into);
  }
}

Expected<std::int64_t> parse_number(const std::string& text, const std::string& key, const std::string& what) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) {
    return user_error("{} has the external data {} '{}'; it must be a number from 0 on", what, key, text);
  }
  return value;
}

/// Whether a tensor's bytes may stay in their file until somebody needs them. Booleans are looked at here.
bool can_wait(DType dtype, std::int64_t bytes) {
  return dtype != DType::boolean && bytes >= static_cast<std::int64_t>(kReloadableBytes);
}

}  // namespace

Expected<DType> to_dtype(int onnx_type, const std::string& what) {
  switch (onnx_type) {
    case TensorProto::FLOAT: return DType::f32;
    case TensorProto::DOUBLE: return DType::f64;
    case TensorProto::FLOAT16: return DType::f16;
    case TensorProto::BFLOAT16: return DType::bf16;
    case TensorProto::INT8: return DType::i8;
    case TensorProto::INT16: return DType::i16;
    case TensorProto::INT32: return DType::i32;
    case TensorProto::INT64: return DType::i64;
    case TensorProto::UINT8: return DType::u8;
    case TensorProto::UINT16: return DType::u16;
    case TensorProto::UINT32: return DType::u32;
    case TensorProto::UINT64: return DType::u64;
    case TensorProto::BOOL: return DType::boolean;
    case TensorProto::FLOAT8E4M3FN: return DType::f8e4m3fn;
    case TensorProto::FLOAT8E4M3FNUZ: return DType::f8e4m3fnuz;
    case TensorProto::FLOAT8E5M2: return DType::f8e5m2;
    case TensorProto::FLOAT8E5M2FNUZ: return DType::f8e5m2fnuz;
    case TensorProto::FLOAT8E8M0: return DType::f8e8m0;
    case TensorProto::FLOAT4E2M1: return DType::f4e2m1;
    case TensorProto::INT4: return DType::i4;
    case TensorProto::UINT4: return DType::u4;
    case TensorProto::INT2: return DType::i2;
    case TensorProto::UINT2: return DType::u2;
    default: break;
  }
  if (onnx_type == TensorProto::UNDEFINED) return user_error("{} has no element type", what);
  const std::string name = proto::TensorProto_DataType_IsValid(onnx_type)
                               ? proto::TensorProto_DataType_Name(static_cast<proto::TensorProto_DataType>(onnx_type))
                               : std::to_string(onnx_type);
  return user_error("{} has element type {}, which is not supported", what, name);
}

Status TensorReader::read_external(const TensorProto& tensor, const std::string& what, std::int64_t bytes,
                                   Tensor& into) {
  std::string location;
  std::int64_t offset = 0;
  std::int64_t length = bytes;
  for (const auto& entry : tensor.external_data()) {
    if (entry.key() == "location") location = entry.value();
    if (entry.key() == "offset") {
      JITNEY_TRY(offset, parse_number(entry.value(), "offset", what));
    }
    if (entry.key() == "length") {
      JITNEY_TRY(length, parse_number(entry.value(), "length", what));
    }
  }
  if (location.empty()) return user_error("{} is stored outside the model but names no file", what);
  if (length != bytes)
    return user_error("{} needs {} bytes, but its external data '{}' has length {}", what, bytes, location, length);
  JITNEY_CHECK(external_.check(location, offset, length));
  if (can_wait(into.dtype(), bytes)) {
    JITNEY_TRY(auto file, external_.keep(location));
    if (file) {
      into = tensor_in_file(into.dtype(), into.shape(), std::move(file), offset);
      return {};
    }
  }
  into = Tensor(into.dtype(), into.shape());
  return external_.read(location, offset, length, into.data());
}

Status TensorReader::charge_repeated(std::size_t bytes, const std::string& what) {
  if (bytes > repeated_bytes_left_)
    return user_error(
        "writing out loops over sequences and calls of functions copies {} more bytes for {}, and only {} are left of "
        "the budget for what a model repeats",
        bytes, what, repeated_bytes_left_);
  repeated_bytes_left_ -= bytes;
  return {};
}

const FileRange* TensorReader::range_in_file(const TensorProto& tensor) const {
  if (in_file_ == nullptr) return nullptr;
  const auto it = in_file_->ranges.find(&tensor);
  return it == in_file_->ranges.end() ? nullptr : &it->second;
}

Expected<Tensor> TensorReader::read(const TensorProto& tensor, const std::string& what) {
  JITNEY_TRY(const DType dtype, to_dtype(tensor.data_type(), what));
  const std::vector<std::int64_t> shape(tensor.dims().begin(), tensor.dims().end());
  const int bits = stored_bits(dtype), each = 8 / std::min(bits, 8);
  if (each == 1) return read_bytes(tensor, dtype, shape, what);
  // Several elements a byte, the first in the low bits.
  JITNEY_TRY(const std::int64_t count, checked_bytes(dtype, shape, what));
  JITNEY_TRY(const Tensor stored, read_bytes(tensor, DType::u8, {count / each + (count % each != 0)}, what));
  JITNEY_TRY(const Tensor packed, resident(stored));
  if (static_cast<std::uint64_t>(count) > bytes_left_)
    return user_error("{} has {} elements, more than the {} bytes that the model's tensors may still have", what, count,
                      bytes_left_);
  bytes_left_ -= static_cast<std::size_t>(count);
  Tensor result(dtype, shape);
  for (std::int64_t i = 0; i < count; ++i)
    result.as<std::uint8_t>()[i] =
        static_cast<std::uint8_t>((packed.as<std::uint8_t>()[i / each] >> (i % each * bits)) & ((1 << bits) - 1));
  return result;
}

Expected<Tensor> TensorReader::read_bytes(const TensorProto& tensor, DType dtype,
                                          const std::vector<std::int64_t>& shape, const std::string& what) {
  JITNEY_TRY(const std::int64_t bytes, checked_bytes(dtype, shape, what));
  const std::int64_t count = bytes / static_cast<std::int64_t>(size_of(dtype));
  if (tensor.has_segment()) return user_error("{} is stored in segments, which are not supported", what);
  if (static_cast<std::uint64_t>(bytes) > bytes_left_) {
    return user_error("{} has {} bytes, more than the {} bytes that the model's tensors may still have", what, bytes,
                      bytes_left_);
  }
  bytes_left_ -= static_cast<std::size_t>(bytes);

  // Whatever can be wrong with the data is found before its memory is allocated.
  std::shared_ptr<void> nothing = std::make_shared<std::byte>();
  Tensor result(dtype, shape, nothing);
  if (tensor.data_location() == TensorProto::EXTERNAL) {
    JITNEY_CHECK(read_external(tensor, what, bytes, result));
  } else if (const FileRange* range = range_in_file(tensor); range != nullptr || tensor.has_raw_data()) {
    const auto found = range != nullptr ? range->size : static_cast<std::int64_t>(tensor.raw_data().size());
    if (found != bytes) {
      return user_error("{} has shape [{}], which is {} bytes, but its data has {}", what, fmt::join(shape, ", "),
                        bytes, found);
    }
    if (range != nullptr && can_wait(dtype, bytes)) return tensor_in_file(dtype, shape, in_file_->file, range->offset);
    result = Tensor(dtype, shape);
    if (range != nullptr)
      // Reads rather than maps: a file that somebody truncates meanwhile is an error then, and no signal.
      JITNEY_CHECK(in_file_->file->read(range->offset, static_cast<std::size_t>(bytes), result.data()));
    else if (bytes > 0)
      std::memcpy(result.data(), tensor.raw_data().data(), static_cast<std::size_t>(bytes));
  } else {
    if (field_size(tensor, dtype) != count) return wrong_count(what, shape, count, field_size(tensor, dtype));
    result = Tensor(dtype, shape);
    JITNEY_CHECK(copy_fields(tensor, what, count, result));
  }
  if (dtype == DType::boolean) {
    auto* data = result.as<std::uint8_t>();
    std::transform(data, data + count, data, [](std::uint8_t b) { return static_cast<std::uint8_t>(b != 0); });
  }
  return result;
}

double element_as_double(const Tensor& tensor, std::int64_t i) {
  switch (tensor.dtype()) {
    case DType::f32: return tensor.as<float>()[i];
    case DType::f64: return tensor.as<double>()[i];
    case DType::f16: return f16_to_f32(tensor.as<std::uint16_t>()[i]);
    case DType::bf16: return bf16_to_f32(tensor.as<std::uint16_t>()[i]);
    case DType::u64: return static_cast<double>(tensor.as<std::uint64_t>()[i]);
    default: return static_cast<double>(element_as_integer(tensor, i));
  }
}

std::int64_t element_as_integer(const Tensor& tensor, std::int64_t i) {
  switch (tensor.dtype()) {
    case DType::i8: return tensor.as<std::int8_t>()[i];
    case DType::i16: return tensor.as<std::int16_t>()[i];
    case DType::i32: return tensor.as<std::int32_t>()[i];
    case DType::i64: return tensor.as<std::int64_t>()[i];
    case DType::u16: return tensor.as<std::uint16_t>()[i];
    case DType::u32: return tensor.as<std::uint32_t>()[i];
    case DType::u64: return static_cast<std::int64_t>(tensor.as<std::uint64_t>()[i]);
    default: return tensor.as<std::uint8_t>()[i];
  }
}

}  // namespace jitney::onnx
