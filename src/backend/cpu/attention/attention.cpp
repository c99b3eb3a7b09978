// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/attention/attention.h"

#include <algorithm>
#include <limits>

#include "backend/cpu/parallel_for.h"

namespace jitney::backend::attention {
namespace {

// Rows and keys whose scores are made at once: 96 KB, beside 256 KB of keys and values of the usual length 64.
constexpr std::int64_t kRows = 48, kKeys = 512;
// So few rows do not pay for packing keys and values.
constexpr std::int64_t kFewRows = 3;
// Keys and values of one head that are packed once for all its rows; more of them are packed a block at a time, anew
// for each block of rows: a few percent of the work instead of memory without bound.
constexpr std::int64_t kPackedFloats = 4 << 20;

std::int64_t round_up(std::int64_t x, std::int64_t to) { return (x + to - 1) / to * to; }

/// Where the parts of one thread's scratch begin, in floats; each at a cache line.
struct Layout {
  std::int64_t keys = 0, values = 0, queries = 0, scores = 0, results = 0, state = 0, size = 0;
  std::int64_t score_stride = 0, result_stride = 0;
  bool packs_all = false;
};

Layout layout_of(const Kernels& k, const Shape& s) {
  Layout l;
  const std::int64_t panel = k.product.panel, keys = std::min(s.n, kKeys), rows = std::min(s.m, kRows);
  const bool packs = s.m > kFewRows;
  auto take = [&](std::int64_t& at, std::int64_t floats) {
    at = l.size;
    l.size += round_up(floats, 16);
  };
  l.score_stride = round_up(keys, panel);
  l.result_stride = round_up(s.e, panel);
  l.packs_all = packs && s.n * (s.d + l.result_stride) <= kPackedFloats;
  const std::int64_t at_once = l.packs_all ? s.n : keys;
  take(l.keys, packs ? round_up(at_once, panel) * s.d : 0);
  take(l.values, packs ? at_once * l.result_stride : 0);
  take(l.queries, rows * s.d);
  take(l.scores, rows * l.score_stride);
  take(l.results, rows * l.result_stride);
  take(l.state, 3 * rows);
  return l;
}

struct Work {
  const Kernels& k;
  const Shape& s;
  const Operands& o;
  float* scratch;
  const Layout l;
  std::int64_t blocks, units, threads;
};

std::size_t element_bytes(Storage storage) { return storage == Storage::f32 ? 4 : 2; }

const char* at(const void* base, Storage storage, const Matrices& m, const std::int64_t (&index)[kMaxOuter],
               std::int64_t row) {
  std::int64_t offset = row * m.row;
  for (int i = 0; i < kMaxOuter; ++i) offset += index[i] * m.outer[i];
  return static_cast<const char*>(base) + offset * static_cast<std::int64_t>(element_bytes(storage));
}

/// One thread's part.
class Worker {
 public:
  Worker(const Work& w, std::int64_t place) : w_(w), s_(w.s), base_(w.scratch + place * w.l.size) {}

  void run(std::int64_t first, std::int64_t last) {
    std::int64_t packed = -1;
    for (std::int64_t unit = first; unit < last; ++unit) {
      const std::int64_t head = unit / w_.blocks;
      std::int64_t rest = head, index[kMaxOuter];
      for (int i = kMaxOuter; i-- > 0; rest /= s_.outer[i]) index[i] = rest % s_.outer[i];
      const void* k = at(w_.o.k, s_.storage, s_.k, index, 0);
      const void* v = at(w_.o.v, s_.storage, s_.v, index, 0);
      if (w_.l.packs_all && head != packed) {
        for (std::int64_t at = 0; at < s_.n; at += kKeys) pack(k, v, at);
        packed = head;
      }
      const std::int64_t row = unit % w_.blocks * kRows;
      rows(index, row, std::min(kRows, s_.m - row), k, v);
    }
  }

 private:
  /// Block by block, so that one block's panels lie together.
  void pack(const void* k, const void* v, std::int64_t first) {
    const auto size = static_cast<std::int64_t>(element_bytes(s_.storage));
    const std::int64_t count = std::min(kKeys, s_.n - first);
    w_.k.pack_keys(s_, static_cast<const char*>(k) + first * s_.k.row * size, count, keys(first));
    w_.k.pack_values(s_, static_cast<const char*>(v) + first * s_.v.row * size, count, values(first));
  }
  float* keys(std::int64_t first) const { return base_ + w_.l.keys + (w_.l.packs_all ? first * s_.d : 0); }
  float* values(std::int64_t first) const {
    return base_ + w_.l.values + (w_.l.packs_all ? first * w_.l.result_stride : 0);
  }

