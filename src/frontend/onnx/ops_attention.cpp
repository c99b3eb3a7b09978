// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Attention of opsets 23 to 25: softmax(q k^T scale + bias) v with caches, grouped heads, masks and windows. It is
// written as the products and the softmax that passes recognize as one call.
#include <cmath>
#include <limits>

#include "frontend/onnx/arithmetic.h"
#include "frontend/onnx/registry.h"

namespace jitney::onnx {
namespace {

using ir::Dim;
using ir::Guard;
using ir::kNoValue;
using ir::Op;
using ir::Shape;
using ir::ValueId;

enum Input { kQuery, kKey, kValue, kMask, kPastKey, kPastValue, kLengths };
enum Output { kResult, kPresentKey, kPresentValue, kScores };

class Attention {
 public:
  explicit Attention(NodeContext& c) : c_(c), b_(c.b), dtype_(c.dtype(kQuery)), m_{c.b, dtype_} {}

  Status run() {
    JITNEY_CHECK(read());
    JITNEY_CHECK(make_bias());
    const Shape q = b_.shape(query_), k = b_.shape(key_);
    ValueId query = query_, across = kNoValue, value = value_, bias = bias_;
    if (groups_ > 1) {
      // One axis for the heads that share a key: products broadcast over it, and nothing is repeated.
      query = b_.reshape(query, {q[0], k[1], Dim(groups_), q[2], q[3]});
      across = b_.permute(b_.reshape(key_, {k[0], k[1], Dim(1), k[2], k[3]}), {0, 1, 2, 4, 3});
      value = b_.reshape(value, {k[0], k[1], Dim(1), k[2], b_.shape(value)[3]});
      JITNEY_TRY(bias, over_groups(bias, k[1]));
    } else {
      across = b_.permute(key_, {0, 1, 3, 2});
    }
    ValueId scores = scaled_product(query, across);
    ValueId shown = scores;
    const double cap = c_.real("softcap", 0);
    if (cap > 0) scores = m_.mul(b_.unary(Op::tanh, m_.div(scores, m_.number(cap))), m_.number(cap));
    if (mode_ == 1) shown = scores;
    if (bias != kNoValue) scores = m_.add(scores, bias);
    if (mode_ == 2) shown = scores;
    if (!b_.ok()) return b_.status();
    const std::int64_t last = b_.rank(scores) - 1;
    ValueId weights = b_.cast(b_.node(Op::softmax, {b_.cast(scores, softmax_dtype_)}, {{"axis", last}}), dtype_);
    ValueId result = b_.binary(Op::matmul, weights, value);
    if (bias != kNoValue && may_mask_rows_) {
      // A query that attends nothing gives zeros.
      const ValueId most = b_.reduce(Op::reduce_max, bias, {b_.rank(bias) - 1}, true);
      const ValueId masked = m_.equal(most, m_.number(-std::numeric_limits<double>::infinity()));
      result = m_.where(masked, m_.number(0.0), result);
      if (mode_ == 3) weights = m_.where(masked, m_.number(0.0), weights);
    }
    if (mode_ == 3) shown = weights;
    if (!b_.ok()) return b_.status();
    if (c_.wants_output(kScores)) JITNEY_CHECK(c_.set(kScores, b_.reshape(shown, {q[0], q[1], q[2], k[2]})));
    result = b_.reshape(result, {q[0], q[1], q[2], b_.shape(value_)[3]});
    if (packed_) result = b_.reshape(b_.permute(result, {0, 2, 1, 3}), {q[0], q[2], q[1] * b_.shape(value_)[3]});
    JITNEY_CHECK(c_.set(kPresentKey, key_));
    JITNEY_CHECK(c_.set(kPresentValue, present_value_));
    return c_.set(kResult, result);
  }

 private:
  NodeContext& c_;
  GraphBuilder& b_;
  DType dtype_, softmax_dtype_ = DType::f32;
  Arithmetic m_;
  bool packed_ = false, may_mask_rows_ = false;
  std::int64_t groups_ = 1, mode_ = 0;
  ValueId query_ = kNoValue, key_ = kNoValue, value_ = kNoValue, present_value_ = kNoValue, bias_ = kNoValue;

