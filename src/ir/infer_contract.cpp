// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "ir/infer_context.h"

namespace jitney::ir {
namespace {

Expected<Inferred> infer_matmul(const InferContext& c) {
  const Shape &a = c.shape(0), &b = c.shape(1);
  if (a.empty() || b.empty()) return user_error("{} needs inputs of rank 1 at least, and has {}", c.who(), c.shapes());
  const Dim& k = b.size() == 1 ? b[0] : b[b.size() - 2];
  JITNEY_CHECK(c.equal(a.back(), k, "along the summed axis"));
  Inferred out{c.dtype(0), {}};
  const Shape a_batch(a.begin(), a.end() - std::min<std::ptrdiff_t>(2, std::ssize(a)));
  const Shape b_batch(b.begin(), b.end() - std::min<std::ptrdiff_t>(2, std::ssize(b)));
  JITNEY_TRY(out.shape, broadcast(a_batch, b_batch, c.node, c.guards));
  if (a.size() > 1) out.shape.push_back(a[a.size() - 2]);
  if (b.size() > 1) out.shape.push_back(b.back());
  return out;
}

Status check_windows(const InferContext& c, std::size_t spatial, std::int64_t least_pad = 0) {
  for (const auto& [key, count] : {std::pair{"strides", spatial}, {"dilations", spatial}, {"pads", 2 * spatial}}) {
    const auto& values = c.integers(key);
    if (values.size() != count) {
      return user_error("{} of {} has {} entries; its {} spatial axes need {}", key, c.who(), values.size(), spatial,
                        count);
    }
    const std::int64_t least = key == std::string_view("pads") ? least_pad : 1;
    for (const std::int64_t v : values) {
      if (v < least || v > INT32_MAX) {
        return user_error("{} of {} has the entry {}; it must be in [{}, {}]", key, c.who(), v, least, INT32_MAX);
      }
    }
  }
  return {};
}

Expected<Inferred> infer_conv(const InferContext& c) {
  const Shape &x = c.shape(0), &w = c.shape(1);
  if (x.size() < 3 || w.size() != x.size()) {
    return user_error(
        "{} needs an input [n, c, spatial...] and a weight [o, c/groups, kernel...] of one rank, and has {}", c.who(),
        c.shapes());
  }
  const std::size_t spatial = x.size() - 2;
  JITNEY_CHECK(check_windows(c, spatial));
  const std::int64_t groups = c.integer("groups");
  if (groups < 1) return user_error("groups of {} is {}; it must be 1 or more", c.who(), groups);
  if (const auto o = w[0].constant(); o && *o % groups != 0) {
    return user_error("the {} output channels of {} cannot be split into {} groups", *o, c.who(), groups);
  } else if (!o && groups != 1) {
    c.guards.push_back({Guard::Relation::divides, groups, w[0],
                        fmt::format("groups of '{}' must divide its output channels", c.node)});
  }
  JITNEY_CHECK(c.equal(x[1], w[1] * Dim(groups), "for the input channels"));
  if (c.has(2)) {
    if (c.shape(2).size() != 1) return user_error("the bias of {} must have rank 1 (inputs: {})", c.who(), c.shapes());
    JITNEY_CHECK(c.equal(w[0], c.shape(2)[0], "for the output channels"));
  }
  const auto &strides = c.integers("strides"), &dilations = c.integers("dilations"), &pads = c.integers("pads");
  Inferred out{c.dtype(0), {x[0], w[0]}};
  for (std::size_t i = 0; i < spatial; ++i) {
    const Dim window = Dim(dilations[i]) * (w[2 + i] - Dim(1)) + Dim(1);
    const Dim padded = x[2 + i] + Dim(pads[i]) + Dim(pads[spatial + i]);
    // Without room for one window there is no output; a negative extent would be nonsense.
    if (const auto room = (padded - window).constant(); room && *room < 0) {
      return user_error("the kernel of {} is larger than its padded input along axis {} (inputs: {})", c.who(), 2 + i,
                        c.shapes());
    } else if (!room) {
      c.guards.push_back(
          {Guard::Relation::less_equal, window, padded,
           fmt::format("the kernel of '{}' must fit into its padded input along axis {}", c.node, 2 + i)});
    }
    out.shape.push_back(Dim::floordiv(padded - window, strides[i]) + Dim(1));
  }
  return out;
}

Expected<Inferred> infer_conv_transpose(const InferContext& c) {
  const Shape &x = c.shape(0), &w = c.shape(1);
  if (x.size() < 3 || w.size() != x.size()) {
    return user_error(
        "{} needs an input [n, c, spatial...] and a weight [c, o/groups, kernel...] of one rank, and has {}", c.who(),
        c.shapes());
  }
  const std::size_t spatial = x.size() - 2;
  JITNEY_CHECK(check_windows(c, spatial, -INT32_MAX));
  const std::int64_t groups = c.integer("groups");
  if (groups < 1) return user_error("groups of {} is {}; it must be 1 or more", c.who(), groups);
  if (const auto channels = w[0].constant(); channels && *channels % groups != 0) {
    return user_error("the {} input channels of {} cannot be split into {} groups", *channels, c.who(), groups);
  } else if (!channels && groups != 1) {
    c.guards.push_back(
        {Guard::Relation::divides, groups, w[0], fmt::format("groups of '{}' must divide its input channels", c.node)});
  }
  JITNEY_CHECK(c.equal(x[1], w[0], "for the input channels"));
  const Dim channels = w[1] * Dim(groups);
  if (c.has(2)) {
    if (c.shape(2).size() != 1) return user_error("the bias of {} must have rank 1 (inputs: {})", c.who(), c.shapes());
    JITNEY_CHECK(c.equal(channels, c.shape(2)[0], "for the output channels"));
  }
  const auto &strides = c.integers("strides"), &dilations = c.integers("dilations"), &pads = c.integers("pads");
  Inferred out{c.dtype(0), {x[0], channels}};
  for (std::size_t i = 0; i < spatial; ++i) {
    const Dim window = Dim(dilations[i]) * (w[2 + i] - Dim(1)) + Dim(1);
    const Dim extent = (x[2 + i] - Dim(1)) * Dim(strides[i]) + window - Dim(pads[i]) - Dim(pads[spatial + i]);
    if (const auto known = extent.constant(); known && *known < 0) {
      return user_error("the padding of {} cuts off more than its output along axis {} (inputs: {})", c.who(), 2 + i,
                        c.shapes());
    } else if (!known) {
      c.guards.push_back({Guard::Relation::less_equal, Dim(0), extent,
                          fmt::format("the padding of '{}' must leave something of axis {}", c.node, 2 + i)});
    }
    out.shape.push_back(extent);
  }
  return out;
}

Expected<Inferred> infer_attention(const InferContext& c) {
  const Shape &q = c.shape(0), &k = c.shape(1), &v = c.shape(2);
  const std::size_t rank = q.size();
  if (rank < 2 || k.size() != rank || v.size() != rank)
    return user_error("{} needs queries, keys and values of one rank, 2 at least, and has {}", c.who(), c.shapes());
  for (std::size_t i = 0; i + 2 < rank; ++i)
    for (const Shape* s : {&k, &v})
      if (!(*s)[i].is(1)) JITNEY_CHECK(c.equal(q[i], (*s)[i], fmt::format("along axis {}", i)));
  JITNEY_CHECK(c.equal(q.back(), k.back(), "along the summed axis"));
  JITNEY_CHECK(c.equal(k[rank - 2], v[rank - 2], "for the keys"));
  if (c.has(3)) {
    Shape scores(q.begin(), q.end() - 1);
    scores.push_back(k[rank - 2]);
    const Shape& mask = c.shape(3);
    if (mask.size() > rank) return user_error("the mask of {} has a higher rank than its scores", c.who());
    for (std::size_t i = 0; i < mask.size(); ++i)
      if (!mask[i].is(1))
        JITNEY_CHECK(c.equal(scores[rank - mask.size() + i], mask[i], fmt::format("along axis {} of the mask", i)));
  }
  Shape out(q.begin(), q.end() - 1);
  out.push_back(v.back());
  return Inferred{c.dtype(0), out};
}

}  // namespace

Expected<Inferred> infer_contract(const InferContext& c) {
  switch (c.op) {
    case Op::conv: return infer_conv(c);
    case Op::conv_transpose: return infer_conv_transpose(c);
    case Op::attention: return infer_attention(c);
    default: return infer_matmul(c);
  }
}

}  // namespace jitney::ir
