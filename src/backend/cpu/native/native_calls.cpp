// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/native/native_calls.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#include "backend/cpu/gemm/gemm.h"
#include "backend/cpu/native/native_attention.h"
#include "backend/cpu/winograd/winograd.h"

namespace jitney::backend::native {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

bool known_or(std::int64_t extent, bool fits) { return extent < 0 || fits; }

/// Bias, then one addend, then one clip or activation: what the kernels do at the end.
struct Tail {
  Operands operands;
  Clip clip{-kInfinity, kInfinity};
  gemm::Activation activation = gemm::Activation::none;
};

/// The epilogue of a call whose result is `out`; nothing when it is another one.
std::optional<Tail> tail_of(const TensorDesc& out, bool has_bias, const std::vector<PostOp>& epilogue) {
  Tail tail;
  int next = 2;
  if (has_bias) {
    tail.operands.bias = next++;
  }
  bool ended = false;
  for (const auto& p : epilogue) {
    if (ended) return std::nullopt;
    switch (p.kind) {
      case PostOp::Kind::relu:
        tail.clip.low = 0;
        ended = true;
        break;
      case PostOp::Kind::clip:
        tail.clip = {p.alpha, p.beta};
        ended = true;
        break;
      case PostOp::Kind::add_operand:
        if (tail.operands.addend >= 0 || !(p.operand == out)) return std::nullopt;
        tail.operands.addend = next++;
        break;
      case PostOp::Kind::gelu_erf:
      case PostOp::Kind::gelu_tanh:
      case PostOp::Kind::silu:
        tail.activation = p.kind == PostOp::Kind::gelu_erf    ? gemm::Activation::gelu_erf
                          : p.kind == PostOp::Kind::gelu_tanh ? gemm::Activation::gelu_tanh
                                                              : gemm::Activation::silu;
        ended = true;
        break;
      default: return std::nullopt;
    }
  }
  tail.operands.y = next;
  return tail;
}

bool is_f32(const TensorDesc& d) { return d.dtype == DType::f32; }

/// The call as a product of matrices; nothing when it is none.
struct Product {
  gemm::Shape shape;
  std::int64_t a_stride = 0, c_stride = 0, b_rows = 0, b_columns = 0;  ///< strides
  Tail tail;
};

std::optional<Product> product_of(const MatMulCall& call) {
  if (!call.constant_b || !is_f32(call.a) || !is_f32(call.b) || !is_f32(call.c)) return std::nullopt;
  const std::size_t rank = call.c.shape.size();
  const auto tail = tail_of(call.c, call.has_bias, call.epilogue);
  if (!tail || (call.has_bias && call.bias_dtype != DType::f32)) return std::nullopt;
  // Of a higher rank when its rows are not known to be one matrix yet.
  for (std::size_t i = 0; i + 2 < rank; ++i)
    if (call.c.shape[i] >= 0 && call.a.strides[i] >= 0) return std::nullopt;
  for (std::size_t i = 0; i + 2 < rank; ++i)
    if (call.b.strides[i] != 0) return std::nullopt;
  Product p;
  p.shape = {call.c.shape[rank - 2], call.a.shape[rank - 1], call.c.shape[rank - 1]};
  if (!known_or(p.shape.k, p.shape.k > 0) || call.a.strides[rank - 1] != 1 || call.c.strides[rank - 1] != 1)
    return std::nullopt;
  p.a_stride = call.a.strides[rank - 2];
  p.c_stride = call.c.strides[rank - 2];
  p.b_rows = call.b.strides[rank - 2];
  p.b_columns = call.b.strides[rank - 1];
  p.tail = *tail;
  return p;
}

bool is_2d(const ConvolutionCall& call, DType dtype) {
  return call.x.shape.size() == 4 && call.constant_w && !call.transposed && call.groups == 1 && call.x.dtype == dtype &&
         call.w.dtype == dtype && call.y.dtype == dtype;
}

bool all_equal(const std::vector<std::int64_t>& values, std::int64_t to) {
  return std::ranges::all_of(values, [&](auto v) { return v == to; });
}

/// A 1x1 convolution is a product, too: its rows are the pixels.
std::optional<Product> product_of(const ConvolutionCall& call) {
  if (!is_2d(call, DType::f32) || call.w.shape[2] != 1 || call.w.shape[3] != 1 || !all_equal(call.strides, 1) ||
      !all_equal(call.pads_begin, 0) || !all_equal(call.pads_end, 0))
    return std::nullopt;
  const auto tail = tail_of(call.y, call.has_bias, call.epilogue);
  if (!tail || (call.has_bias && call.bias_dtype != DType::f32)) return std::nullopt;
  Product p;
  const auto& y = call.y.shape;
  p.shape = {y[0] < 0 || y[1] < 0 || y[2] < 0 ? -1 : y[0] * y[1] * y[2], call.w.shape[1], call.w.shape[0]};
  p.a_stride = p.shape.k;
  p.c_stride = p.shape.n;
  p.b_rows = call.w.strides[1];
  p.b_columns = call.w.strides[0];
  p.tail = *tail;
  return p;
}

/// Whether its elements, in whatever order, are all there is between the first and the last.
bool fills_its_memory(const TensorDesc& t) {
  std::int64_t count = 1, last = 0;
  for (std::size_t i = 0; i < t.shape.size(); ++i) {
    if (t.shape[i] > 1 && t.strides[i] <= 0) return false;
    count *= t.shape[i];
    last += (t.shape[i] - 1) * t.strides[i];
  }
  return last == count - 1;
}

struct Window {
  winograd::Shape shape;
  winograd::Storage storage;
  bool has_low_bias;
  std::array<std::int64_t, 4> w_strides;
  Tail tail;
};

std::optional<Window> window_of(const ConvolutionCall& call) {
  const bool is_low = call.x.dtype == DType::bf16;
  if (!is_2d(call, is_low ? DType::bf16 : DType::f32) || call.w.shape[2] != 3 || call.w.shape[3] != 3 ||
      !all_equal(call.strides, 1) || !all_equal(call.dilations, 1))
    return std::nullopt;
  const auto tail = tail_of(call.y, call.has_bias, call.epilogue);
  // Weights in bf16 are widened as they lie.
  if (!tail || tail->activation != gemm::Activation::none || (is_low && !fills_its_memory(call.w))) return std::nullopt;
  Window w;
  w.storage = is_low ? winograd::Storage::bf16 : winograd::Storage::f32;
  w.has_low_bias = call.has_bias && call.bias_dtype == DType::bf16;
  w.shape = {.n = call.x.shape[0],
             .h = call.x.shape[1],
             .w = call.x.shape[2],
             .c = call.x.shape[3],
             .o = call.y.shape[3],
             .oh = call.y.shape[1],
             .ow = call.y.shape[2],
             .pad_top = call.pads_begin[0],
             .pad_left = call.pads_begin[1]};
  std::copy_n(call.w.strides.begin(), 4, w.w_strides.begin());
  w.tail = *tail;
  return w;
}

void widen(const void* bf16, std::size_t count, float* to) {
  const auto* from = static_cast<const std::uint16_t*>(bf16);
  for (std::size_t i = 0; i < count; ++i) to[i] = std::bit_cast<float>(static_cast<std::uint32_t>(from[i]) << 16);
}

class ProductPrimitive final : public NativePrimitive {
 public:
  ProductPrimitive(const gemm::Kernels& kernels, const Product& p, int threads)
      : NativePrimitive(p.tail.operands, p.tail.clip, threads), kernels_(kernels), p_(p) {}
  std::size_t scratch_bytes() const override {
    return gemm::scratch_size(kernels_, p_.shape, p_.a_stride, threads_) * sizeof(float);
  }
  std::string implementation() const override { return fmt::format("gemm:panels:f32x{}", kernels_.lanes); }
  std::string layout() const override { return fmt::format("gemm {} {}x{}", kernels_.panel, p_.shape.k, p_.shape.n); }
  std::size_t packed_floats() const override { return gemm::packed_size(kernels_, p_.shape.k, p_.shape.n); }
  void pack(const void* weights, float* packed) const override {
    gemm::pack(kernels_, p_.shape.k, p_.shape.n, static_cast<const float*>(weights), p_.b_rows, p_.b_columns, packed,
               threads_);
  }
  void run(std::span<void* const> pointers, const float* packed, float* scratch) const override {
    auto at = [&](int i) { return i < 0 ? nullptr : static_cast<float*>(pointers[static_cast<std::size_t>(i)]); };
    gemm::run(kernels_, p_.shape, {at(operands_.bias), at(operands_.addend), clip_.low, clip_.high, p_.tail.activation},
              at(operands_.x), p_.a_stride, packed, at(operands_.y), p_.c_stride, scratch, threads_);
  }

