// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/onednn/call_key.h"

#include <concepts>

namespace jitney::backend::onednn {
namespace {

/// Every list is preceded by its length, so that no two calls give the same bytes.
class Writer {
 public:
  template <class T>
    requires std::is_arithmetic_v<T> || std::is_enum_v<T>
  void add(T value) {
    text_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void add(const std::vector<std::int64_t>& list) {
    add(list.size());
    for (const auto v : list) add(v);
  }
  void add(const TensorDesc& d) { add_all(d.dtype, d.shape, d.strides); }
  void add(const PostOp& p) { add_all(p.kind, p.alpha, p.beta, p.operand); }
  void add(const std::vector<PostOp>& list) {
    add(list.size());
    for (const auto& p : list) add(p);
  }
  void add(const MatMulCall& c) { add_all(c.a, c.b, c.c, c.has_bias, c.bias_dtype, c.constant_b, c.epilogue); }
  void add(const ConvolutionCall& c) {
    add_all(c.x, c.w, c.y, c.strides, c.dilations, c.pads_begin, c.pads_end, c.groups, c.transposed, c.has_bias,
            c.bias_dtype, c.constant_w, c.epilogue);
  }
  void add(const PoolingCall& c) {
    add_all(c.kind, c.x, c.y, c.kernel, c.strides, c.dilations, c.pads_begin, c.pads_end);
  }
  void add(const AttentionCall& c) { add_all(c.q, c.k, c.v, c.mask, c.y, c.scale); }
  void add(const CollectiveCall& c) { add_all(c.kind, c.x, c.y); }
  template <class... T>
  void add_all(const T&... values) {
    (add(values), ...);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace

std::string call_key(const LibraryCall& call) {
  Writer writer;
  writer.add(call.index());
  std::visit([&](const auto& c) { writer.add(c); }, call);
  return writer.take();
}

}  // namespace jitney::backend::onednn
