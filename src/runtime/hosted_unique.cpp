// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// unique: sorts indices of slices, so that n slices cost n log n comparisons.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "ir/element.h"
#include "runtime/hosted_ops.h"

namespace jitney::runtime {

namespace {

struct Layout {
  std::int64_t outer = 1, extent = 0, inner = 1;
};

Layout layout_of(const std::vector<std::int64_t>& shape, std::size_t axis) {
  Layout l;
  for (std::size_t a = 0; a < axis; ++a) l.outer *= shape[a];
  l.extent = shape[axis];
  for (std::size_t a = axis + 1; a < shape.size(); ++a) l.inner *= shape[a];
  return l;
}

/// Below 0, 0, above 0. NaN comes last, and is equal to itself, so that this is an order.
template <class T>
int order(T a, T b) {
  const auto x = ir::load(a), y = ir::load(b);
  if constexpr (ir::kIsFloating<T>) {
    if (std::isnan(x) || std::isnan(y)) return static_cast<int>(std::isnan(x)) - static_cast<int>(std::isnan(y));
  }
  return x < y ? -1 : static_cast<int>(x > y);
}

template <class T>
int order(const T* x, const Layout& l, std::int64_t a, std::int64_t b) {
  for (std::int64_t o = 0; o < l.outer; ++o) {
    const T* slices = x + o * l.extent * l.inner;
    for (std::int64_t i = 0; i < l.inner; ++i)
      if (const int c = order(slices[a * l.inner + i], slices[b * l.inner + i]); c != 0) return c;
  }
  return 0;
}

struct Groups {
  std::vector<std::int64_t> first, count, group_of;  // by group, in the order of the output; by slice
};

template <class T>
Groups group(const T* x, const Layout& l, bool sorted) {
  std::vector<std::int64_t> by(static_cast<std::size_t>(l.extent));
  std::iota(by.begin(), by.end(), 0);
  std::sort(by.begin(), by.end(), [&](std::int64_t a, std::int64_t b) {
    const int c = order(x, l, a, b);
    return c != 0 ? c < 0 : a < b;  // the first of equals leads its group
  });
  Groups g;
  g.group_of.resize(by.size());
  for (std::size_t k = 0; k < by.size(); ++k) {
    if (k == 0 || order(x, l, by[k - 1], by[k]) != 0) {
      g.first.push_back(by[k]);
      g.count.push_back(0);
    }
    ++g.count.back();
    g.group_of[static_cast<std::size_t>(by[k])] = static_cast<std::int64_t>(g.first.size()) - 1;
  }
  if (sorted) return g;
  std::vector<std::int64_t> places(g.first.size()), new_place(g.first.size());
  std::iota(places.begin(), places.end(), 0);
  std::sort(places.begin(), places.end(), [&](auto a, auto b) {
    return g.first[static_cast<std::size_t>(a)] < g.first[static_cast<std::size_t>(b)];
  });
  Groups in_order{{}, {}, g.group_of};
  for (std::size_t k = 0; k < places.size(); ++k) {
    const auto old = static_cast<std::size_t>(places[k]);
    in_order.first.push_back(g.first[old]);
    in_order.count.push_back(g.count[old]);
    new_place[old] = static_cast<std::int64_t>(k);
  }
  for (std::int64_t& i : in_order.group_of) i = new_place[static_cast<std::size_t>(i)];
  return in_order;
}

Expected<Cell> numbers(const Cells& cells, const std::vector<std::int64_t>& from) {
  JITNEY_TRY(Cell out, cells.on_host(DType::i64, {static_cast<std::int64_t>(from.size())}));
  std::copy(from.begin(), from.end(), out.as<std::int64_t>());
  return out;
}

}  // namespace

Expected<std::vector<Cell>> run_unique(const HostedCall& call) {
  const Cell& x = call.in(0);
  const auto axis = static_cast<std::size_t>(call.node.integer("axis"));
  const Layout l = layout_of(x.shape, axis);
  const Groups groups =
      ir::with_element(x.dtype, [&]<class T>(T) { return group(x.as<T>(), l, call.node.integer("sorted") != 0); });
  std::vector<std::int64_t> shape = x.shape;
  shape[axis] = static_cast<std::int64_t>(groups.first.size());
  std::vector<Cell> results(1);
  JITNEY_TRY(results[0], call.cells.on_host(x.dtype, shape));
  const std::int64_t bytes = l.inner * static_cast<std::int64_t>(size_of(x.dtype));
  char* to = results[0].as<char>();
  for (std::int64_t o = 0; o < l.outer && bytes != 0; ++o) {
    for (const std::int64_t i : groups.first) {
      std::memcpy(to, x.as<char>() + (o * l.extent + i) * bytes, static_cast<std::size_t>(bytes));
      to += bytes;
    }
  }
  for (const auto* list : {&groups.first, &groups.group_of, &groups.count}) {
    JITNEY_TRY(results.emplace_back(), numbers(call.cells, *list));
  }
  return results;
}

}  // namespace jitney::runtime
