// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/calls.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>

#include "util/half.h"

namespace jitney::backend {
namespace {

/// Elements from the first to the last that strides reach.
std::size_t span_of(const TensorDesc& t) {
  std::int64_t last = 0;
  for (std::size_t i = 0; i < t.shape.size(); ++i) {
    if (t.shape[i] == 0) return 0;
    last += (t.shape[i] - 1) * t.strides[i];
  }
  return static_cast<std::size_t>(last + 1);
}

double rounded(DType type, double value) {
  const auto f = static_cast<float>(value);
  if (type == DType::bf16) return bf16_to_f32(f32_to_bf16(f));
  if (type == DType::f16) return f16_to_f32(f32_to_f16(f));
  return f;
}

std::vector<std::byte> to_bytes(DType type, const std::vector<double>& values) {
  std::vector<std::byte> bytes(values.size() * size_of(type));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto f = static_cast<float>(values[i]);
    if (type == DType::f32) {
      std::memcpy(&bytes[i * 4], &f, 4);
    } else {
      const std::uint16_t h = type == DType::bf16 ? f32_to_bf16(f) : f32_to_f16(f);
      std::memcpy(&bytes[i * 2], &h, 2);
    }
  }
  return bytes;
}

std::vector<double> from_bytes(DType type, const std::vector<std::byte>& bytes) {
  std::vector<double> values(bytes.size() / size_of(type));
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (type == DType::f32) {
      float f = 0;
      std::memcpy(&f, &bytes[i * 4], 4);
      values[i] = f;
    } else {
      std::uint16_t h = 0;
      std::memcpy(&h, &bytes[i * 2], 2);
      values[i] = type == DType::bf16 ? bf16_to_f32(h) : f16_to_f32(h);
    }
  }
  return values;
}

void add_epilogue(std::vector<TensorDesc>& operands, const std::vector<PostOp>& epilogue) {
  for (const auto& p : epilogue) {
    if (p.kind == PostOp::Kind::add_operand || p.kind == PostOp::Kind::mul_operand) operands.push_back(p.operand);
  }
}

}  // namespace

std::vector<std::int64_t> dense(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * std::max<std::int64_t>(shape[i], 1);
  return strides;
}

TensorDesc tensor(std::vector<std::int64_t> shape, DType dtype) {
  auto strides = dense(shape);
  return {dtype, std::move(shape), std::move(strides)};
}

std::vector<TensorDesc> operands_of(const LibraryCall& call) {
  if (const auto* m = std::get_if<MatMulCall>(&call)) {
    std::vector<TensorDesc> operands{m->a, m->b};
    if (m->has_bias) operands.push_back(tensor({m->c.shape.back()}, m->bias_dtype));
    add_epilogue(operands, m->epilogue);
    operands.push_back(m->c);
    return operands;
  }
  if (const auto* a = std::get_if<AttentionCall>(&call)) {
    std::vector<TensorDesc> operands{a->q, a->k, a->v};
    if (a->has_mask()) operands.push_back(a->mask);
    operands.push_back(a->y);
    return operands;
  }
  if (const auto* c = std::get_if<ConvolutionCall>(&call)) {
    std::vector<TensorDesc> operands{c->x, c->w};
    if (c->has_bias) operands.push_back(tensor({c->y.shape.back()}, c->bias_dtype));
    add_epilogue(operands, c->epilogue);
    operands.push_back(c->y);
    return operands;
  }
  const auto& p = std::get<PoolingCall>(call);
  return {p.x, p.y};
}

int packed_operand_of(const LibraryCall& call) {
  if (const auto* m = std::get_if<MatMulCall>(&call)) return m->constant_b ? 1 : -1;
  if (const auto* c = std::get_if<ConvolutionCall>(&call)) return c->constant_w ? 1 : -1;
  return -1;
}

Values random_values(const LibraryCall& call, std::mt19937& random) {
  std::uniform_real_distribution<double> uniform(-1, 1);
  Values values;
  for (const auto& d : operands_of(call)) {
    auto& v = values.emplace_back(span_of(d));
    for (auto& x : v) x = rounded(d.dtype, uniform(random));
  }
  std::ranges::fill(values.back(), 0);
  return values;
}

