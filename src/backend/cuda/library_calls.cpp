// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/library_calls.h"

#include <algorithm>

#include "backend/cuda/attention_kernel.h"
#include "backend/cuda/cudnn_attention.h"
#include "backend/cuda/cudnn_available.h"
#include "backend/cuda/cudnn_convolution.h"
#include "backend/cuda/product_kernels.h"
#include "backend/cuda/which_library.h"
#include "util/env.h"
#include "util/log.h"

namespace jitney::backend::cuda {
namespace {

/// Weights as a convolution reads them.
class PackedFilter final : public PackedWeights {
 public:
  PackedFilter(Backend& memory, int device, void* data, std::size_t bytes)
      : memory_(memory), device_(device), data_(data), bytes_(bytes) {}
  ~PackedFilter() override { memory_.free(device_, data_, bytes_, 0); }
  PackedFilter(const PackedFilter&) = delete;
  std::size_t bytes() const override { return bytes_; }
  const void* data() const { return data_; }

 private:
  Backend& memory_;
  const int device_;
  void* const data_;
  const std::size_t bytes_;
};

/// A convolution with the call that it was planned for, which says how its weights are packed.
class PlannedConvolution final : public Primitive {
 public:
  PlannedConvolution(ConvolutionCall call, std::shared_ptr<const CudnnConvolution> convolution)
      : call_(std::move(call)), convolution_(std::move(convolution)) {}
  std::size_t scratch_bytes() const override { return convolution_->scratch_bytes(); }
  std::string implementation() const override { return convolution_->implementation(); }
  bool is_reference() const override { return false; }
  const ConvolutionCall& call() const { return call_; }
  const CudnnConvolution& convolution() const { return *convolution_; }

 private:
  const ConvolutionCall call_;
  const std::shared_ptr<const CudnnConvolution> convolution_;
};

class CudaInvocation final : public Invocation {
 public:
  CudaInvocation(std::shared_ptr<const Primitive> primitive, std::shared_ptr<const PackedWeights> weights)
      : primitive_(std::move(primitive)),
        weights_(std::move(weights)),
        product_(dynamic_cast<const CublasLtProduct*>(primitive_.get())),
        attention_(dynamic_cast<const CudnnAttention*>(primitive_.get())),
        convolution_(dynamic_cast<const PlannedConvolution*>(primitive_.get())),
        kernel_(dynamic_cast<const KernelPrimitive*>(primitive_.get())),
        with_gelu_(dynamic_cast<const ProductWithGelu*>(primitive_.get())),
        filter_(dynamic_cast<const PackedFilter*>(weights_.get())) {}

  Status run(std::span<void* const> pointers, void* scratch, CUstream stream) const {
    if (product_) return product_->run(pointers, scratch, stream);
    if (kernel_) return kernel_->run(pointers, reinterpret_cast<StreamHandle>(stream));  // NOLINT
    if (with_gelu_) return with_gelu_->run(pointers, scratch, stream);
    if (attention_) return attention_->run(pointers, scratch, stream);
    if (convolution_ && filter_) return convolution_->convolution().run(pointers, filter_->data(), scratch, stream);
    return internal_error("a library call of another backend");
  }