  /// [b, h, s, d] of an input that may be packed as [b, s, h d].
  Expected<ValueId> heads(int input, std::int64_t count) {
    const Shape shape = c_.shape(input);
    if (!packed_) return c_.value(input);
    b_.require(Guard::Relation::divides, Dim(count), shape[2],
               fmt::format("{}: {} heads do not divide {}", c_.label(), count, shape[2].to_string()));
    const Shape apart{shape[0], shape[1], Dim(count), Dim::floordiv(shape[2], Dim(count))};
    return b_.permute(b_.reshape(c_.value(input), apart), {0, 2, 1, 3});
  }

  Status read() {
    const int rank = c_.rank(kQuery);
    if (!is_floating(dtype_)) return c_.error("its inputs are {}; they must be floating point", to_string(dtype_));
    if ((rank != 3 && rank != 4) || c_.rank(kKey) != rank || c_.rank(kValue) != rank)
      return c_.error("Q, K and V must all have rank 3 or 4; they are {}, {} and {}", ir::to_string(c_.shape(kQuery)),
                      ir::to_string(c_.shape(kKey)), ir::to_string(c_.shape(kValue)));
    packed_ = rank == 3;
    const std::int64_t q_heads = c_.integer("q_num_heads", 0), kv_heads = c_.integer("kv_num_heads", 0);
    if (packed_ && (q_heads < 1 || kv_heads < 1)) return c_.error("inputs of rank 3 need q_num_heads and kv_num_heads");
    mode_ = c_.integer("qk_matmul_output_mode", 0);
    if (mode_ < 0 || mode_ > 3) return c_.error("qk_matmul_output_mode is {}; 0 to 3 are allowed", mode_);
    softmax_dtype_ = dtype_;
    if (c_.has_attribute("softmax_precision")) {
      JITNEY_TRY(softmax_dtype_, to_dtype(static_cast<int>(c_.integer("softmax_precision", 1)), c_.label()));
      if (!is_floating(softmax_dtype_)) return c_.error("softmax_precision is no floating point type");
    }
    JITNEY_TRY(query_, heads(kQuery, q_heads));
    JITNEY_TRY(key_, heads(kKey, kv_heads));
    JITNEY_TRY(value_, heads(kValue, kv_heads));
    if (c_.has(kPastKey) != c_.has(kPastValue)) return c_.error("past_key and past_value must come together");
    if (c_.has(kPastKey) && c_.has(kLengths)) return c_.error("nonpad_kv_seqlen cannot come with past_key");
    if (c_.has(kPastKey)) {
      if (c_.rank(kPastKey) != 4 || c_.rank(kPastValue) != 4)
        return c_.error("past_key and past_value must have rank 4");
      key_ = b_.node(Op::concat, {c_.value(kPastKey), key_}, {{"axis", std::int64_t{2}}});
      value_ = b_.node(Op::concat, {c_.value(kPastValue), value_}, {{"axis", std::int64_t{2}}});
    }
    JITNEY_CHECK(b_.status());
    present_value_ = value_;
    value_ = b_.cast(value_, dtype_);
    const Dim q_count = b_.shape(query_)[1], k_count = b_.shape(key_)[1];
    if (q_count == k_count) return {};
    const auto q = q_count.constant(), k = k_count.constant();
    if (!q || !k || *k < 1 || *q % *k != 0)
      return c_.error("its {} heads of queries must be a multiple of its {} heads of keys", q_count.to_string(),
                      k_count.to_string());
    groups_ = *q / *k;
    return {};
  }

  ValueId scaled_product(ValueId query, ValueId across) {
    const Dim size = b_.shape(query_)[3];
    const auto known = size.constant();
    if (!c_.has_attribute("scale") && !known)
      return m_.div(b_.binary(Op::matmul, query, across), b_.unary(Op::sqrt, m_.number(size)));
    const double scale = c_.real("scale", 1 / std::sqrt(static_cast<double>(known.value_or(1))));
    // Products of f16 overflow before they are scaled.
    if (dtype_ == DType::f16 && scale > 0) {
      const ValueId root = m_.number(std::sqrt(scale));
      return b_.binary(Op::matmul, m_.mul(query, root), m_.mul(across, root));
    }
    return m_.mul(b_.binary(Op::matmul, query, across), m_.number(scale));
  }