 private:
  const gemm::Kernels& kernels_;
  const Product p_;
};

class WinogradPrimitive final : public NativePrimitive {
 public:
  WinogradPrimitive(const winograd::Kernels& kernels, const Window& w, int threads)
      : NativePrimitive(w.tail.operands, w.tail.clip, threads), kernels_(kernels), w_(w) {}
  std::size_t scratch_bytes() const override {
    return (winograd::scratch_size(kernels_, w_.shape, threads_) + bias_floats()) * sizeof(float);
  }
  std::string implementation() const override {
    return fmt::format("winograd:4x4_3x3:f32x{}{}", kernels_.lanes, is_low() ? " on bf16" : "");
  }
  std::string layout() const override {
    return fmt::format("winograd {} {}x{}", kernels_.product.panel, w_.shape.c, w_.shape.o);
  }
  std::size_t packed_floats() const override { return winograd::packed_size(kernels_, w_.shape.c, w_.shape.o); }
  void pack(const void* weights, float* packed) const override {
    std::vector<float> wide;
    if (is_low()) {
      wide.resize(static_cast<std::size_t>(w_.shape.o * w_.shape.c * 9));
      widen(weights, wide.size(), wide.data());
      weights = wide.data();
    }
    winograd::pack(kernels_, w_.shape.c, w_.shape.o, static_cast<const float*>(weights), w_.w_strides.data(), packed,
                   threads_);
  }
  void run(std::span<void* const> pointers, const float* packed, float* scratch) const override {
    auto at = [&](int i) { return i < 0 ? nullptr : pointers[static_cast<std::size_t>(i)]; };
    const float* bias = static_cast<const float*>(at(operands_.bias));
    if (w_.has_low_bias) {
      widen(bias, bias_floats(), scratch);
      bias = scratch;
    }
    winograd::run(kernels_, w_.shape, {bias, nullptr, clip_.low, clip_.high},
                  {w_.storage, at(operands_.x), at(operands_.addend), at(operands_.y)}, packed, scratch + bias_floats(),
                  threads_);
  }

