// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "ir/infer_context.h"

namespace jitney::ir {
namespace {

Expected<Inferred> infer_permute(const InferContext& c) {
  const Shape& x = c.shape(0);
  const auto& perm = c.integers("perm");
  std::vector<bool> seen(x.size(), false);
  Inferred out{c.dtype(0), {}};
  for (const std::int64_t from : perm) {
    if (from < 0 || from >= static_cast<std::int64_t>(x.size()) || seen[static_cast<std::size_t>(from)]) break;
    seen[static_cast<std::size_t>(from)] = true;
    out.shape.push_back(x[static_cast<std::size_t>(from)]);
  }
  if (out.shape.size() != x.size() || perm.size() != x.size()) {
    return user_error("perm of {} must name each of the {} axes of its input {} once", c.who(), x.size(), to_string(x));
  }
  return out;
}

Expected<Inferred> infer_concat(const InferContext& c) {
  JITNEY_TRY(const std::size_t axis, c.axis(c.shape(0).size()));
  Inferred out{c.dtype(0), c.shape(0)};
  for (std::size_t i = 1; i < c.inputs.size(); ++i) {
    const Shape& x = c.shape(i);
    if (x.size() != out.shape.size()) {
      return user_error("inputs of {} must have one rank, and have shapes {}", c.who(), c.shapes());
    }
    for (std::size_t k = 0; k < x.size(); ++k) {
      if (k == axis) {
        out.shape[k] = out.shape[k] + x[k];
      } else {
        JITNEY_CHECK(c.equal(out.shape[k], x[k], fmt::format("along axis {}", k)));
        if (x[k].is_constant()) out.shape[k] = x[k];
      }
    }
  }
  return out;
}

Expected<Inferred> infer_gather(const InferContext& c) {
  const Shape &data = c.shape(0), &indices = c.shape(1);
  JITNEY_TRY(const std::size_t axis, c.axis(data.size()));
  Inferred out{c.dtype(0), data};
  const auto at = out.shape.erase(out.shape.begin() + static_cast<std::ptrdiff_t>(axis));
  out.shape.insert(at, indices.begin(), indices.end());
  return out;
}

}  // namespace

Expected<Inferred> infer_movement(const InferContext& c) {
  switch (c.op) {
    case Op::permute: return infer_permute(c);
    case Op::concat: return infer_concat(c);
    case Op::gather: return infer_gather(c);
    default: return internal_error("{} has no rule for its shape", c.who());
  }
}

}  // namespace jitney::ir
