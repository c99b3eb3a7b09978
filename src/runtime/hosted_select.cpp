// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// nonzero and compress: count first, then write each element once where it belongs.
#include <algorithm>
#include <cstring>

#include "ir/element.h"
#include "runtime/hosted_ops.h"

namespace jitney::runtime {

namespace {

template <class T>
bool is_set(T x) {
  if constexpr (std::is_same_v<T, ir::Half> || std::is_same_v<T, ir::BFloat>) {
    return (x.bits & 0x7fff) != 0;  // both zeros; NaN is none
  } else if constexpr (std::is_same_v<T, ir::Bool>) {
    return x.byte != 0;
  } else {
    return x != 0;
  }
}

/// The offsets of what is set go to column after column, axis by axis: an index counts up, so nothing is divided.
template <class T>
void write_indices(const T* x, const std::vector<std::int64_t>& shape, std::int64_t found, std::int64_t* out) {
  const std::size_t rank = shape.size();
  std::int64_t row_length = shape.back(), rows = 1;
  for (std::size_t a = 0; a + 1 < rank; ++a) rows *= shape[a];
  std::vector<std::int64_t> index(rank, 0);
  std::int64_t at = 0;
  for (std::int64_t row = 0; row < rows; ++row, x += row_length) {
    std::int64_t* last = out + static_cast<std::int64_t>(rank - 1) * found;
    const std::int64_t first = at;
    for (std::int64_t i = 0; i < row_length; ++i)
      if (is_set(x[i])) last[at++] = i;
    for (std::size_t a = 0; a + 1 < rank; ++a)
      std::fill(out + static_cast<std::int64_t>(a) * found + first, out + static_cast<std::int64_t>(a) * found + at,
                index[a]);
    for (std::size_t a = rank - 1; a-- > 0;) {
      if (++index[a] < shape[a]) break;
      index[a] = 0;
    }
  }
}

}  // namespace

Expected<std::vector<Cell>> run_nonzero(const HostedCall& call) {
  const Cell& x = call.in(0);
  return ir::with_element(x.dtype, [&]<class T>(T) -> Expected<std::vector<Cell>> {
    const std::int64_t n = x.num_elements();
    std::int64_t found = 0;
    for (std::int64_t i = 0; i < n; ++i) found += is_set(x.as<T>()[i]);
    JITNEY_TRY(Cell out, call.cells.on_host(DType::i64, {static_cast<std::int64_t>(x.shape.size()), found}));
    if (found != 0 && !x.shape.empty()) write_indices(x.as<T>(), x.shape, found, out.as<std::int64_t>());
    return std::vector<Cell>{std::move(out)};
  });
}

Expected<std::vector<Cell>> run_compress(const HostedCall& call) {
  const Cell &x = call.in(0), &condition = call.in(1);
  const auto axis = static_cast<std::size_t>(call.node.integer("axis"));
  const auto* holds = condition.as<std::uint8_t>();
  const std::int64_t given = condition.num_elements(), extent = x.shape[axis];
  std::vector<std::int64_t> kept;
  kept.reserve(static_cast<std::size_t>(std::count_if(holds, holds + given, [](auto b) { return b != 0; })));
  for (std::int64_t i = 0; i < given; ++i)
    if (holds[i] != 0) kept.push_back(i);
  if (!kept.empty() && kept.back() >= extent)
    return user_error("element {} of the condition holds, and axis {} has extent {}", kept.back(), axis, extent);
  std::vector<std::int64_t> shape = x.shape;
  shape[axis] = static_cast<std::int64_t>(kept.size());
  JITNEY_TRY(Cell out, call.cells.on_host(x.dtype, shape));
  auto bytes = static_cast<std::int64_t>(size_of(x.dtype)), outer = std::int64_t{1};
  for (std::size_t a = 0; a < axis; ++a) outer *= shape[a];
  for (std::size_t a = axis + 1; a < shape.size(); ++a) bytes *= shape[a];
  if (bytes == 0) return std::vector<Cell>{std::move(out)};
  const char* from = x.as<char>();
  char* to = out.as<char>();
  for (std::int64_t o = 0; o < outer; ++o, from += extent * bytes) {
    for (std::size_t k = 0; k < kept.size();) {
      std::size_t run = 1;  // neighbours are copied together
      while (k + run < kept.size() && kept[k + run] == kept[k] + static_cast<std::int64_t>(run)) ++run;
      const auto size = static_cast<std::size_t>(bytes) * run;
      std::memcpy(to, from + kept[k] * bytes, size);
      to += size;
      k += run;
    }
  }
  return std::vector<Cell>{std::move(out)};
}

}  // namespace jitney::runtime
