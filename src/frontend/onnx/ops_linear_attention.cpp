// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// LinearAttention of a constant number of tokens: a state [b, heads, d_k, d_v] that each token updates and reads.
#include <cmath>

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

enum Input { kQuery, kKey, kValue, kPast, kDecay, kBeta };

constexpr std::int64_t kMaxTokens = 2048;

class LinearAttention {
 public:
  explicit LinearAttention(NodeContext& c) : c_(c), b_(c.b), m_{c.b, DType::f32} {}

  Status run() {
    JITNEY_CHECK(read());
    const Dim reads = heads_ * Dim(groups_);
    const ValueId factor = c_.real("scale", 0) != 0 ? m_.number(c_.real("scale", 0))
                                                    : m_.div(m_.number(1.0), b_.unary(Op::sqrt, m_.number(keys_)));
    std::vector<ValueId> results;
    for (std::int64_t t = 0; t < tokens_ && b_.ok(); ++t) {
      if (gates_) state_ = m_.mul(state_, b_.unary(Op::exp, token(kDecay, t, {batch_, heads_, decays_, Dim(1)})));
      const ValueId key = token(kKey, t, {batch_, heads_, keys_, Dim(1)});
      ValueId value = token(kValue, t, {batch_, heads_, Dim(1), values_});
      if (corrects_) {
        const ValueId known = b_.reduce(Op::reduce_sum, m_.mul(state_, key), {2}, true);
        value = m_.mul(token(kBeta, t, {batch_, betas_, Dim(1), Dim(1)}), m_.sub(value, known));
      }
      state_ = m_.add(state_, m_.mul(key, value));
      const ValueId query = token(kQuery, t, {batch_, heads_, Dim(groups_), keys_});
      const ValueId read = m_.mul(b_.binary(Op::matmul, query, state_), factor);
      results.push_back(b_.reshape(read, {batch_, Dim(1), reads * values_}));
    }
    JITNEY_CHECK(b_.status());
    const Shape shape{batch_, Dim(tokens_), reads * values_};
    ValueId y = kNoValue;
    if (results.empty())
      y = b_.expand(m_.number(0.0), shape);
    else
      y = results.size() == 1 ? results[0] : b_.node(Op::concat, results, {{"axis", std::int64_t{1}}});
    JITNEY_CHECK(c_.set(0, b_.cast(y, c_.dtype(kQuery))));
    return c_.set(1, b_.cast(state_, c_.has(kPast) ? c_.dtype(kPast) : c_.dtype(kQuery)));
  }

 private:
  NodeContext& c_;
  GraphBuilder& b_;
  Arithmetic m_;
  bool gates_ = false, corrects_ = false;
  std::int64_t groups_ = 1, tokens_ = 0;
  Dim batch_, heads_, keys_, values_, decays_, betas_;
  ValueId state_ = kNoValue;

  /// One token of [b, t, x], seen as `shape`.
  ValueId token(int input, std::int64_t t, const Shape& shape) {
    const Shape& all = c_.shape(input);
    const ValueId one = b_.slice(c_.value(input), {Dim(0), Dim(t), Dim(0)}, {1, 1, 1}, {all[0], Dim(1), all[2]});
    return b_.reshape(b_.cast(one, DType::f32), shape);
  }

  Status read() {
    const std::string rule = c_.text("update_rule", "gated_delta");
    if (rule != "linear" && rule != "gated" && rule != "delta" && rule != "gated_delta")
      return c_.error("update_rule is '{}'; linear, gated, delta and gated_delta are allowed", rule);
    c_.ignore({"chunk_size"});  // how it may be computed, not what
    gates_ = rule.starts_with("gated");
    corrects_ = rule.ends_with("delta");
    if (gates_ != c_.has(kDecay) || corrects_ != c_.has(kBeta))
      return c_.error("update_rule '{}' needs {} decay and {} beta", rule, gates_ ? "a" : "no", corrects_ ? "a" : "no");
    const std::int64_t q_heads = c_.integer("q_num_heads", 0), kv_heads = c_.integer("kv_num_heads", 0);
    if (kv_heads < 1 || q_heads < 1 || q_heads % kv_heads != 0)
      return c_.error("q_num_heads {} must be a multiple of kv_num_heads {}", q_heads, kv_heads);
    groups_ = q_heads / kv_heads;
    heads_ = Dim(kv_heads);
    for (const int i : {kQuery, kKey, kValue, kDecay, kBeta})
      if (c_.has(i) && c_.rank(i) != 3) return c_.error("input {} must have rank 3, not {}", i, c_.rank(i));
    const Shape query = c_.shape(kQuery);
    const auto tokens = query[1].constant();
    if (!tokens || *tokens > kMaxTokens)
      return c_.error("its number of tokens must be a constant of up to {}, not {}", kMaxTokens, query[1].to_string());
    tokens_ = *tokens;
    batch_ = query[0];
    keys_ = Dim::floordiv(c_.shape(kKey)[2], heads_);
    values_ = Dim::floordiv(c_.shape(kValue)[2], heads_);
    const auto same = [&](const Dim& a, const Dim& b, const char* what) {
      b_.require(Guard::Relation::equal, a, b, fmt::format("{}: {}", c_.label(), what));
    };
    same(keys_ * Dim(q_heads), query[2], "queries and keys have other sizes");
    same(keys_ * heads_, c_.shape(kKey)[2], "kv_num_heads does not divide the keys");
    same(values_ * heads_, c_.shape(kValue)[2], "kv_num_heads does not divide the values");
    for (const int i : {kKey, kValue, kDecay, kBeta}) {
      if (!c_.has(i)) continue;
      same(c_.shape(i)[0], batch_, "its inputs have other batches");
      same(c_.shape(i)[1], query[1], "its inputs have other numbers of tokens");
    }
    if (gates_) decays_ = c_.shape(kDecay)[2] == heads_ ? Dim(1) : keys_;
    if (corrects_) betas_ = c_.shape(kBeta)[2];
    const Shape shape{batch_, heads_, keys_, values_};
    state_ = c_.has(kPast) ? b_.reshape(b_.cast(c_.value(kPast), DType::f32), shape) : b_.expand(m_.number(0.0), shape);
    return b_.status();
  }
};

Status linear_attention(NodeContext& c) { return LinearAttention(c).run(); }

}  // namespace

std::span<const OperatorRow> linear_attention_operators() {
  static constexpr OperatorRow kRows[] = {{"LinearAttention", 27, 3, 6, linear_attention}};
  return kRows;
}

}  // namespace jitney::onnx