  void rows(const std::int64_t (&index)[kMaxOuter], std::int64_t row, std::int64_t count, const void* k,
            const void* v) {
    float* queries = base_ + w_.l.queries;
    float* results = base_ + w_.l.results;
    float* state = base_ + w_.l.state;
    Scores scores{base_ + w_.l.scores, w_.l.score_stride, count, 0, state, state + count, state + 2 * count};
    w_.k.load_queries(s_, at(w_.o.q, s_.storage, s_.q, index, row), count, queries);
    std::fill_n(scores.maximum, count, -std::numeric_limits<float>::infinity());
    std::fill_n(scores.sum, count, 0.f);
    std::fill_n(results, count * w_.l.result_stride, 0.f);
    const auto size = static_cast<std::int64_t>(element_bytes(s_.storage));
    for (std::int64_t first = 0; first < s_.n; first += kKeys) {
      scores.columns = std::min(kKeys, s_.n - first);
      if (s_.m > kFewRows) {
        if (!w_.l.packs_all) pack(k, v, first);
        score(scores, queries, keys(first));
      } else {
        for (std::int64_t r = 0; r < count; ++r)
          w_.k.dot_keys(s_, queries + r * s_.d, static_cast<const char*>(k) + first * s_.k.row * size, scores.columns,
                        scores.at + r * scores.stride);
      }
      const char* mask = nullptr;
      if (s_.has_mask)
        mask = at(w_.o.mask, s_.mask_storage, s_.mask, index, row) +
               first * s_.mask.column * static_cast<std::int64_t>(element_bytes(s_.mask_storage));
      w_.k.softmax(s_, scores, mask);
      if (first > 0)
        for (std::int64_t r = 0; r < count; ++r)
          if (scores.correction[r] != 1.f) w_.k.multiply(results + r * w_.l.result_stride, s_.e, scores.correction[r]);
      if (s_.m > kFewRows) {
        add(scores, values(first), results);
      } else {
        for (std::int64_t r = 0; r < count; ++r)
          w_.k.add_values(s_, scores.at + r * scores.stride, static_cast<const char*>(v) + first * s_.v.row * size,
                          scores.columns, results + r * w_.l.result_stride);
      }
    }
    for (std::int64_t r = 0; r < count; ++r)
      w_.k.finish(s_, results + r * w_.l.result_stride, 1.f / scores.sum[r],
                  const_cast<char*>(at(w_.o.y, s_.storage, s_.y, index, row + r)));
  }

  void score(const Scores& scores, const float* queries, const float* keys) const {
    const std::int64_t panel = w_.k.product.panel;
    for (std::int64_t j = 0; j < scores.columns; j += panel)
      w_.k.product.multiply({.rows = scores.rows,
                             .k = s_.d,
                             .a = queries,
                             .a_stride = s_.d,
                             .panel = keys + j * s_.d,
                             .c = scores.at + j,
                             .c_stride = scores.stride,
                             .width = static_cast<int>(panel)});
  }

  void add(const Scores& scores, const float* values, float* results) const {
    const std::int64_t panel = w_.k.product.panel;
    for (std::int64_t c = 0; c < w_.l.result_stride; c += panel) {
      gemm::Epilogue onto{};
      onto.addend = results + c;
      w_.k.product.multiply({.rows = scores.rows,
                             .k = scores.columns,
                             .a = scores.at,
                             .a_stride = scores.stride,
                             .panel = values + c * scores.columns,
                             .c = results + c,
                             .c_stride = w_.l.result_stride,
                             .width = static_cast<int>(panel),
                             .epilogue = &onto});
    }
  }

  const Work& w_;
  const Shape& s_;
  float* const base_;
};

}  // namespace

const Kernels* kernels(int vector_bytes) {
#if defined(__x86_64__)
  const gemm::Kernels* product = gemm::kernels(vector_bytes);
  if (product == nullptr) return nullptr;
  return product == &gemm::avx512_kernels() ? &avx512_kernels() : &avx2_kernels();
#else
  (void)vector_bytes;
  return nullptr;
#endif
}

std::size_t scratch_size(const Kernels& k, const Shape& s, int threads) {
  return static_cast<std::size_t>(layout_of(k, s).size * threads);
}

void run(const Kernels& k, const Shape& s, const Operands& o, float* scratch, int threads) {
  const std::int64_t blocks = (s.m + kRows - 1) / kRows;
  Work w{k, s, o, scratch, layout_of(k, s), blocks, s.heads() * blocks, threads};
  parallel_for(
      threads, 0, threads, 1,
      [](void* context, std::int64_t begin, std::int64_t end) {
        const Work& w = *static_cast<const Work*>(context);
        for (std::int64_t place = begin; place < end; ++place)
          Worker(w, place).run(place * w.units / w.threads, (place + 1) * w.units / w.threads);
      },
      &w);
}

}  // namespace jitney::backend::attention
