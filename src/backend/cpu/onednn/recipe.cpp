// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/onednn/recipe.h"

#include <algorithm>
#include <array>

#include "backend/cpu/onednn/validate.h"

namespace jitney::backend::onednn {
namespace {

using Numbers = std::vector<std::int64_t>;

dnnl_data_type_t data_type(DType t) {
  switch (t) {
    case DType::bf16: return dnnl_bf16;
    case DType::f16: return dnnl_f16;
    default: return dnnl_f32;
  }
}

Expected<MemoryDesc> make_desc(DType type, const Numbers& extents, const Numbers& strides) {
  dnnl_memory_desc_t desc = nullptr;
  JITNEY_CHECK(check(api().memory_desc_create_with_strides(&desc, static_cast<int>(extents.size()), extents.data(),
                                                           data_type(type), strides.data()),
                     "memory descriptor"));
  return MemoryDesc(desc);
}

Expected<MemoryDesc> make_any(DType type, const Numbers& extents) {
  dnnl_memory_desc_t desc = nullptr;
  JITNEY_CHECK(check(api().memory_desc_create_with_tag(&desc, static_cast<int>(extents.size()), extents.data(),
                                                       data_type(type), dnnl_format_tag_any),
                     "memory descriptor"));
  return MemoryDesc(desc);
}

Numbers row_major(const Numbers& extents) {
  Numbers strides(extents.size(), 1);
  for (std::size_t i = extents.size(); i-- > 1;) strides[i - 1] = strides[i] * std::max<std::int64_t>(extents[i], 1);
  return strides;
}

/// [n, s..., c] as oneDNN orders it: n, c, s...
Numbers channels_second(Numbers v) {
  std::rotate(v.begin() + 1, v.end() - 1, v.end());
  return v;
}

Expected<MemoryDesc> channels_last(const TensorDesc& t) {
  return make_desc(t.dtype, channels_second(t.shape), channels_second(row_major(t.shape)));
}

Status add_post_operands(Recipe& recipe, const std::vector<PostOp>& epilogue, const TensorDesc& y, bool is_image) {
  recipe.epilogue = epilogue;
  for (std::size_t i = 0; i < epilogue.size(); ++i) {
    const PostOp& p = epilogue[i];
    if (p.kind != PostOp::Kind::add_operand && p.kind != PostOp::Kind::mul_operand) {
      recipe.post_operands.push_back(-1);
      continue;
    }
    const Spread spread = spread_of(p.operand, y);
    TensorDesc operand{p.operand.dtype, y.shape, {}};
    for (std::size_t axis = 0; axis < y.shape.size(); ++axis) {
      const bool is_kept = spread == Spread::full || (spread == Spread::per_channel && axis + 1 == y.shape.size());
      if (!is_kept) operand.shape[axis] = 1;
    }
    const int index = static_cast<int>(recipe.operands.size());
    recipe.post_operands.push_back(index);
    if (spread == Spread::full && p.operand.dtype == y.dtype) {
      recipe.like_output.push_back(index);
      if (p.kind == PostOp::Kind::add_operand && recipe.sum_operand < 0) recipe.sum_operand = index;
    }
    JITNEY_TRY(auto desc,
               is_image ? channels_last(operand) : make_desc(operand.dtype, operand.shape, row_major(operand.shape)));
    recipe.operands.push_back({DNNL_ARG_ATTR_MULTIPLE_POST_OP(static_cast<int>(i)) | DNNL_ARG_SRC_1, std::move(desc)});
  }
  return {};
}

struct Windows {
  std::array<std::int64_t, 3> strides{}, dilations{}, begin{}, end{}, kernel{};

