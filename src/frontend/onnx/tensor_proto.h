// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/tensor.h>

#include <optional>
#include <string>

#include "frontend/onnx/external_data.h"
#include "frontend/onnx/schema.h"
#include "frontend/onnx/skeleton.h"
#include "util/expected.h"

namespace jitney::onnx {

/// The dtype of a TensorProto::DataType; fails (user), by name, for those Jitney does not have. what: "initializer
/// 'w'" or the like, for the message.
Expected<DType> to_dtype(int onnx_type, const std::string& what);

/// Decodes tensors of every encoding that ONNX allows, within one budget of bytes for the whole model.
class TensorReader {
 public:
  /// `in_file`: data that was left in the model's own file; must outlive the reader.
  TensorReader(std::optional<std::string> base_directory, std::size_t max_bytes, const DataInFile* in_file = nullptr)
      : external_(std::move(base_directory)), bytes_left_(max_bytes), in_file_(in_file) {}

  /// Sizes are checked against the data before memory is allocated. Booleans are normalized to 0 and 1.
  /// Errors (user) name the tensor by `what`.
  Expected<Tensor> read(const proto::TensorProto& tensor, const std::string& what);

 private:
  /// One element after the other, each at least a byte.
  Expected<Tensor> read_bytes(const proto::TensorProto& tensor, DType dtype, const std::vector<std::int64_t>& shape,
                              const std::string& what);
  Status read_external(const proto::TensorProto& tensor, const std::string& what, std::int64_t bytes, Tensor& into);

  const FileRange* range_in_file(const proto::TensorProto& tensor) const;

  ExternalData external_;
  std::size_t bytes_left_;
  const DataInFile* in_file_;
};

/// Element i as a number; exact for integers below 2^53.
double element_as_double(const Tensor& tensor, std::int64_t i);
/// Element i of an integer or boolean tensor. u64 above 2^63 wraps.
std::int64_t element_as_integer(const Tensor& tensor, std::int64_t i);

}  // namespace jitney::onnx
