// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/gemm/strassen.h"

#include <algorithm>
#include <limits>

namespace jitney::backend::gemm::strassen {
namespace {

// With fewer rows, shallower or smaller products the additions cost more than the eighth that is saved.
constexpr std::int64_t kMinRows = 96, kMinDepth = 256, kMinProducts = 40'000'000;
// Of one part of k: its quarters of two pairs of panels stay in L2 beside the rows.
constexpr std::int64_t kMaxDepth = 768;
// Sums of rows that should stay in L2.
constexpr std::int64_t kRowBytes = 704 << 10;
// Floats of a cache line.
constexpr std::int64_t kLine = 16;
// Matrices of half a chunk's rows: four sums and three of a's quarters.
constexpr std::int64_t kQuarters = 7;
// Sums of panels, and results of a pair of panels, that are kept until more products are made.
constexpr std::int64_t kSums = 2, kResults = 3;

/// Rows of a matrix somewhere in memory.
struct Rows {
  const float* at;
  std::int64_t stride;
};

/// Of the weights, or a sum: at - less + more, which is kept in `sum`.
struct Panel {
  const float* at;
  const float *less = nullptr, *more = nullptr;
  float* sum = nullptr;
};

/// A pair of panels, and the quarters of c that they give.
struct Pair {
  const float *b11, *b12, *b21, *b22;
  float *c11, *c12, *c21, *c22;
  Epilogue e11, e12, e21, e22;
};

/// One thread's work.
class Place {
 public:
  Place(const Work& work, const Division& division, float* scratch, float* copy)
      : w_(work), d_(division), rows_(scratch), copy_(copy) {
    half_ = (d_.chunk + 1) / 2;
    panel_sums_ = rows_ + kQuarters * half_ * d_.stride;
    results_ = panel_sums_ + kSums * (d_.depth / 2) * w_.kernels.panel;
  }

  void run(std::int64_t place) {
    const std::int64_t units = d_.chunks * d_.pairs;
    std::int64_t unit = share_of(units, place, w_.threads);
    const std::int64_t end = share_of(units, place + 1, w_.threads);
    while (unit < end) {
      const std::int64_t chunk = unit / d_.pairs, first = unit % d_.pairs;
      const std::int64_t last = std::min(d_.pairs, first + (end - unit));
      run_chunk({chunk * w_.s.m / d_.chunks, (chunk + 1) * w_.s.m / d_.chunks}, {first, last});
      unit += last - first;
    }
  }

 private:
  const Work& w_;
  const Division& d_;
  float *rows_, *panel_sums_, *results_, *copy_;
  std::int64_t half_;
  Rows s1_{}, s2_{}, s3_{}, s4_{}, a11_{}, a12_{}, a22_{};

  void run_chunk(Range rows, Range pairs) {
    for (std::int64_t part = 0; part < d_.parts; ++part) {
      const Range k{part_begin(part), part_begin(part + 1)};
      if (sum_rows(rows, k, pairs.begin)) {
        for (std::int64_t p = pairs.begin; p < pairs.end; ++p) multiply_pair(rows, k, p, p + 1 < pairs.end);
      } else {
        multiply(w_, rows, pairs, k, copy_);
        multiply(w_, rows, {d_.pairs + pairs.begin, d_.pairs + pairs.end}, k, copy_);
      }
    }
  }

  /// Parts begin at even places, so that each has two halves.
  std::int64_t part_begin(std::int64_t part) const {
    return part == d_.parts ? w_.s.k : w_.s.k * part / d_.parts / 2 * 2;
  }

  /// Quarters of some rows and columns of a, and their sums. False when they are not safe to add.
  bool sum_rows(Range rows, Range k, std::int64_t first_pair) {
    const std::int64_t upper = (rows.size() + 1) / 2, lower = rows.size() - upper, left = k.size() / 2;
    const float* a = w_.a + rows.begin * w_.a_stride + k.begin;
    Rows* quarters[] = {&s1_, &s2_, &s3_, &s4_, &a11_, &a12_, &a22_};
    QuarterCall call{upper, lower, left, a, w_.a_stride, {}, d_.stride, kBalance};
    for (int i = 0; i < (d_.copies ? 7 : 4); ++i) {
      call.to[i] = rows_ + i * half_ * d_.stride;
      *quarters[i] = {call.to[i], d_.stride};
    }
    if (!d_.copies) {
      a11_ = {a, w_.a_stride};
      a12_ = {a + left, w_.a_stride};
      a22_ = {a + upper * w_.a_stride + left, w_.a_stride};
    }
    for (int i = 0; i < 2; ++i) call.fetched[i] = whole_panel(first_pair + i * d_.pairs, k);
    return w_.kernels.sum_quarters(call);
  }

  const float* panel(std::int64_t index, Range k) const {
    return w_.packed + (index * w_.s.k + k.begin) * w_.kernels.panel;
  }
  Fetched whole_panel(std::int64_t index, Range k) const {
    return {reinterpret_cast<const char*>(panel(index, k)),
            k.size() * w_.kernels.panel * static_cast<std::int64_t>(sizeof(float))};
  }