  /// Padding at the end is what makes the extents agree: models may have less use for theirs, or more.
  Windows(const Numbers& s, const Numbers& d, const Numbers& b, const Numbers& k, const TensorDesc& narrow,
          const TensorDesc& wide) {
    for (std::size_t i = 0; i < s.size(); ++i) {
      strides[i] = s[i];
      dilations[i] = d[i] - 1;
      begin[i] = b[i];
      kernel[i] = k[i];
      end[i] = (narrow.shape[i + 1] - 1) * s[i] + (k[i] - 1) * d[i] + 1 - wide.shape[i + 1] - b[i];
    }
  }
};

Expected<Recipe> make(const ConvolutionCall& c) {
  Recipe r;
  r.name = c.transposed ? "transposed convolution" : "convolution";
  JITNEY_TRY(auto x, channels_last(c.x));
  JITNEY_TRY(auto y, channels_last(c.y));
  // Weights [o, i, k...] and, where there are groups, [g, o, i, k...], each within its group.
  Numbers shape = c.w.shape, strides = c.w.strides;
  for (std::size_t i = 0; i < strides.size(); ++i) {
    if (shape[i] == 1) strides[i] = std::max<std::int64_t>(strides[i], 1);
  }
  if (c.groups > 1) {
    shape[0] /= c.groups;
    shape.insert(shape.begin(), c.groups);
    strides.insert(strides.begin(), shape[1] * strides[0]);
  }
  if (c.transposed) {
    const auto o = shape.begin() + (c.groups > 1 ? 1 : 0);
    std::iter_swap(o, o + 1);
    std::iter_swap(strides.begin() + (o - shape.begin()), strides.begin() + (o - shape.begin()) + 1);
  }
  JITNEY_TRY(auto w, make_desc(c.w.dtype, shape, strides));
  JITNEY_TRY(r.any_weights, make_any(c.w.dtype, shape));
  r.operands.push_back({DNNL_ARG_SRC, std::move(x)});
  r.operands.push_back({DNNL_ARG_WEIGHTS, std::move(w)});
  r.weights = 1;
  r.constant_weights = c.constant_w;
  if (c.has_bias) {
    JITNEY_TRY(auto bias, make_desc(c.bias_dtype, {c.y.shape.back()}, {1}));
    r.operands.push_back({DNNL_ARG_BIAS, std::move(bias)});
  }
  JITNEY_CHECK(add_post_operands(r, c.epilogue, c.y, true));
  r.operands.push_back({DNNL_ARG_DST, std::move(y)});

  r.columns = c.y.shape.back();
  r.rows = element_count(c.y) / r.columns;
  r.is_strided = std::ranges::any_of(c.strides, [](auto s) { return s != 1; });
  const Numbers kernel(c.w.shape.begin() + 2, c.w.shape.end());
  const Windows windows(c.strides, c.dilations, c.pads_begin, kernel, c.transposed ? c.x : c.y,
                        c.transposed ? c.y : c.x);
  r.describe = [windows, has_bias = c.has_bias, transposed = c.transposed](auto* out, auto descs, auto attributes) {
    const auto make = transposed ? api().deconvolution_forward_primitive_desc_create
                                 : api().convolution_forward_primitive_desc_create;
    return make(out, engine(), dnnl_forward_inference, transposed ? dnnl_deconvolution_direct : dnnl_convolution_direct,
                descs[0], descs[1], has_bias ? descs[2] : nullptr, descs.back(), windows.strides.data(),
                windows.dilations.data(), windows.begin.data(), windows.end.data(), attributes);
  };
  return r;
}

Expected<Recipe> make(const PoolingCall& c) {
  Recipe r;
  r.name = "pooling";
  JITNEY_TRY(auto x, channels_last(c.x));
  JITNEY_TRY(auto y, channels_last(c.y));
  r.operands.push_back({DNNL_ARG_SRC, std::move(x)});
  r.operands.push_back({DNNL_ARG_DST, std::move(y)});
  const auto algorithm = c.kind == PoolingCall::Kind::max                   ? dnnl_pooling_max
                         : c.kind == PoolingCall::Kind::average_include_pad ? dnnl_pooling_avg_include_padding
                                                                            : dnnl_pooling_avg_exclude_padding;
  const Windows windows(c.strides, c.dilations, c.pads_begin, c.kernel, c.y, c.x);
  r.describe = [windows, algorithm](auto* out, auto descs, auto attributes) {
    return api().pooling_forward_primitive_desc_create(
        out, engine(), dnnl_forward_inference, algorithm, descs[0], descs[1], windows.strides.data(),
        windows.kernel.data(), windows.dilations.data(), windows.begin.data(), windows.end.data(), attributes);
  };
  return r;
}

/// oneDNN broadcasts by an extent of 1, and wants strides of axes that have one to look like those of a matrix.
Expected<MemoryDesc> matrix_desc(const TensorDesc& t) {
  const std::size_t rank = t.shape.size();
  Numbers shape = t.shape, strides = t.strides;
  std::int64_t &rows = shape[rank - 2], &columns = shape[rank - 1];
  if (columns == 1 && (rows == 1 || strides[rank - 2] != 1)) strides[rank - 1] = 1;
  if (rows == 1) strides[rank - 2] = strides[rank - 1] == 1 ? std::max<std::int64_t>(columns, 1) : 1;
  if (columns == 1 && strides[rank - 2] == 1 && rows > 1) strides[rank - 1] = strides[rank - 2] * rows;
  for (std::size_t i = rank - 2; i-- > 0;) {
    if (strides[i] == 0) shape[i] = 1;
    if (shape[i] == 1)
      strides[i] =
          std::max(strides[i + 1] * shape[i + 1], std::max(strides[rank - 1] * columns, strides[rank - 2] * rows));
  }
  return make_desc(t.dtype, shape, strides);
}

Expected<Recipe> make(const MatMulCall& m) {
  Recipe r;
  r.name = "matmul";
  const std::size_t rank = m.c.shape.size();
  JITNEY_TRY(auto a, matrix_desc(m.a));
  JITNEY_TRY(auto b, matrix_desc(m.b));
  JITNEY_TRY(auto c, make_desc(m.c.dtype, m.c.shape, row_major(m.c.shape)));
  if (m.constant_b) {
    Numbers shape = m.b.shape;
    for (std::size_t i = 0; i + 2 < rank; ++i) {
      if (m.b.strides[i] == 0) shape[i] = 1;
    }
    JITNEY_TRY(r.any_weights, make_any(m.b.dtype, shape));
    r.weights = 1;
    r.constant_weights = true;
    r.matrices = {0};
  } else {
    r.matrices = {0, 1};
  }
  r.operands.push_back({DNNL_ARG_SRC, std::move(a)});
  r.operands.push_back({DNNL_ARG_WEIGHTS, std::move(b)});
  if (m.has_bias) {
    Numbers shape(rank, 1);
    shape.back() = m.c.shape.back();
    JITNEY_TRY(auto bias, make_desc(m.bias_dtype, shape, row_major(shape)));
    r.operands.push_back({DNNL_ARG_BIAS, std::move(bias)});
  }
  JITNEY_CHECK(add_post_operands(r, m.epilogue, m.c, false));
  r.operands.push_back({DNNL_ARG_DST, std::move(c)});
  r.rows = rank == 2 ? m.c.shape[0] : 0;
  r.columns = m.c.shape.back();
  r.describe = [has_bias = m.has_bias](auto* out, auto descs, auto attributes) {
    return api().matmul_primitive_desc_create(out, engine(), descs[0], descs[1], has_bias ? descs[2] : nullptr,
                                              descs.back(), attributes);
  };
  return r;
}

Expected<Recipe> make(const AttentionCall&) { return environment_error("oneDNN is not asked for attention"); }
Expected<Recipe> make(const CollectiveCall&) { return environment_error("oneDNN has no collectives"); }

/// The call's tensors that have to have elements, and its output.
std::pair<std::vector<const TensorDesc*>, const TensorDesc*> tensors(const LibraryCall& call) {
  if (const auto* c = std::get_if<ConvolutionCall>(&call)) return {{&c->x, &c->w}, &c->y};
  if (const auto* p = std::get_if<PoolingCall>(&call)) return {{&p->x}, &p->y};
  if (const auto* m = std::get_if<MatMulCall>(&call)) return {{&m->a, &m->b}, &m->c};
  return {{}, nullptr};
}

}  // namespace

Expected<Recipe> make_recipe(const LibraryCall& call) {
  if (!library()) return tl::unexpected(library().error());
  JITNEY_CHECK(validate(call, library()->isa));
  const auto [inputs, output] = tensors(call);
  if (output == nullptr) return environment_error("oneDNN is not asked for such calls");
  for (const auto* input : inputs) {
    if (element_count(*input) < 0) return internal_error("a library call was planned before its extents were known");
  }
  if (element_count(*output) == 0) {
    Recipe nothing;
    nothing.is_empty = true;
    return nothing;
  }
  if (element_count(*output) < 0) return internal_error("a library call was planned before its extents were known");
  for (const auto* input : inputs) {
    if (element_count(*input) == 0) return environment_error("oneDNN computes nothing from an empty operand");
  }
  return std::visit([](const auto& c) { return make(c); }, call);
}

Elementwise elementwise(const PostOp& op) {
  switch (op.kind) {
    case PostOp::Kind::clip: return {dnnl_eltwise_clip, op.alpha, op.beta};
    case PostOp::Kind::gelu_erf: return {dnnl_eltwise_gelu_erf, 0, 0};
    case PostOp::Kind::gelu_tanh: return {dnnl_eltwise_gelu_tanh, 0, 0};
    case PostOp::Kind::silu: return {dnnl_eltwise_swish, 1, 0};
    case PostOp::Kind::hard_swish: return {dnnl_eltwise_hardswish, 1.0f / 6, 0.5f};
    case PostOp::Kind::sigmoid: return {dnnl_eltwise_logistic, 0, 0};
    case PostOp::Kind::tanh: return {dnnl_eltwise_tanh, 0, 0};
    default: return {dnnl_eltwise_relu, 0, 0};
  }
}

Expected<Attributes> make_attributes(const Recipe& recipe, bool with_epilogue, int in_place) {
  dnnl_primitive_attr_t raw = nullptr;
  JITNEY_CHECK(check(api().primitive_attr_create(&raw), "set of attributes"));
  Attributes attributes(raw);
  JITNEY_CHECK(check(api().primitive_attr_set_scratchpad_mode(raw, dnnl_scratchpad_mode_user), "scratchpad mode"));
  JITNEY_CHECK(check(api().primitive_attr_set_fpmath_mode(raw, dnnl_fpmath_mode_strict), "floating-point mode"));
  if (!with_epilogue || recipe.epilogue.empty()) return attributes;

  dnnl_post_ops_t raw_ops = nullptr;
  JITNEY_CHECK(check(api().post_ops_create(&raw_ops), "list of post-operations"));
  const PostOps ops(raw_ops);
  for (std::size_t i = 0; i < recipe.epilogue.size(); ++i) {
    const PostOp& p = recipe.epilogue[i];
    const int operand = recipe.post_operands[i];
    dnnl_status_t status = dnnl_success;
    if (operand < 0) {
      const auto e = elementwise(p);
      status = api().post_ops_append_eltwise(raw_ops, e.algorithm, e.alpha, e.beta);
    } else if (operand == in_place) {
      status = api().post_ops_append_sum(raw_ops, 1, 0, dnnl_data_type_undef);
    } else {
      const auto algorithm = p.kind == PostOp::Kind::add_operand ? dnnl_binary_add : dnnl_binary_mul;
      status = api().post_ops_append_binary(raw_ops, algorithm, recipe.desc(operand));
    }
    JITNEY_CHECK(check(status, "post-operation"));
  }
  JITNEY_CHECK(check(api().primitive_attr_set_post_ops(raw, raw_ops), "list of post-operations"));
  return attributes;
}

Expected<MemoryDesc> dense_desc(const_dnnl_memory_desc_t like) {
  std::int32_t rank = 0;
  dnnl_data_type_t type = dnnl_f32;
  const dnnl_dims_t* extents = nullptr;
  const auto& query = api().memory_desc_query;
  query(like, dnnl_query_ndims_s32, &rank);
  query(like, dnnl_query_data_type, &type);
  query(like, dnnl_query_dims, static_cast<void*>(&extents));
  const Numbers shape(*extents, *extents + rank), strides = row_major(shape);
  dnnl_memory_desc_t desc = nullptr;
  JITNEY_CHECK(check(api().memory_desc_create_with_strides(&desc, rank, shape.data(), type, strides.data()),
                     "memory descriptor"));
  return MemoryDesc(desc);
}

}  // namespace jitney::backend::onednn
