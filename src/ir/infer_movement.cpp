// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>

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

/// Where any element is taken, data must have one on each axis that is indexed: kernels read the first in place of one
/// that is out of range, before they say so.
Status check_something_to_take(const InferContext& c, const Shape& out, std::size_t axis) {
  const Dim& extent = c.shape(0)[axis];
  const Dim least = Dim::min(product(out), Dim(1));
  if (const auto known = extent.constant(); (known && *known > 0) || least.is(0)) return {};
  const std::string reason = fmt::format("an index of '{}' is out of range, since axis {} is empty", c.node, axis);
  if (extent.is(0) && least.is(1)) return user_error("{} (inputs: {})", reason, c.shapes());
  c.guards.push_back({Guard::Relation::less_equal, least, extent, reason});
  return {};
}

Expected<Inferred> infer_gather(const InferContext& c) {
  const Shape &data = c.shape(0), &indices = c.shape(1);
  JITNEY_TRY(const std::size_t axis, c.axis(data.size()));
  Inferred out{c.dtype(0), data};
  const auto at = out.shape.erase(out.shape.begin() + static_cast<std::ptrdiff_t>(axis));
  out.shape.insert(at, indices.begin(), indices.end());
  JITNEY_CHECK(check_something_to_take(c, out.shape, axis));
  return out;
}

/// Indices stay inside data on every axis but the one they index.
Status check_element_indices(const InferContext& c, std::size_t axis) {
  const Shape &data = c.shape(0), &indices = c.shape(1);
  if (data.size() != indices.size())
    return user_error("{} needs data and indices of one rank, and has {}", c.who(), c.shapes());
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (i != axis) JITNEY_CHECK(c.at_most(indices[i], data[i], fmt::format("indices along axis {}", i)));
  }
  return {};
}

Expected<Inferred> infer_gather_elements(const InferContext& c) {
  JITNEY_TRY(const std::size_t axis, c.axis(c.shape(0).size()));
  JITNEY_CHECK(check_element_indices(c, axis));
  JITNEY_CHECK(check_something_to_take(c, c.shape(1), axis));
  return Inferred{c.dtype(0), c.shape(1)};
}

Expected<Inferred> infer_scatter_elements(const InferContext& c) {
  JITNEY_TRY(const std::size_t axis, c.axis(c.shape(0).size()));
  JITNEY_CHECK(check_element_indices(c, axis));
  const Shape &indices = c.shape(1), &updates = c.shape(2);
  if (indices.size() != updates.size())
    return user_error("{} needs indices and updates of one shape, and has {}", c.who(), c.shapes());
  for (std::size_t i = 0; i < indices.size(); ++i)
    JITNEY_CHECK(c.equal(indices[i], updates[i], fmt::format("along axis {} of indices and updates", i)));
  return Inferred{c.dtype(0), c.shape(0)};
}

/// What the first `batch` axes and index tuples leave: [batch..., m..., the rest of data].
Expected<Shape> tuple_shape(const InferContext& c, std::int64_t batch) {
  const Shape &data = c.shape(0), &indices = c.shape(1);
  if (data.empty() || indices.empty())
    return user_error("{} needs data and indices of rank 1 or more, and has {}", c.who(), c.shapes());
  const auto k = indices.back().constant();
  if (!k) return user_error("{} needs indices with a constant last axis, and has {}", c.who(), c.shapes());
  const auto least = static_cast<std::int64_t>(std::min(data.size(), indices.size() - 1));
  if (batch < 0 || batch > least)
    return user_error("{} has {} batch axes; at most {} are allowed (inputs: {})", c.who(), batch, least, c.shapes());
  if (*k < 1 || *k > static_cast<std::int64_t>(data.size()) - batch)
    return user_error("{} has tuples of {} indices for {} axes (inputs: {})", c.who(), *k,
                      static_cast<std::int64_t>(data.size()) - batch, c.shapes());
  for (std::size_t i = 0; i < static_cast<std::size_t>(batch); ++i)
    JITNEY_CHECK(c.equal(data[i], indices[i], fmt::format("along batch axis {}", i)));
  Shape out(indices.begin(), indices.end() - 1);
  out.insert(out.end(), data.begin() + batch + *k, data.end());
  return out;
}

Expected<Inferred> infer_gather_nd(const InferContext& c) {
  const std::int64_t batch = c.integer("batch");
  JITNEY_TRY(Shape out, tuple_shape(c, batch));
  for (std::int64_t j = 0; j < *c.shape(1).back().constant(); ++j)
    JITNEY_CHECK(check_something_to_take(c, out, static_cast<std::size_t>(batch + j)));
  return Inferred{c.dtype(0), std::move(out)};
}

Expected<Inferred> infer_scatter_nd(const InferContext& c) {
  JITNEY_TRY(const Shape expected, tuple_shape(c, 0));
  const Shape& updates = c.shape(2);
  if (updates.size() != expected.size())
    return user_error("{} needs updates {}, and has {}", c.who(), to_string(expected), to_string(updates));
  for (std::size_t i = 0; i < expected.size(); ++i)
    JITNEY_CHECK(c.equal(expected[i], updates[i], fmt::format("along axis {} of its updates", i)));
  return Inferred{c.dtype(0), c.shape(0)};
}

Expected<Inferred> infer_gather_grid(const InferContext& c) {
  const auto& axes = c.integers("axes");
  Inferred out{c.dtype(0), c.shape(0)};
  if (axes.size() + 1 != c.inputs.size())
    return user_error("{} has {} axes and {} vectors of indices", c.who(), axes.size(), c.inputs.size() - 1);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const bool rising = i == 0 || axes[i] > axes[i - 1];
    if (!rising || axes[i] < 0 || axes[i] >= std::ssize(out.shape))
      return user_error("axes of {} must rise within [0, {}) (inputs: {})", c.who(), out.shape.size(), c.shapes());
    if (!c.has(i + 1) || c.shape(i + 1).size() != 1)
      return user_error("the indices of {} must be vectors (inputs: {})", c.who(), c.shapes());
    out.shape[static_cast<std::size_t>(axes[i])] = c.shape(i + 1)[0];
  }
  for (const std::int64_t axis : axes)
    JITNEY_CHECK(check_something_to_take(c, out.shape, static_cast<std::size_t>(axis)));
  return out;
}

Status check_scatter_mode(const InferContext& c) {
  const auto& mode = c.attribute<std::string>("mode");
  if (mode == "none") return {};
  if (mode != "add" && mode != "mul" && mode != "max" && mode != "min")
    return user_error("mode of {} is '{}'; none, add, mul, max and min are allowed", c.who(), mode);
  if (c.dtype(0) == DType::boolean) return user_error("mode '{}' of {} is not for bool", mode, c.who());
  return {};
}

}  // namespace

Expected<Inferred> infer_movement(const InferContext& c) {
  switch (c.op) {
    case Op::permute: return infer_permute(c);
    case Op::concat: return infer_concat(c);
    case Op::gather: return infer_gather(c);
    case Op::gather_elements: return infer_gather_elements(c);
    case Op::gather_nd: return infer_gather_nd(c);
    case Op::gather_grid: return infer_gather_grid(c);
    case Op::scatter_elements: JITNEY_CHECK(check_scatter_mode(c)); return infer_scatter_elements(c);
    case Op::scatter_nd: JITNEY_CHECK(check_scatter_mode(c)); return infer_scatter_nd(c);
    default: return internal_error("{} has no rule for its shape", c.who());
  }
}

}  // namespace jitney::ir