Expected<std::unique_ptr<ReadyCall>> ReadyCall::make(Backend* backend, const LibraryCall& call, const Values& values,
                                                     const Options& options) {
  std::unique_ptr<ReadyCall> ready(new ReadyCall);
  ready->backend_ = backend;
  ready->stream_ = options.stream;
  ready->descs_ = operands_of(call);
  for (std::size_t i = 0; i < ready->descs_.size(); ++i) {
    const std::size_t bytes = values[i].size() * size_of(ready->descs_[i].dtype);
    JITNEY_TRY(void* memory, backend->allocate(0, bytes, options.stream));
    ready->memory_.emplace_back(memory, bytes);
    ready->pointers_.push_back(memory);
  }
  if (options.in_place >= 0) ready->pointers_.back() = ready->pointers_[static_cast<std::size_t>(options.in_place)];
  for (std::size_t i = 0; i < ready->descs_.size(); ++i) {
    const bool is_taken = i + 1 == ready->descs_.size() && options.in_place >= 0;
    if (!is_taken) ready->upload(static_cast<int>(i), values[i]);
  }
  JITNEY_TRY(
      ready->primitive_,
      backend->plan(0, call, {.stream = options.stream, .weights = options.preferred, .services = options.services}));
  if (const int packed = packed_operand_of(call); packed >= 0) {
    auto& pointer = ready->pointers_[static_cast<std::size_t>(packed)];
    JITNEY_TRY(ready->weights_, backend->pack(0, *ready->primitive_, {.plain = pointer, .content = options.content}));
    if (ready->weights_) pointer = nullptr;  // what was packed is not read again
  }
  JITNEY_TRY(ready->invocation_, backend->invocation(0, ready->primitive_, ready->weights_));
  JITNEY_TRY(ready->scratch_, backend->allocate(0, ready->primitive_->scratch_bytes(), options.stream));
  return ready;
}

ReadyCall::~ReadyCall() {
  invocation_.reset();
  for (const auto& [memory, bytes] : memory_) backend_->free(0, memory, bytes, stream_);
  if (primitive_) backend_->free(0, scratch_, primitive_->scratch_bytes(), stream_);
}

Status ReadyCall::run() {
  JITNEY_TRY(const auto token, backend_->begin_execute(0, stream_));
  const auto status = backend_->run(0, *invocation_, pointers_, scratch_, stream_);
  backend_->end_execute(0, stream_, token);
  JITNEY_CHECK(status);
  return backend_->synchronize(0, stream_);
}

std::vector<double> ReadyCall::fetch() const {
  std::vector<std::byte> bytes(memory_.back().second);
  value_or_throw(backend_->copy(0, bytes.data(), pointers_.back(), bytes.size(), CopyKind::device_to_host, stream_));
  value_or_throw(backend_->synchronize(0, stream_));
  const auto& y = descs_.back();
  const auto values = from_bytes(y.dtype, bytes);
  // In the order of the indices, wherever the elements lie.
  std::vector<double> result;
  std::vector<std::int64_t> index(y.shape.size(), 0);
  for (std::int64_t left = std::accumulate(y.shape.begin(), y.shape.end(), std::int64_t{1}, std::multiplies<>());
       left > 0; --left) {
    result.push_back(values[static_cast<std::size_t>(
        std::inner_product(index.begin(), index.end(), y.strides.begin(), std::int64_t{0}))]);
    for (std::size_t axis = index.size(); axis-- > 0;) {
      if (++index[axis] < y.shape[axis]) break;
      index[axis] = 0;
    }
  }
  return result;
}

void ReadyCall::upload(int operand, const std::vector<double>& values) {
  const auto i = static_cast<std::size_t>(operand);
  const auto bytes = to_bytes(descs_[i].dtype, values);
  value_or_throw(backend_->copy(0, pointers_[i], bytes.data(), bytes.size(), CopyKind::host_to_device, stream_));
  value_or_throw(backend_->synchronize(0, stream_));
}

std::string compare(const LibraryCall& call, const std::vector<double>& result, const std::vector<double>& expected) {
  const auto type = operands_of(call).back().dtype;
  if (result.size() != expected.size()) return fmt::format("{} elements, not {}", result.size(), expected.size());
  const std::int64_t terms = terms_of(call);
  // Fused attention keeps its weights, too, in the narrow type. Each is off by up to half a unit of itself, so their
  // mean of values up to 1 by up to half a unit.
  const bool rounds_weights = std::holds_alternative<AttentionCall>(call) && type != DType::f32;
  const double weights = rounds_weights ? 0.5 * (tolerance(type, 1, 1) - tolerance(DType::f32, 1, 1)) : 0;
  double worst = 0;
  std::string message;
  for (std::size_t i = 0; i < result.size(); ++i) {
    const double excess = std::abs(result[i] - expected[i]) / (weights + tolerance(type, terms, expected[i]));
    if (excess <= std::max(worst, 1.0)) continue;
    worst = excess;
    message = fmt::format("element {} is {}, not {} ({} times the tolerance)", i, result[i], expected[i], excess);
  }
  for (const double r : result) {
    if (std::isnan(r)) return "a result is not a number";
  }
  return message;
}

}  // namespace jitney::backend