 private:
  const std::shared_ptr<const Primitive> primitive_;
  const std::shared_ptr<const PackedWeights> weights_;
  const CublasLtProduct* const product_;
  const CudnnAttention* const attention_;
  const PlannedConvolution* const convolution_;
  const KernelPrimitive* const kernel_;
  const ProductWithGelu* const with_gelu_;
  const PackedFilter* const filter_;
};

}  // namespace

bool LibraryCalls::offers(const LibraryCall& call) {
  const Library library = library_for(call);
  const auto allowed = allowed_libraries();
  if (!allowed || !allowed->has(library)) return false;
  if (library == Library::own) return true;
  return library == Library::cublaslt ? cublaslt().has_value() : cudnn_is_available();
}

Expected<cublasLtHandle_t> LibraryCalls::handle(int device) {
  const std::lock_guard lock(mutex_);
  if (auto it = handles_.find(device); it != handles_.end()) return it->second;
  JITNEY_TRY(const CublasLt* library, cublaslt());
  cublasLtHandle_t made = nullptr;
  JITNEY_CHECK(library->check(library->create(&made), "cublasLtCreate"));
  handles_[device] = made;
  return made;
}

Expected<std::shared_ptr<const Primitive>> LibraryCalls::plan_product(const Chip& chip, const Product& product,
                                                                      const PlanOptions& options) {
  PlanServices* const services = options.services;
  bool is_stopgap = false;
  if (services && is_for_few_rows(product, chip.compute_capability)) {
    auto own = plan_few_rows(kernels_, chip.device, chip.multiprocessors, product, options);
    if (own) return std::shared_ptr<const Primitive>(std::move(*own));
    is_stopgap = options.haste == Haste::at_once;
    if (!is_stopgap) log_info("a product of few rows is cuBLASLt's: {}", own.error().message);
  }
  JITNEY_TRY(auto made, plan_cublaslt(chip, product, options, is_stopgap));
  if (product.activation != Product::Activation::gelu_erf) return std::shared_ptr<const Primitive>(std::move(made));
  if (!services) return environment_error("GELU behind a product needs a compiler");
  std::int64_t elements = product.m * product.n * product.batch;
  for (const auto& axis : product.outer) elements *= axis.extent;
  return plan_product_with_gelu(kernels_, chip.device, product, elements, *services, made);
}

Expected<std::shared_ptr<const CublasLtProduct>> LibraryCalls::plan_cublaslt(const Chip& chip, Product product,
                                                                             const PlanOptions& options,
                                                                             bool is_stopgap) {
  JITNEY_TRY(const CublasLt* library, cublaslt());
  JITNEY_TRY(cublasLtHandle_t h, handle(chip.device));
  if (product.activation == Product::Activation::gelu_erf) product.activation = Product::Activation::none;
  return CublasLtProduct::make(*library, h, product, tuning(chip, options.services), options.haste, algorithms_,
                               is_stopgap);
}

Expected<std::shared_ptr<const Primitive>> LibraryCalls::make(const Chip& chip, const LibraryCall& call,
                                                              const PlanOptions& options) {
  if (const auto* m = std::get_if<MatMulCall>(&call)) {
    const auto product = product_of(*m);
    if (!product) return environment_error("the cuda backend has no library for such a product");
    return plan_product(chip, *product, options);
  }
  if (const auto* c = std::get_if<ConvolutionCall>(&call); c && is_for_cudnn(*c)) {
    JITNEY_TRY(auto convolution, plan_convolution(*c, tuning(chip, options.services)));
    return std::make_shared<const PlannedConvolution>(*c, std::move(convolution));
  }
  if (const auto* a = std::get_if<AttentionCall>(&call); a && library_for(call) != Library::none) {
    if (options.services && is_for_attention_kernel(*a, chip.compute_capability)) {
      auto own = plan_attention_kernel(kernels_, chip.device, chip.multiprocessors, *a, options);
      if (own) return std::shared_ptr<const Primitive>(std::move(*own));
      if (!is_for_cudnn(*a)) return tl::unexpected(own.error());
      log_info("attention is cuDNN's: {}", own.error().message);
    }
    if (is_for_cudnn(*a)) return plan_attention(*a, tuning(chip, options.services));
    if (!options.services) return environment_error("the cuda backend's attention in f32 needs a compiler");
  }
  return environment_error("the cuda backend has no library for such a call");
}

namespace {

/// Of the extents: types and epilogues hardly tell a model's calls apart.
std::size_t hash_of(int device, const LibraryCall& call) {
  std::size_t hash = call.index() * 31 + static_cast<std::size_t>(device);
  const auto mix = [&](const TensorDesc& t) {
    for (const auto extent : t.shape) hash = (hash ^ static_cast<std::size_t>(extent)) * 0x9e3779b97f4a7c15u;
  };
  if (const auto* m = std::get_if<MatMulCall>(&call)) {
    mix(m->a);
    mix(m->b);
  } else if (const auto* c = std::get_if<ConvolutionCall>(&call)) {
    mix(c->x);
    mix(c->w);
  } else if (const auto* a = std::get_if<AttentionCall>(&call)) {
    mix(a->q);
    mix(a->k);
  }
  return hash;
}

}  // namespace

std::shared_ptr<const Primitive> LibraryCalls::find(int device, const LibraryCall& call, std::size_t hash,
                                                    Haste haste) {
  std::shared_ptr<const Primitive> provisional;
  const auto [begin, end] = planned_.equal_range(hash);
  for (auto it = begin; it != end; ++it) {
    if (it->second.device != device || !(it->second.call == call)) continue;
    auto primitive = it->second.primitive.lock();
    if (primitive && !primitive->is_provisional()) return primitive;
    if (primitive) provisional = std::move(primitive);
  }
  return haste == Haste::at_once ? provisional : nullptr;
}

void LibraryCalls::rehearse(const Chip& chip, const LibraryCall& call, const PlanOptions& options) {
  if (!offers(call)) return;
  const Status ready = [&]() -> Status {
    const auto* m = std::get_if<MatMulCall>(&call);
    const auto* a = std::get_if<AttentionCall>(&call);
    const auto product = m ? product_of(*m) : std::nullopt;
    if (product && !options.services) {
      JITNEY_CHECK(plan_cublaslt(chip, *product, options));
    } else if (product) {
      if (product->activation == Product::Activation::gelu_erf)
        JITNEY_CHECK(kernels_.get(chip.device, "gelu", gelu_source(product->dtype), *options.services));
      if (is_for_few_rows(*product, chip.compute_capability))
        JITNEY_CHECK(plan_few_rows(kernels_, chip.device, chip.multiprocessors, *product, options));
    } else if (a && options.services && is_for_attention_kernel(*a, chip.compute_capability)) {
      JITNEY_CHECK(plan_attention_kernel(kernels_, chip.device, chip.multiprocessors, *a, options));
    }
    return {};
  }();
  if (!ready) log_debug("a call of other extents is not ready: {}", ready.error().message);
}

Expected<std::shared_ptr<const Primitive>> LibraryCalls::plan(const Chip& chip, const LibraryCall& call,
                                                              const PlanOptions& options) {
  const std::size_t hash = hash_of(chip.device, call);
  {
    const std::lock_guard lock(mutex_);
    if (auto known = find(chip.device, call, hash, options.haste)) return known;
  }
  // Unlocked: cuDNN takes tens of milliseconds, and callers plan side by side.
  JITNEY_TRY(auto made, make(chip, call, options));
  const std::lock_guard lock(mutex_);
  if (auto known = find(chip.device, call, hash, options.haste)) return known;
  // Now and then, so that it costs each one little.
  if (planned_.size() >= most_planned_) {
    std::erase_if(planned_, [](const auto& p) { return p.second.primitive.expired(); });
    most_planned_ = std::max(kFewPlanned, 2 * planned_.size());
  }
  planned_.emplace(hash, Planned{chip.device, call, made});
  return made;
}

template <class IsIt>
std::shared_ptr<const PackedWeights> LibraryCalls::find_packed(IsIt is_it) {
  std::erase_if(packed_, [](const Packing& p) { return p.weights.expired(); });
  for (const auto& p : packed_)
    if (auto weights = p.weights.lock(); weights && is_it(p.key, *weights)) return weights;
  return nullptr;
}

Expected<std::shared_ptr<const PackedWeights>> LibraryCalls::pack(int device, const Primitive& primitive,
                                                                  const WeightsSource& source) {
  const auto* convolution = dynamic_cast<const PlannedConvolution*>(&primitive);
  if (convolution == nullptr) return std::shared_ptr<const PackedWeights>();  // what others read lies where it was
  const ConvolutionCall& call = convolution->call();
  const std::string key = fmt::format("filter on {} of {}", device, source.content);
  const auto is_equal = [&](const std::string& other, const PackedWeights&) {
    return other == key && !source.content.empty();
  };
  {
    const std::lock_guard lock(mutex_);
    if (auto known = find_packed(is_equal)) return known;
    if (source.plain == nullptr) {
      // One layout serves all shapes.
      const auto is_source = [&](const std::string&, const PackedWeights& other) { return &other == source.packed; };
      if (auto known = find_packed(is_source)) return known;
      return environment_error("weights of a convolution cannot be made from another packing");
    }
  }
  // Once for each convolution, so by way of the host, and unlocked: callers pack side by side. Strides may make the
  // original longer than its elements are.
  std::int64_t last = 0;
  for (std::size_t d = 0; d < call.w.shape.size(); ++d) last += (call.w.shape[d] - 1) * call.w.strides[d];
  const std::size_t bytes = filter_bytes(call);
  std::vector<char> plain(static_cast<std::size_t>(last + 1) * size_of(call.w.dtype)), packed(bytes);
  JITNEY_CHECK(memory_.copy(device, plain.data(), source.plain, plain.size(), CopyKind::device_to_host, 0));
  JITNEY_CHECK(memory_.synchronize(device, 0));
  pack_filter(call, plain.data(), packed.data());
  JITNEY_TRY(void* data, memory_.allocate(device, bytes, 0));
  auto weights = std::make_shared<PackedFilter>(memory_, device, data, bytes);
  JITNEY_CHECK(memory_.copy(device, data, packed.data(), bytes, CopyKind::host_to_device, 0));
  JITNEY_CHECK(memory_.synchronize(device, 0));
  const std::lock_guard lock(mutex_);
  if (auto known = find_packed(is_equal)) return known;
  packed_.push_back({key, weights});
  return std::shared_ptr<const PackedWeights>(std::move(weights));
}

Expected<std::unique_ptr<Invocation>> LibraryCalls::invocation(std::shared_ptr<const Primitive> primitive,
                                                               std::shared_ptr<const PackedWeights> weights) {
  const bool wants_filter = dynamic_cast<const PlannedConvolution*>(primitive.get()) != nullptr;
  if (wants_filter != (dynamic_cast<const PackedFilter*>(weights.get()) != nullptr) || (!wants_filter && weights))
    return internal_error("weights that were packed for another library call");
  return std::unique_ptr<Invocation>(std::make_unique<CudaInvocation>(std::move(primitive), std::move(weights)));
}

Status LibraryCalls::run(Invocation& invocation, std::span<void* const> pointers, void* scratch, CUstream stream) {
  const auto* ours = dynamic_cast<const CudaInvocation*>(&invocation);
  if (ours == nullptr) return internal_error("a library call of another backend");
  return ours->run(pointers, scratch, stream);
}

std::vector<std::string> LibraryCalls::diagnose() {
  std::vector<std::string> lines;
  if (const auto library = cublaslt())
    lines.push_back(fmt::format("cuBLASLt {}", (*library)->version()));
  else
    lines.push_back(library.error().message);
  lines.push_back(cudnn_is_available() ? "cuDNN found" : cudnn_problem());
  if (const auto allowed = env_string("JITNEY_CUDA_LIBRARIES"))
    lines.push_back(fmt::format("of these, JITNEY_CUDA_LIBRARIES allows {}", *allowed));
  return lines;
}

}  // namespace jitney::backend::cuda
