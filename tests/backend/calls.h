// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <random>
#include <vector>

#include "backend/backend.h"

/// Library calls with operands, their results by plain loops, and what a backend makes of them.
namespace jitney::backend {

/// A call's operands in its order; the output is the last.
std::vector<TensorDesc> operands_of(const LibraryCall& call);
/// Index among operands_of() of what pack() takes; -1 where nothing is constant.
int packed_operand_of(const LibraryCall& call);

/// Row-major strides of a shape.
std::vector<std::int64_t> dense(const std::vector<std::int64_t>& shape);
TensorDesc tensor(std::vector<std::int64_t> shape, DType dtype = DType::f32);

/// Values by operand: one for each element that its strides reach, as its dtype can hold them. Output: zeros.
using Values = std::vector<std::vector<double>>;
Values random_values(const LibraryCall& call, std::mt19937& random);

/// The result in double precision, row-major, by plain loops.
std::vector<double> reference(const LibraryCall& call, const Values& values);

/// The most by which a result may differ from `expected`: rounding of the output, and of sums of `terms` products.
double tolerance(DType output, std::int64_t terms, double expected);
std::int64_t terms_of(const LibraryCall& call);

/// A call made ready on a backend: planned, packed, its operands in device memory.
class ReadyCall {
 public:
  struct Options {
    StreamHandle stream = 0;
    const PackedWeights* preferred = nullptr;
    int in_place = -1;         ///< this operand lies where the output goes
    std::string_view content;  ///< digest for pack()
    PlanServices* services = nullptr;
  };
  static Expected<std::unique_ptr<ReadyCall>> make(Backend* backend, const LibraryCall& call, const Values& values,
                                                   const Options& options);
  ~ReadyCall();
  ReadyCall(const ReadyCall&) = delete;

  /// Runs it; the result is what fetch() gives. A second run needs the operand in place to be uploaded again.
  Status run();
  std::vector<double> fetch() const;
  void upload(int operand, const std::vector<double>& values);

  const Primitive& primitive() const { return *primitive_; }
  std::shared_ptr<const Primitive> shared_primitive() const { return primitive_; }
  std::shared_ptr<const PackedWeights> weights() const { return weights_; }

 private:
  ReadyCall() = default;
  Backend* backend_ = nullptr;
  StreamHandle stream_ = 0;
  std::vector<TensorDesc> descs_;
  std::vector<void*> pointers_;
  std::vector<std::pair<void*, std::size_t>> memory_;
  void* scratch_ = nullptr;
  std::shared_ptr<const Primitive> primitive_;
  std::shared_ptr<const PackedWeights> weights_;
  std::unique_ptr<Invocation> invocation_;
};

/// Says how the two differ most, or "" where every difference is within the tolerance.
std::string compare(const LibraryCall& call, const std::vector<double>& result, const std::vector<double>& expected);

/// The call in short, for messages.
std::string describe(const LibraryCall& call);

}  // namespace jitney::backend
