// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// non_max_suppression: greedy, for each batch and class by itself.
#include <algorithm>
#include <numeric>

#include "runtime/hosted_ops.h"

namespace jitney::runtime {

namespace {

struct Box {
  float y1, x1, y2, x2, area;
};

Box box_of(const float* b, bool center) {
  Box r{};
  if (center) {
    r = {b[1] - b[3] / 2, b[0] - b[2] / 2, b[1] + b[3] / 2, b[0] + b[2] / 2, 0};
  } else {
    r = {std::min(b[0], b[2]), std::min(b[1], b[3]), std::max(b[0], b[2]), std::max(b[1], b[3]), 0};
  }
  r.area = (r.y2 - r.y1) * (r.x2 - r.x1);
  return r;
}

bool suppresses(const Box& a, const Box& b, float threshold) {
  const float height = std::min(a.y2, b.y2) - std::max(a.y1, b.y1);
  const float width = std::min(a.x2, b.x2) - std::max(a.x1, b.x1);
  if (!(height > 0) || !(width > 0) || !(a.area > 0) || !(b.area > 0)) return false;
  const float both = height * width;
  return both / (a.area + b.area - both) > threshold;
}

}  // namespace

Expected<std::vector<Cell>> run_non_max_suppression(const HostedCall& call) {
  const Cell &boxes = call.in(0), &scores = call.in(1);
  const std::int64_t batches = scores.shape[0], classes = scores.shape[1], n = scores.shape[2];
  if (boxes.shape != std::vector<std::int64_t>{batches, n, 4})
    return user_error("its boxes are [{}, {}, {}], and its scores [{}, {}, {}]", boxes.shape[0], boxes.shape[1],
                      boxes.shape[2], batches, classes, n);
  const std::int64_t most = call.has(2) ? *call.in(2).as<std::int64_t>() : 0;
  const float overlap = call.has(3) ? *call.in(3).as<float>() : 0;
  const bool center = call.node.integer("center") != 0;
  std::vector<std::int64_t> picked, candidates;
  std::vector<Box> all(static_cast<std::size_t>(n)), kept;
  for (std::int64_t b = 0; b < batches && most > 0; ++b) {
    for (std::int64_t i = 0; i < n; ++i)
      all[static_cast<std::size_t>(i)] = box_of(boxes.as<float>() + (b * n + i) * 4, center);
    for (std::int64_t c = 0; c < classes; ++c) {
      const float* s = scores.as<float>() + (b * classes + c) * n;
      candidates.clear();
      kept.clear();
      for (std::int64_t i = 0; i < n; ++i)
        if (!call.has(4) || s[i] > *call.in(4).as<float>()) candidates.push_back(i);
      // NaN has no place among scores: it comes last, so that this is an order.
      std::sort(candidates.begin(), candidates.end(), [s](std::int64_t i, std::int64_t j) {
        const bool i_nan = s[i] != s[i], j_nan = s[j] != s[j];
        if (i_nan != j_nan) return j_nan;
        return !i_nan && s[i] != s[j] ? s[i] > s[j] : i < j;
      });
      for (const std::int64_t i : candidates) {
        if (std::ssize(kept) >= most) break;
        const Box& box = all[static_cast<std::size_t>(i)];
        if (std::any_of(kept.begin(), kept.end(), [&](const Box& k) { return suppresses(box, k, overlap); })) continue;
        kept.push_back(box);
        picked.insert(picked.end(), {b, c, i});
      }
    }
  }
  JITNEY_TRY(Cell out, call.cells.on_host(DType::i64, {static_cast<std::int64_t>(picked.size()) / 3, 3}));
  std::copy(picked.begin(), picked.end(), out.as<std::int64_t>());
  return std::vector<Cell>{std::move(out)};
}

}  // namespace jitney::runtime
