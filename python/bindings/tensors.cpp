// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "bindings/tensors.h"

#include <jitney/error.h>
#include <nanobind/stl/string.h>

#include <optional>
#include <utility>

namespace jitney::python {
namespace {

namespace nb = nanobind;
using Code = nb::dlpack::dtype_code;

nb::dlpack::dtype exchange_type(DType t) {
  const auto bits = static_cast<std::uint8_t>(8 * size_of(t));
  const Code code = t == DType::bf16         ? Code::Bfloat
                    : t == DType::boolean    ? Code::Bool
                    : is_floating(t)         ? Code::Float
                    : is_unsigned_integer(t) ? Code::UInt
                    : is_storage_only(t)     ? Code::UInt
                                             : Code::Int;
  return {static_cast<std::uint8_t>(code), bits, 1};
}

std::optional<DType> tensor_type(nb::dlpack::dtype type) {
  for (int i = 0; i < kDTypeCount; ++i) {
    if (exchange_type(static_cast<DType>(i)) == type) return static_cast<DType>(i);
  }
  return std::nullopt;
}

std::string text_of(const nb::object& object) { return nb::str(object).c_str(); }

std::string name_of_type(nb::handle object) { return nb::cast<std::string>(object.type().attr("__name__")); }

/// numpy's arrays of types that only ml_dtypes knows cannot be exchanged; their bits can.
std::optional<std::pair<nb::object, DType>> bits_of_extension_type(nb::handle object) {
  if (!nb::hasattr(object, "dtype") || !nb::hasattr(object, "view")) return std::nullopt;
  const nb::object dtype = object.attr("dtype");
  if (!nb::hasattr(dtype, "name") || !nb::hasattr(dtype, "isbuiltin")) return std::nullopt;
  // 2: registered by a package; the letter of their kind differs between them.
  if (nb::cast<int>(dtype.attr("isbuiltin")) != 2) return std::nullopt;
  const auto known = dtype_from_string(text_of(dtype.attr("name")));
  if (!known) return std::nullopt;
  const char* bits = size_of(*known) == 2 ? "uint16" : "uint8";
  return std::pair{nb::object(object.attr("view")(bits)), *known};
}

}  // namespace

Borrowed::Borrowed(nb::handle object, const std::string& what, bool writable) {
  const auto open = [&](nb::handle from) {
    if (!writable) return nb::try_cast(from, array_, false);
    if (!nb::try_cast(from, writable_, false)) return false;
    array_ = nb::ndarray<nb::ro>(writable_);
    return true;
  };
  std::optional<DType> dtype;
  if (open(object)) {
    dtype = tensor_type(array_.dtype());
  } else if (auto bits = bits_of_extension_type(object); bits && open(bits->first)) {
    dtype = bits->second;
  } else if (writable && nb::try_cast(object, array_, false)) {
    throw nb::value_error((what + " must be writable").c_str());
  } else {
    throw nb::type_error((what + " must be an array (numpy's, or one with __dlpack__), found " + name_of_type(object) +
                          (nb::hasattr(object, "dtype") ? " of dtype " + text_of(object.attr("dtype")) : ""))
                             .c_str());
  }
  if (!dtype)
    throw nb::type_error((what + " is an array of a type that no tensor has (DLPack code " +
                          std::to_string(array_.dtype().code) + ", " + std::to_string(array_.dtype().bits) + " bits)")
                             .c_str());
  const int device = array_.device_type();
  const bool is_pinned = device == 3 /* kDLCUDAHost */;
  for (std::size_t i = 0; i < array_.ndim(); ++i) {
    shape_.push_back(static_cast<std::int64_t>(array_.shape(i)));
    strides_.push_back(array_.stride(i));
  }
  view_ = {.data = const_cast<void*>(static_cast<const void*>(array_.data())),
           .dtype = *dtype,
           .shape = shape_,
           .strides = strides_,
           .device = {is_pinned ? Device::Type::cpu : static_cast<Device::Type>(device),
                      is_pinned ? 0 : array_.device_id()}};
}

Tensor contiguous(const TensorView& view) {
  Tensor tensor(view.dtype, {view.shape.begin(), view.shape.end()});
  const std::size_t size = size_of(view.dtype);
  std::vector<std::int64_t> index(view.shape.size(), 0);
  auto* to = static_cast<char*>(tensor.data());
  for (std::int64_t n = tensor.num_elements(); n > 0; --n) {
    std::int64_t offset = 0;
    for (std::size_t d = 0; d < index.size(); ++d) offset += index[d] * view.strides[d];
    const auto* from = static_cast<const char*>(view.data) + offset * static_cast<std::int64_t>(size);
    to = std::copy_n(from, size, to);
    for (std::size_t d = index.size(); d-- > 0;) {
      if (++index[d] < view.shape[d]) break;
      index[d] = 0;
    }
  }
  return tensor;
}

nb::object to_numpy(Tensor tensor) {
  const DType type = tensor.dtype() == DType::bf16     ? DType::u16
                     : is_storage_only(tensor.dtype()) ? DType::u8
                                                       : tensor.dtype();
  auto* kept = new Tensor(std::move(tensor));
  const nb::capsule owner(kept, [](void* p) noexcept { delete static_cast<Tensor*>(p); });
  const std::vector<std::size_t> shape(kept->shape().begin(), kept->shape().end());
  // An empty tensor may have no memory, and numpy wants an address.
  static std::int64_t nowhere = 0;
  void* data = kept->data() != nullptr ? kept->data() : &nowhere;
  return nb::cast(nb::ndarray<nb::numpy>(data, shape.size(), shape.data(), owner, nullptr, exchange_type(type),
                                         nb::device::cpu::value, 0),
                  nb::rv_policy::reference);
}

nb::object to_dlpack(DeviceTensor tensor) {
  auto* kept = new DeviceTensor(std::move(tensor));
  const nb::capsule owner(kept, [](void* p) noexcept { delete static_cast<DeviceTensor*>(p); });
  const std::vector<std::size_t> shape(kept->shape().begin(), kept->shape().end());
  const Device device = kept->device();
  return nb::cast(nb::ndarray<nb::array_api>(kept->view().data, shape.size(), shape.data(), owner, nullptr,
                                             exchange_type(kept->dtype()), static_cast<int>(device.type), device.index),
                  nb::rv_policy::reference);
}

}  // namespace jitney::python
