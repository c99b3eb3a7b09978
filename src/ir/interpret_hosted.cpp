// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// What hosted operators compute, but for control flow.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "ir/element.h"
#include "ir/interpret_internal.h"
#include "ir/read_dims.h"
#include "ir/strided.h"

namespace jitney::ir {
namespace {

using Extents = std::vector<std::int64_t>;
using Tensors = std::vector<Tensor>;

Tensor numbers(const std::vector<std::int64_t>& from) {
  Tensor t(DType::i64, {static_cast<std::int64_t>(from.size())});
  std::copy(from.begin(), from.end(), t.as<std::int64_t>());
  return t;
}

/// Slices of x along an axis, in the order of `which`.
Tensor taken(const Tensor& x, std::size_t axis, const std::vector<std::int64_t>& which) {
  Extents shape = x.shape();
  const std::int64_t from = shape[axis];
  shape[axis] = static_cast<std::int64_t>(which.size());
  Tensor out(x.dtype(), shape);
  const std::int64_t outer = count(shape, 0, axis);
  const std::int64_t bytes = count(shape, axis + 1, shape.size()) * static_cast<std::int64_t>(size_of(x.dtype()));
  if (bytes == 0) return out;
  auto* to = out.as<std::byte>();
  for (std::int64_t o = 0; o < outer; ++o) {
    for (const std::int64_t i : which) {
      std::memcpy(to, x.as<std::byte>() + (o * from + i) * bytes, static_cast<std::size_t>(bytes));
      to += bytes;
    }
  }
  return out;
}

Tensor nonzero(const Tensor& x) {
  std::vector<std::int64_t> found;
  with_element(x.dtype(), [&]<class T>(T) {
    for (std::int64_t i = 0; i < x.num_elements(); ++i)
      if (load(x.as<T>()[i]) != 0) found.push_back(i);  // NaN is not 0
  });
  const auto rank = static_cast<std::int64_t>(x.shape().size()), n = static_cast<std::int64_t>(found.size());
  Tensor out(DType::i64, {rank, n});
  for (std::int64_t k = 0; k < n; ++k) {
    std::int64_t rest = found[static_cast<std::size_t>(k)];
    for (std::int64_t axis = rank; axis-- > 0;) {
      const std::int64_t extent = x.shape()[static_cast<std::size_t>(axis)];
      out.as<std::int64_t>()[axis * n + k] = rest % extent;
      rest /= extent;
    }
  }
  return out;
}

Expected<Tensor> compress(const Tensor& x, const Tensor& condition, std::size_t axis) {
  std::vector<std::int64_t> kept;
  for (std::int64_t i = 0; i < condition.num_elements(); ++i) {
    if (condition.as<std::uint8_t>()[i] == 0) continue;
    if (i >= x.shape()[axis])
      return user_error("element {} of the condition holds, and axis {} has extent {}", i, axis, x.shape()[axis]);
    kept.push_back(i);
  }
  return taken(x, axis, kept);
}

/// Lexicographic; NaN after everything else and equal to itself.
template <class T>
int compare(T a, T b) {
  if constexpr (kIsFloating<T>) {
    const double x = load(a), y = load(b);
    if (std::isnan(x) || std::isnan(y)) return static_cast<int>(std::isnan(x)) - static_cast<int>(std::isnan(y));
    return x < y ? -1 : x > y;
  } else {
    return load(a) < load(b) ? -1 : load(a) > load(b);
  }
}

Tensors unique(const Tensor& x, std::size_t axis, bool sorted) {
  const std::int64_t n = x.shape()[axis], outer = count(x.shape(), 0, axis);
  const std::int64_t inner = count(x.shape(), axis + 1, x.shape().size());
  const auto order = [&](std::int64_t a, std::int64_t b) {
    return with_element(x.dtype(), [&]<class T>(T) {
      for (std::int64_t o = 0; o < outer; ++o) {
        for (std::int64_t i = 0; i < inner; ++i) {
          const T *p = x.as<T>() + (o * n + a) * inner + i, *q = x.as<T>() + (o * n + b) * inner + i;
          if (const int c = compare(*p, *q); c != 0) return c;
        }
      }
      return 0;
    });
  };
  std::vector<std::int64_t> firsts, counts, group(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) {
    std::size_t g = 0;
    while (g < firsts.size() && order(firsts[g], i) != 0) ++g;
    if (g == firsts.size()) {
      firsts.push_back(i);
      counts.push_back(0);
    }
    ++counts[g];
    group[static_cast<std::size_t>(i)] = static_cast<std::int64_t>(g);
  }
  std::vector<std::int64_t> by(firsts.size());
  std::iota(by.begin(), by.end(), 0);
  const auto at = [](const std::vector<std::int64_t>& v, std::int64_t i) { return v[static_cast<std::size_t>(i)]; };
  if (sorted) {
    std::stable_sort(by.begin(), by.end(),
                     [&](std::int64_t a, std::int64_t b) { return order(at(firsts, a), at(firsts, b)) < 0; });
  }
  std::vector<std::int64_t> first, how_many, place(by.size());
  for (std::size_t k = 0; k < by.size(); ++k) {
    first.push_back(at(firsts, by[k]));
    how_many.push_back(at(counts, by[k]));
    place[static_cast<std::size_t>(by[k])] = static_cast<std::int64_t>(k);
  }
  for (std::int64_t& g : group) g = at(place, g);
  return {taken(x, axis, first), numbers(first), numbers(group), numbers(how_many)};
}

struct Box {
  float y1, x1, y2, x2;
  float area() const { return (y2 - y1) * (x2 - x1); }
};

Box box_of(const float* b, bool center) {
  if (center) return {b[1] - b[3] / 2, b[0] - b[2] / 2, b[1] + b[3] / 2, b[0] + b[2] / 2};
  return {std::min(b[0], b[2]), std::min(b[1], b[3]), std::max(b[0], b[2]), std::max(b[1], b[3])};
}

bool overlap(const Box& a, const Box& b, float threshold) {
  const float height = std::min(a.y2, b.y2) - std::max(a.y1, b.y1), width = std::min(a.x2, b.x2) - std::max(a.x1, b.x1);
  if (!(height > 0) || !(width > 0)) return false;
  if (!(a.area() > 0) || !(b.area() > 0)) return false;
  const float both = height * width;
  return both / (a.area() + b.area() - both) > threshold;
}

Expected<Tensor> non_max_suppression(const NodeRun& run) {
  const Tensor &boxes = run.in(0), &scores = run.in(1);
  const std::int64_t batches = scores.shape()[0], classes = scores.shape()[1], n = scores.shape()[2];
  if (boxes.shape() != Extents{batches, n, 4})
    return user_error("its boxes and scores do not fit: {} and {} boxes", boxes.shape()[1], n);
  const std::int64_t most = run.has(2) ? *run.in(2).as<std::int64_t>() : 0;
  const float iou = run.has(3) ? *run.in(3).as<float>() : 0;
  std::vector<std::int64_t> picked;
  for (std::int64_t b = 0; b < batches; ++b) {
    for (std::int64_t c = 0; c < classes; ++c) {
      const float* s = scores.as<float>() + (b * classes + c) * n;
      std::vector<std::int64_t> candidates, kept;
      for (std::int64_t i = 0; i < n; ++i)
        if (!run.has(4) || s[i] > *run.in(4).as<float>()) candidates.push_back(i);
      std::stable_sort(candidates.begin(), candidates.end(), [&](auto i, auto j) { return s[i] > s[j]; });
      for (const std::int64_t i : candidates) {
        if (std::ssize(kept) >= most) break;
        const auto at = [&](std::int64_t k) {
          return box_of(boxes.as<float>() + (b * n + k) * 4, run.node.integer("center") != 0);
        };
        if (std::any_of(kept.begin(), kept.end(), [&](auto k) { return overlap(at(i), at(k), iou); })) continue;
        kept.push_back(i);
        picked.insert(picked.end(), {b, c, i});
      }
    }
  }
  Tensor out(DType::i64, {static_cast<std::int64_t>(picked.size()) / 3, 3});
  std::copy(picked.begin(), picked.end(), out.as<std::int64_t>());
  return out;
}

}  // namespace

Expected<Tensors> interpret_hosted(const NodeRun& run) {
  const Node& node = run.node;
  switch (node.op) {
    case Op::nonzero: return Tensors{nonzero(run.in(0))};
    case Op::compress: {
      JITNEY_TRY(Tensor out, compress(run.in(0), run.in(1), static_cast<std::size_t>(node.integer("axis"))));
      return Tensors{std::move(out)};
    }
    case Op::unique:
      return unique(run.in(0), static_cast<std::size_t>(node.integer("axis")), node.integer("sorted") != 0);
    case Op::non_max_suppression: {
      JITNEY_TRY(Tensor out, non_max_suppression(run));
      return Tensors{std::move(out)};
    }
    case Op::read_dims: {
      JITNEY_TRY(const auto given, evaluate(node.dims("given"), run.symbols));
      JITNEY_TRY(const auto found, read_dims(node.text("rule"), fmt::format("'{}'", node.name), run.inputs, given));
      if (!is_test(node.text("rule"))) return Tensors{numbers(found)};
      Tensor holds(DType::boolean, {});
      *holds.as<std::uint8_t>() = found[0] != 0;
      return Tensors{std::move(holds)};
    }
    default: return internal_error("the reference interpreter does not know {}", info(node.op).name);
  }
}

}  // namespace jitney::ir