  Pair pair_of(Range rows, Range k, std::int64_t index) const {
    const std::int64_t width = w_.kernels.panel, half = k.size() / 2 * width, upper = (rows.size() + 1) / 2;
    const std::int64_t left = index * width, right = left + d_.pairs * width;
    Pair p{};
    p.b11 = panel(index, k);
    p.b12 = panel(index + d_.pairs, k);
    p.b21 = p.b11 + half;
    p.b22 = p.b12 + half;
    p.c11 = w_.c + rows.begin * w_.c_stride + left;
    p.c12 = w_.c + rows.begin * w_.c_stride + right;
    p.c21 = p.c11 + upper * w_.c_stride;
    p.c22 = p.c12 + upper * w_.c_stride;
    p.e11 = epilogue_of(w_, k.begin, k.end, left, p.c11);
    p.e12 = epilogue_of(w_, k.begin, k.end, right, p.c12);
    p.e21 = epilogue_of(w_, k.begin, k.end, left, p.c21);
    p.e22 = epilogue_of(w_, k.begin, k.end, right, p.c22);
    return p;
  }

  /// Product by product: half a panel stays in L1 for all rows.
  void multiply_pair(Range rows, Range k, std::int64_t index, bool is_followed) const {
    using enum Share::Kind;
    const std::int64_t width = w_.kernels.panel, depth = k.size() / 2;
    const std::int64_t upper = (rows.size() + 1) / 2, lower = rows.size() - upper;
    const Pair p = pair_of(rows, k, index);
    float* results[kResults];
    for (int i = 0; i < kResults; ++i) results[i] = results_ + i * half_ * width;
    float *t = panel_sums_, *t2 = t + depth * width;

    // The next pair comes while four of the products are made.
    auto next = [&](const float* quarter) { return is_followed ? quarter + w_.s.k * width : nullptr; };
    auto product = [&](std::int64_t count, Rows a, Panel b, const float* fetched, Share x, Share y = {}) {
      w_.kernels.multiply_shared({.call = {.rows = count,
                                           .k = depth,
                                           .a = a.at,
                                           .a_stride = a.stride,
                                           .panel = b.at,
                                           .c = nullptr,
                                           .c_stride = w_.c_stride,
                                           .width = static_cast<int>(width),
                                           .next = fetched},
                                  .less = b.less,
                                  .more = b.more,
                                  .sum = b.sum,
                                  .shares = {x, y}});
    };
    auto start = [&](int to) { return Share{.kind = set, .rows = upper, .to = results[to]}; };
    auto plus = [&](int from, int to, std::int64_t count) {
      return Share{.kind = add, .rows = count, .from = results[from], .to = results[to]};
    };
    auto last = [&](int from, std::int64_t count, float* c, const Epilogue& e, bool negative = false) {
      return Share{.kind = finish, .negative = negative, .rows = count, .from = results[from], .c = c, .epilogue = &e};
    };
    // Winograd's form: u = s2 t2 + a11 b11, v = u + s3 t3, then u + s1 t1.
    enum { c11_part, u, v };
    product(upper, a11_, {p.b11}, nullptr, start(c11_part), start(u));
    product(upper, a12_, {p.b21}, nullptr, last(c11_part, upper, p.c11, p.e11));
    product(upper, s2_, {p.b22, p.b12, p.b11, t2}, next(p.b11), plus(u, u, upper));
    product(lower, s3_, {p.b22, p.b12, nullptr, t}, next(p.b21), plus(u, v, lower));
    product(lower, s1_, {p.b12, p.b11, nullptr, t}, next(p.b12), last(v, lower, p.c22, p.e22), plus(u, u, lower));
    product(upper, s4_, {p.b22}, next(p.b22), last(u, upper, p.c12, p.e12));
    product(lower, a22_, {t2, p.b21, nullptr, t}, nullptr, last(v, lower, p.c21, p.e21, true));
  }
};

}  // namespace

bool pays(const Kernels& kernels, const Shape& s, int threads) {
  if (s.m < kMinRows || s.k < kMinDepth || s.m * s.k * s.n < kMinProducts) return false;
  if (s.k % 2 != 0 || s.n % (2 * kernels.panel) != 0) return false;
  const Division d = division_of(kernels, s, 0);
  return waste(d.pairs * d.chunks, threads) <= 1.05;
}

Division division_of(const Kernels& kernels, const Shape& s, std::int64_t a_stride) {
  Division d{};
  d.pairs = s.n / kernels.panel / 2;
  d.parts = ceil_div(s.k, kMaxDepth);
  d.depth = (ceil_div(s.k, d.parts) + 3) / 2 * 2;
  // Rows of sums begin in different sets of an L1 cache.
  d.stride = ceil_div(d.depth / 2, kLine) * kLine;
  if (d.stride % 128 == 0) d.stride += kLine;
  const std::int64_t fit = kRowBytes / static_cast<std::int64_t>(sizeof(float)) / kQuarters / d.stride;
  d.chunks = ceil_div(s.m, 2 * std::max(fit, kMinRows / 2));
  d.chunk = ceil_div(s.m, d.chunks);
  d.copies = a_stride % 512 == 0;
  return d;
}

std::int64_t scratch_size(const Kernels& kernels, const Division& d) {
  const std::int64_t half = (d.chunk + 1) / 2;
  return kQuarters * half * d.stride + kSums * (d.depth / 2) * kernels.panel + kResults * half * kernels.panel;
}

float imbalance(const float* greatest, std::int64_t n) {
  float most = 1;
  for (std::int64_t j = 0; j < n / 2; ++j) {
    const float x = greatest[j], y = greatest[j + n / 2];
    if (!(x > 1e-30f && y > 1e-30f && x < 1e30f && y < 1e30f)) return std::numeric_limits<float>::infinity();
    most = std::max({most, x / y, y / x});
  }
  return most;
}

void run_place(const Work& work, const Division& division, std::int64_t place, float* scratch, float* copy) {
  Place(work, division, scratch, copy).run(place);
}

}  // namespace jitney::backend::gemm::strassen
