// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/onednn/validate.h"

#include <algorithm>
#include <cstdint>

namespace jitney::backend::onednn {
namespace {

constexpr std::size_t kMaxPostOps = 16;

template <class... A>
tl::unexpected<Failure> no(fmt::format_string<A...> format, A&&... arguments) {
  return environment_error("the cpu backend's oneDNN does not do this call: {}",
                           fmt::format(format, std::forward<A>(arguments)...));
}

bool has(dnnl_cpu_isa_t isa, dnnl_cpu_isa_t needed) {
#if defined(__x86_64__)
  return (static_cast<unsigned>(isa) & static_cast<unsigned>(needed)) == static_cast<unsigned>(needed);
#else
  return needed == dnnl_cpu_isa_default;
#endif
}

/// Half precisions only where instructions for them exist: emulated ones lose against a generated kernel in f32.
bool is_fast(DType t, dnnl_cpu_isa_t isa) {
  switch (t) {
    case DType::f32: return true;
    case DType::bf16: return has(isa, dnnl_cpu_isa_avx512_core_bf16);
    case DType::f16: return has(isa, dnnl_cpu_isa_avx512_core_fp16);
    default: return false;
  }
}

bool fits(std::int64_t extent, std::int64_t wanted) { return extent < 0 || wanted < 0 || extent == wanted; }

Status check_tensor(const TensorDesc& t, std::size_t rank, const char* name) {
  if (t.shape.size() != rank || t.strides.size() != rank) return no("{} is not of rank {}", name, rank);
  // It counts blocks in int, and divides by how many there are.
  for (const std::int64_t extent : t.shape)
    if (extent > INT32_MAX) return no("{} has an extent of {}", name, extent);
  return {};
}

Status check_types(DType x, DType w, DType y, bool has_bias, DType bias, dnnl_cpu_isa_t isa) {
  if (!is_fast(x, isa)) return no("this CPU has no arithmetic for {}", to_string(x));
  if (w != x) return no("{} with {}", to_string(x), to_string(w));
  if (y != x && y != DType::f32) return no("{} into {}", to_string(x), to_string(y));
  if (has_bias && bias != DType::f32 && bias != x) return no("a bias of {}", to_string(bias));
  return {};
}

Status check_epilogue(const std::vector<PostOp>& epilogue, const TensorDesc& y, dnnl_cpu_isa_t isa) {
  if (epilogue.size() > kMaxPostOps) return no("{} post-operations", epilogue.size());
  for (const auto& p : epilogue) {
    if (p.kind == PostOp::Kind::clip && !(p.alpha <= p.beta)) return no("clip to [{}, {}]", p.alpha, p.beta);
    if (p.kind != PostOp::Kind::add_operand && p.kind != PostOp::Kind::mul_operand) continue;
    JITNEY_CHECK(check_tensor(p.operand, y.shape.size(), "an operand of a post-operation"));
    if (!is_fast(p.operand.dtype, isa)) return no("an operand of {}", to_string(p.operand.dtype));
    for (std::size_t i = 0; i < y.shape.size(); ++i) {
      if (p.operand.shape[i] != 1 && !fits(p.operand.shape[i], y.shape[i])) return no("an operand of another shape");
    }
    const Spread spread = spread_of(p.operand, y);
    if (spread == Spread::partial) return no("an operand that is broadcast along some of the outer axes");
    if (spread == Spread::full && !is_contiguous(p.operand)) return no("an operand with holes");
    const auto last = p.operand.strides.back();
    if (spread == Spread::per_channel && last >= 0 && last != 1) return no("an operand with holes");
  }
  return {};
}

/// Windows of convolution and pooling, over the inner axes of x [n, s..., c].
Status check_windows(const TensorDesc& x, const TensorDesc& y, std::size_t axes,
                     const std::vector<std::int64_t>& strides, const std::vector<std::int64_t>& dilations,
                     const std::vector<std::int64_t>& begin, const std::vector<std::int64_t>& end) {
  if (axes < 1 || axes > 3) return no("{} spatial axes; it knows 1 to 3", axes);
  JITNEY_CHECK(check_tensor(x, axes + 2, "x"));
  JITNEY_CHECK(check_tensor(y, axes + 2, "y"));
  if (!is_contiguous(x) || !is_contiguous(y)) return no("activations that are not channels-last without holes");
  for (const auto* list : {&strides, &dilations, &begin, &end}) {
    if (list->size() != axes) return no("a window of another rank");
  }
  for (std::size_t i = 0; i < axes; ++i) {
    if (strides[i] < 1 || dilations[i] < 1) return no("a stride or dilation below 1");
    if (begin[i] < 0) return no("padding that cuts off");
  }
  return fits(x.shape[0], y.shape[0]) ? Status() : no("x and y of different batches");
}

Status validate_call(const ConvolutionCall& c, dnnl_cpu_isa_t isa) {
  JITNEY_CHECK(check_types(c.x.dtype, c.w.dtype, c.y.dtype, c.has_bias, c.bias_dtype, isa));
  if (c.x.shape.size() < 3) return no("x of rank {}", c.x.shape.size());
  const std::size_t axes = c.x.shape.size() - 2;
  JITNEY_CHECK(check_windows(c.x, c.y, axes, c.strides, c.dilations, c.pads_begin, c.pads_end));
  JITNEY_CHECK(check_tensor(c.w, axes + 2, "w"));
  for (std::size_t i = 0; i < c.w.shape.size(); ++i) {
    if (c.w.shape[i] > 1 && c.w.strides[i] == 0) return no("broadcast weights");
  }
  const auto in = c.x.shape.back(), out = c.y.shape.back();
  const auto whole = c.transposed ? in : out, part = c.transposed ? out : in;
  if (c.groups < 1 || (in >= 0 && in % c.groups != 0) || (out >= 0 && out % c.groups != 0)) {
    return no("{} groups of {} to {} channels", c.groups, in, out);
  }
  if (!fits(c.w.shape[0], whole) || !fits(c.w.shape[1], part < 0 ? part : part / c.groups)) {
    return no("weights for other channels than those of x and y");
  }
  return check_epilogue(c.epilogue, c.y, isa);
}

Status validate_call(const PoolingCall& c, dnnl_cpu_isa_t isa) {
  if (!is_fast(c.x.dtype, isa) || c.y.dtype != c.x.dtype) return no("pooling of {}", to_string(c.x.dtype));
  JITNEY_CHECK(check_windows(c.x, c.y, c.kernel.size(), c.strides, c.dilations, c.pads_begin, c.pads_end));
  if (!fits(c.x.shape.back(), c.y.shape.back())) return no("x and y of different channels");
  for (std::size_t i = 0; i < c.kernel.size(); ++i) {
    // Its pooling kernels are dense, and want every window to touch the input.
    if (c.dilations[i] != 1 && c.kernel[i] > 1) return no("dilated pooling");
    if (c.kernel[i] < 1 || c.pads_begin[i] >= c.kernel[i]) return no("windows that lie in the padding");
    const auto x = c.x.shape[i + 1], y = c.y.shape[i + 1];
    if (x < 0 || y < 0) continue;
    const auto needed = (y - 1) * c.strides[i] + c.kernel[i] - x - c.pads_begin[i];
    if (needed >= c.kernel[i]) return no("windows that lie in the padding");
    if (c.kind == PoolingCall::Kind::average_include_pad && needed > c.pads_end[i]) {
      return no("windows beyond the padding, in a mean over it");
    }
  }
  return {};
}

/// One of the inner axes must be dense; which axes are is not known before strides are.
bool is_matrix(const TensorDesc& t) {
  const auto rank = t.shape.size();
  for (const auto i : {rank - 2, rank - 1}) {
    if (t.strides[i] == 0 && t.shape[i] > 1) return false;
    if (t.strides[i] < 0) return true;
  }
  return t.strides[rank - 1] == 1 || t.strides[rank - 2] == 1 || t.shape[rank - 1] == 1 || t.shape[rank - 2] == 1;
}

Status validate_call(const MatMulCall& m, dnnl_cpu_isa_t isa) {
  JITNEY_CHECK(check_types(m.a.dtype, m.b.dtype, m.c.dtype, m.has_bias, m.bias_dtype, isa));
  const std::size_t rank = m.c.shape.size();
  if (rank < 2 || rank > 6) return no("matrices of rank {}; it knows 2 to 6", rank);
  JITNEY_CHECK(check_tensor(m.a, rank, "a"));
  JITNEY_CHECK(check_tensor(m.b, rank, "b"));
  JITNEY_CHECK(check_tensor(m.c, rank, "c"));
  if (!is_contiguous(m.c)) return no("c with holes");
  if (!is_matrix(m.a) || !is_matrix(m.b)) return no("a matrix without a dense axis");
  if (!fits(m.a.shape[rank - 2], m.c.shape[rank - 2]) || !fits(m.a.shape[rank - 1], m.b.shape[rank - 2]) ||
      !fits(m.b.shape[rank - 1], m.c.shape[rank - 1])) {
    return no("matrices that do not fit together");
  }
  for (std::size_t i = 0; i + 2 < rank; ++i) {
    for (const auto* t : {&m.a, &m.b}) {
      if (t->shape[i] != 1 && !fits(t->shape[i], m.c.shape[i])) return no("batches that do not fit together");
    }
    const auto is_broadcast = [i](const TensorDesc& t) { return t.strides[i] == 0 || t.shape[i] == 1; };
    if (m.c.shape[i] > 1 && is_broadcast(m.a) && is_broadcast(m.b)) return no("a batch of equal products");
  }
  return check_epilogue(m.epilogue, m.c, isa);
}

Status validate_call(const AttentionCall&, dnnl_cpu_isa_t) { return no("attention"); }
Status validate_call(const CollectiveCall&, dnnl_cpu_isa_t) { return no("a collective"); }

}  // namespace

Spread spread_of(const TensorDesc& operand, const TensorDesc& output) {
  const std::size_t rank = output.shape.size();
  bool any_broadcast = false, any_outer = false, last_broadcast = false;
  for (std::size_t i = 0; i < rank; ++i) {
    if (output.shape[i] == 1) continue;
    const bool is_broadcast = operand.strides[i] == 0 || operand.shape[i] == 1;
    any_broadcast |= is_broadcast;
    if (i + 1 < rank) any_outer |= !is_broadcast;
    if (i + 1 == rank) last_broadcast = is_broadcast;
  }
  if (!any_broadcast) return Spread::full;
  if (any_outer) return Spread::partial;
  return last_broadcast ? Spread::scalar : Spread::per_channel;
}

bool is_contiguous(const TensorDesc& t) {
  std::int64_t expected = 1;
  for (std::size_t i = t.shape.size(); i-- > 0;) {
    if (t.shape[i] < 0 || t.strides[i] < 0) return true;
    if (t.shape[i] > 1 && t.strides[i] != expected) return false;
    expected *= std::max<std::int64_t>(t.shape[i], 1);
  }
  return true;
}

std::int64_t element_count(const TensorDesc& t) {
  std::int64_t count = 1;
  for (const auto e : t.shape) {
    if (e < 0) return -1;
    count *= e;
  }
  return count;
}

Status validate(const LibraryCall& call, dnnl_cpu_isa_t isa) {
  return std::visit([&](const auto& c) { return validate_call(c, isa); }, call);
}

}  // namespace jitney::backend::onednn