 private:
  bool is_low() const { return w_.storage == winograd::Storage::bf16; }
  /// Room for a bias that must be widened: whole cache lines, because c and o are multiples of a register.
  std::size_t bias_floats() const { return w_.has_low_bias ? static_cast<std::size_t>(w_.shape.o + 15) / 16 * 16 : 0; }

  const winograd::Kernels& kernels_;
  const Window w_;
};

std::optional<Product> product_of(const LibraryCall& call) {
  if (const auto* m = std::get_if<MatMulCall>(&call)) return product_of(*m);
  if (const auto* c = std::get_if<ConvolutionCall>(&call)) return product_of(*c);
  return std::nullopt;
}

// Narrow matrices waste a part of each panel, and shallow ones spend their time in loads and stores: oneDNN has kernels
// for these. So it has for the 1x1 convolutions of usual networks, which are a few percent faster there.
bool is_worth_it(const gemm::Kernels& kernels, const LibraryCall& call, const gemm::Shape& s) {
  constexpr std::int64_t kManyPanels = 16;  // of which one that is not full is no matter
  return std::holds_alternative<MatMulCall>(call) && known_or(s.k, s.k >= 128) &&
         known_or(s.n, s.n >= 64 && (s.n % kernels.panel == 0 || s.n >= kManyPanels * kernels.panel));
}

bool is_complete(const std::vector<std::int64_t>& shape) {
  return std::ranges::all_of(shape, [](auto e) { return e > 0; });
}

}  // namespace

bool NativeCalls::offers(const LibraryCall& call) const {
  if (gemm::kernels(vector_bytes_) == nullptr) return false;
  if (product_of(call)) return true;
  if (const auto* a = std::get_if<AttentionCall>(&call)) return native::offers(*a, vector_bytes_);
  const auto* c = std::get_if<ConvolutionCall>(&call);
  if (c == nullptr) return false;
  // On bf16 it is only the faster way beside a library that computes in bf16.
  const auto w = window_of(*c);
  return w && w->storage == winograd::Storage::f32 && is_complete({c->x.shape[3], c->y.shape[3]});
}