  /// The mask with as many columns as there are keys: what it leaves out is not attended.
  Expected<ValueId> whole_mask() {
    const Shape shape = c_.shape(kMask);
    const bool is_bool = c_.dtype(kMask) == DType::boolean;
    if (shape.empty() || shape.size() > 4) return c_.error("attn_mask must have rank 1 to 4, not {}", shape.size());
    if (!is_bool && !is_floating(c_.dtype(kMask))) return c_.error("attn_mask is {}", to_string(c_.dtype(kMask)));
    const ValueId mask = is_bool ? c_.value(kMask) : b_.cast(c_.value(kMask), dtype_);
    const Dim keys = b_.shape(key_)[2];
    if (shape.back() == keys) return mask;
    b_.require(Guard::Relation::less_equal, shape.back(), keys,
               fmt::format("{}: attn_mask has {} columns for {} keys", c_.label(), shape.back().to_string(),
                           keys.to_string()));
    Shape to = shape;
    to.back() = keys;
    const double fill = is_bool ? 0 : -std::numeric_limits<double>::infinity();
    return b_.typed_node(Op::pad, {mask}, b_.dtype(mask), to,
                         {{"before", Shape(shape.size(), Dim(0))}, {"value", fill}, {"mode", std::string("constant")}});
  }

  /// What is added to the scores: minus infinity where a key is not attended.
  Status make_bias() {
    const bool causal = c_.integer("is_causal", 0) != 0;
    const std::int64_t left = c_.opset < 25 ? -1 : c_.integer("left_window_size", -1);
    const std::int64_t right = c_.opset < 25 ? -1 : c_.integer("right_window_size", -1);
    if (left < -1 || right < -1) return c_.error("its windows are {} and {}; -1 is the least", left, right);
    const Arithmetic i64{b_, DType::i64};
    const Dim queries = b_.shape(query_)[2], keys = b_.shape(key_)[2];
    ValueId allowed = kNoValue, added = kNoValue;
    const auto restrict = [&](ValueId more) { allowed = allowed == kNoValue ? more : m_.both(allowed, more); };
    if (c_.has(kMask)) {
      JITNEY_TRY(const ValueId mask, whole_mask());
      may_mask_rows_ = true;
      (c_.dtype(kMask) == DType::boolean ? allowed : added) = mask;
    }
    const ValueId key = i64.counter(keys, 2, 1);
    ValueId lengths = kNoValue;
    if (c_.has(kLengths)) {
      lengths = b_.reshape(c_.value(kLengths), {ir::product(c_.shape(kLengths)), Dim(1), Dim(1), Dim(1)});
      restrict(i64.less(key, lengths));
      may_mask_rows_ = true;
    }
    if (causal || left >= 0 || right >= 0) {
      ValueId position = i64.counter(queries, 2, 0);
      if (c_.has(kPastKey)) position = i64.add(position, i64.number(c_.shape(kPastKey)[2]));
      if (lengths != kNoValue) position = i64.add(position, i64.sub(lengths, i64.number(queries)));
      if (causal) restrict(i64.less_equal(key, position));
      if (left >= 0) restrict(i64.less_equal(i64.sub(position, i64.number(static_cast<double>(left))), key));
      if (right >= 0) restrict(i64.less_equal(key, i64.add(position, i64.number(static_cast<double>(right)))));
      may_mask_rows_ = may_mask_rows_ || left >= 0 || right >= 0;
    }
    bias_ = added;
    if (allowed != kNoValue)
      bias_ = m_.where(allowed, added == kNoValue ? m_.number(0.0) : added,
                       m_.number(-std::numeric_limits<double>::infinity()));
    return b_.status();
  }

  /// [b, h, q, k] as [b, heads of keys, groups, q, k].
  Expected<ValueId> over_groups(ValueId bias, const Dim& key_heads) {
    if (bias == kNoValue || !b_.ok()) return bias;
    Shape shape = b_.shape(bias);
    if (shape.size() < 3) return bias;
    const auto at = shape.end() - 3;
    const auto count = at->constant();
    if (!count) return c_.error("the heads of attn_mask {} must be a constant extent", ir::to_string(shape));
    if (*count == 1) {
      shape.insert(at, Dim(1));
    } else {
      *at = Dim(groups_);
      shape.insert(shape.end() - 3, key_heads);
    }
    return b_.reshape(bias, shape);
  }
};

Status attention(NodeContext& c) { return Attention(c).run(); }

}  // namespace

std::span<const OperatorRow> attention_operators() {
  static constexpr OperatorRow kRows[] = {{"Attention", 23, 3, 7, attention}};
  return kRows;
}

}  // namespace jitney::onnx
