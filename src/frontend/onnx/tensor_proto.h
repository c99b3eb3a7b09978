// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/tensor.h>

#include <map>
#include <memory>
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

/// Decodes tensors of every encoding that ONNX allows, within one budget of bytes for the whole model, and another for
/// what is read or copied again because a part of the model is written out more than once.
class TensorReader {
 public:
  /// `in_file`: data that was left in the model's own file; must outlive the reader.
  TensorReader(std::optional<std::string> base_directory, std::size_t max_bytes, std::size_t max_repeated_bytes,
               const DataInFile* in_file = nullptr)
      : external_(std::move(base_directory)),
        bytes_left_(max_bytes),
        repeated_bytes_left_(max_repeated_bytes),
        in_file_(in_file) {}

  /// Sizes are checked against the data before memory is allocated. Booleans are normalized to 0 and 1.
  /// Errors (user) name the tensor by `what`.
  Expected<Tensor> read(const proto::TensorProto& tensor, const std::string& what);

  /// What `read` gives, an Expected<Tensor>: read once for a message of the model (`key`, its address), however often
  /// the rounds and calls that it is a part of are written out. While there are Copies, addresses say nothing, and each
  /// is charged.
  template <class Read>
  Expected<std::shared_ptr<const Tensor>> once(const void* key, const std::string& what, Read read) {
    if (copies_ == 0) {
      if (const auto found = once_.find(key); found != once_.end()) return found->second;
    }
    JITNEY_TRY(Tensor tensor, read());
    if (copies_ > 0) JITNEY_CHECK(charge_repeated(tensor.num_bytes(), what));
    auto shared = std::make_shared<const Tensor>(std::move(tensor));
    if (copies_ == 0) once_.emplace(key, shared);
    return shared;
  }
  /// For bytes that something is copied to. Errors (user): the budget is spent.
  Status charge_repeated(std::size_t bytes, const std::string& what);
  /// Makes room for what the model's functions hold.
  void allow_repeated(std::size_t bytes) { repeated_bytes_left_ += bytes; }

  /// While this lives, messages are copies, whose memory becomes another's.
  class Copies {
   public:
    explicit Copies(TensorReader& reader) : reader_(reader) { ++reader_.copies_; }
    ~Copies() { --reader_.copies_; }
    Copies(const Copies&) = delete;
    Copies& operator=(const Copies&) = delete;

   private:
    TensorReader& reader_;
  };

 private:
  /// One element after the other, each at least a byte.
  Expected<Tensor> read_bytes(const proto::TensorProto& tensor, DType dtype, const std::vector<std::int64_t>& shape,
                              const std::string& what);
  Status read_external(const proto::TensorProto& tensor, const std::string& what, std::int64_t bytes, Tensor& into);

  const FileRange* range_in_file(const proto::TensorProto& tensor) const;

  ExternalData external_;
  std::size_t bytes_left_, repeated_bytes_left_;
  int copies_ = 0;
  std::map<const void*, std::shared_ptr<const Tensor>> once_;
  const DataInFile* in_file_;
};

/// Element i as a number; exact for integers below 2^53.
double element_as_double(const Tensor& tensor, std::int64_t i);
/// Element i of an integer or boolean tensor. u64 above 2^63 wraps.
std::int64_t element_as_integer(const Tensor& tensor, std::int64_t i);

}  // namespace jitney::onnx