bool NativeCalls::prefers(const LibraryCall& call) const {
  const auto* kernels = gemm::kernels(vector_bytes_);
  const auto* m = std::get_if<MatMulCall>(&call);
  if (kernels == nullptr || m == nullptr) return false;
  MatMulCall bare = *m;
  bare.epilogue.clear();
  const auto p = product_of(bare);
  return p && is_worth_it(*kernels, call, p->shape);
}

std::shared_ptr<const NativePrimitive> NativeCalls::plan(const LibraryCall& call, int threads, bool must) {
  const std::lock_guard lock(mutex_);
  std::erase_if(planned_, [](const Planned& p) { return p.primitive.expired(); });
  for (const auto& p : planned_)
    if (p.threads == threads && p.call == call)
      if (auto primitive = p.primitive.lock()) return primitive;
  auto primitive = make(call, threads, must);
  if (primitive) planned_.push_back({call, threads, primitive});
  return primitive;
}

std::shared_ptr<const NativePrimitive> NativeCalls::make(const LibraryCall& call, int threads, bool must) const {
  const auto* kernels = gemm::kernels(vector_bytes_);
  if (kernels == nullptr) return nullptr;
  if (const auto* a = std::get_if<AttentionCall>(&call)) return make_attention(*a, vector_bytes_, threads);
  if (const auto p = product_of(call)) {
    if (p->shape.m <= 0 || p->shape.k <= 0 || p->shape.n <= 0) return nullptr;
    if (must || is_worth_it(*kernels, call, p->shape)) return std::make_shared<ProductPrimitive>(*kernels, *p, threads);
    return nullptr;
  }
  const auto* c = std::get_if<ConvolutionCall>(&call);
  const auto w = c ? window_of(*c) : std::nullopt;
  if (!w || !is_complete(c->x.shape) || !is_complete(c->y.shape)) return nullptr;
  const auto& winograd = *winograd::kernels(vector_bytes_);
  if (must ? !winograd::can_do(winograd, w->shape) : !winograd::is_faster(winograd, w->shape, w->storage))
    return nullptr;
  return std::make_shared<WinogradPrimitive>(winograd, *w, threads);
}

bool NativeCalls::fits(const NativePrimitive& primitive, const PackedWeights* weights) {
  if (!primitive.has_weights()) return weights == nullptr;
  const auto* packed = dynamic_cast<const NativePacked*>(weights);
  return packed != nullptr && packed->layout() == primitive.layout() &&
         packed->bytes() == primitive.packed_floats() * sizeof(float);
}

Expected<std::shared_ptr<const PackedWeights>> NativeCalls::pack(const NativePrimitive& primitive,
                                                                 const WeightsSource& source) {
  if ((source.plain != nullptr) == (source.packed != nullptr))
    return internal_error("weights to pack come from exactly one place");
  const std::string key = fmt::format("{} of {}", primitive.layout(), source.content);
  // Under the lock: two threads that want the same weights must not pack them twice.
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [](const Entry& e) { return e.packed.expired(); });
  for (const auto& e : entries_)
    if (e.key == key && !source.content.empty())
      if (auto packed = e.packed.lock()) return packed;
  if (source.plain == nullptr) {
    // One layout serves all shapes, so that what is packed for another shape is packed for this one.
    for (const auto& e : entries_)
      if (auto packed = e.packed.lock(); packed.get() == source.packed && fits(primitive, packed.get())) return packed;
    return environment_error("weights for {} cannot be made from another packing", primitive.implementation());
  }
  const std::size_t bytes = primitive.packed_floats() * sizeof(float);
  JITNEY_TRY(void* data, memory_.allocate(bytes));
  auto packed = std::make_shared<NativePacked>(memory_, data, bytes, primitive.layout());
  primitive.pack(source.plain, static_cast<float*>(data));
  entries_.push_back({key, packed});
  return std::shared_ptr<const PackedWeights>(std::move(packed));
}

}  // namespace jitney::backend::native
