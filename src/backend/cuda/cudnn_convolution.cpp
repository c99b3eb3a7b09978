// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/cudnn_convolution.h"

#include <cstring>
#include <limits>
#include <unordered_map>

#include "backend/cuda/cudnn_library.h"

namespace jitney::backend::cuda {
namespace {

namespace fe = cudnn_frontend;
using Tensor = std::shared_ptr<fe::graph::Tensor_attributes>;

// The tensors' numbers in a graph.
enum Uid : std::int64_t { kX = 1, kFilter, kBias, kAddend, kY };

fe::DataType_t type_of(DType t) {
  return t == DType::f32 ? fe::DataType_t::FLOAT : t == DType::f16 ? fe::DataType_t::HALF : fe::DataType_t::BFLOAT16;
}

/// Channels-last [n, s..., c] as cuDNN counts axes: n, c, s...
std::pair<std::vector<std::int64_t>, std::vector<std::int64_t>> channels_first(const std::vector<std::int64_t>& shape) {
  const std::size_t rank = shape.size();
  std::vector<std::int64_t> last(rank, 1);
  for (std::size_t d = rank; d-- > 1;) last[d - 1] = last[d] * shape[d];
  std::vector<std::int64_t> dims{shape[0], shape[rank - 1]}, strides{last[0], last[rank - 1]};
  for (std::size_t d = 1; d + 1 < rank; ++d) {
    dims.push_back(shape[d]);
    strides.push_back(last[d]);
  }
  return {dims, strides};
}

struct Tail {
  bool has_addend = false, clips = false;
  float low = 0, high = std::numeric_limits<float>::infinity();
  int bias = -1, addend = -1, y = -1;  ///< among the call's pointers
};

std::optional<Tail> tail_of(const ConvolutionCall& call) {
  Tail t;
  int next = 2;
  if (call.has_bias) t.bias = next++;
  for (const auto& p : call.epilogue) {
    if (t.clips) return std::nullopt;
    switch (p.kind) {
      case PostOp::Kind::relu: t.clips = true; break;
      case PostOp::Kind::clip:
        t.clips = true;
        t.low = p.alpha;
        t.high = p.beta;
        break;
      case PostOp::Kind::add_operand:
        if (t.has_addend || !(p.operand == call.y)) return std::nullopt;
        t.has_addend = true;
        t.addend = next++;
        break;
      default: return std::nullopt;
    }
  }
  t.y = next;
  return t;
}

class Convolution final : public CudnnConvolution {
 public:
  Convolution(Tail tail, std::string name) : tail_(tail), name_(std::move(name)) {}

  Status plan(const ConvolutionCall& call) {
    JITNEY_TRY(auto handle, cudnn_handle(nullptr));
    const auto type = type_of(call.x.dtype);
    graph_.set_io_data_type(type)
        .set_intermediate_data_type(fe::DataType_t::FLOAT)
        .set_compute_data_type(fe::DataType_t::FLOAT);
    auto tensor = [&](Uid uid, const std::vector<std::int64_t>& shape) {
      const auto [dims, strides] = channels_first(shape);
      return graph_.tensor(
          fe::graph::Tensor_attributes().set_uid(uid).set_dim(dims).set_stride(strides).set_data_type(type));
    };
    const std::size_t rank = call.x.shape.size();
    std::vector<std::int64_t> filter{call.w.shape[0]};
    filter.insert(filter.end(), call.w.shape.begin() + 2, call.w.shape.end());
    filter.push_back(call.w.shape[1]);
    const Tensor x = tensor(kX, call.x.shape), w = tensor(kFilter, filter);
    Tensor y = graph_.conv_fprop(x, w,
                                 fe::graph::Conv_fprop_attributes()
                                     .set_pre_padding(call.pads_begin)
                                     .set_post_padding(call.pads_end)
                                     .set_stride(call.strides)
                                     .set_dilation(call.dilations));
    const auto add = fe::graph::Pointwise_attributes().set_mode(fe::PointwiseMode_t::ADD);
    if (tail_.bias >= 0) {
      std::vector<std::int64_t> one(rank, 1);
      one[rank - 1] = call.y.shape[rank - 1];
      y = graph_.pointwise(y, tensor(kBias, one), add);
    }
    if (tail_.has_addend) y = graph_.pointwise(y, tensor(kAddend, call.y.shape), add);
    if (tail_.clips) {
      auto clip = fe::graph::Pointwise_attributes().set_mode(fe::PointwiseMode_t::RELU_FWD);
      if (tail_.low != 0) clip.set_relu_lower_clip(tail_.low);
      if (tail_.high < std::numeric_limits<float>::infinity()) clip.set_relu_upper_clip(tail_.high);
      y = graph_.pointwise(y, clip);
    }
    const auto [dims, strides] = channels_first(call.y.shape);
    y->set_output(true).set_uid(kY).set_dim(dims).set_stride(strides).set_data_type(type);
    JITNEY_CHECK(check(graph_.validate(), "cuDNN's check of a convolution"));
    JITNEY_CHECK(check(graph_.build_operation_graph(handle), "cuDNN's graph of a convolution"));
    JITNEY_CHECK(check(graph_.create_execution_plans({fe::HeurMode_t::A, fe::HeurMode_t::FALLBACK}),
                       "cuDNN's heuristics for a convolution"));
    // f32 means f32: tensor cores would round operands to TF32.
    if (call.x.dtype == DType::f32)
      graph_.deselect_numeric_notes({fe::NumericalNote_t::TENSOR_CORE, fe::NumericalNote_t::DOWN_CONVERT_INPUTS});
    JITNEY_CHECK(check(graph_.check_support(), "cuDNN's choice for a convolution"));
    JITNEY_CHECK(check(graph_.build_plans(fe::BuildPlanPolicy_t::HEURISTICS_CHOICE), "cuDNN's plan of a convolution"));
    workspace_ = static_cast<std::size_t>(graph_.get_workspace_size());
    return {};
  }

  std::size_t scratch_bytes() const override { return workspace_; }
  std::string implementation() const override { return name_; }

  Status run(std::span<void* const> pointers, const void* filter, void* scratch, CUstream stream) const override {
    JITNEY_TRY(auto handle, cudnn_handle(stream));
    std::unordered_map<std::int64_t, void*> pack{
        {kX, pointers[0]}, {kFilter, const_cast<void*>(filter)}, {kY, pointers[static_cast<std::size_t>(tail_.y)]}};
    if (tail_.bias >= 0) pack[kBias] = pointers[static_cast<std::size_t>(tail_.bias)];
    if (tail_.has_addend) pack[kAddend] = pointers[static_cast<std::size_t>(tail_.addend)];
    return check(graph_.execute(handle, pack, scratch), "cuDNN's convolution");
  }

 private:
  mutable fe::graph::Graph graph_;  // execute() is thread-safe and not const
  const Tail tail_;
  const std::string name_;
  std::size_t workspace_ = 0;
};

}  // namespace

bool is_for_cudnn(const ConvolutionCall& call) {
  const DType t = call.x.dtype;
  const auto tail = tail_of(call);
  // Its engines that add another tensor to an f32 result all round operands to TF32.
  if (tail && tail->has_addend && t == DType::f32) return false;
  // Channels by themselves are moved rather than multiplied: its kernels take up to ten times as long as a generated
  // one.
  if (call.groups > 1 && call.w.shape[1] == 1 && call.w.shape[0] == call.groups) return false;
  // Its engines for groups of several channels round f32 operands, too.
  if (t == DType::f32 && call.groups > 1 && call.w.shape[1] != 1) return false;
  // An upper bound takes an engine that is three times as slow as a kernel of its own behind the convolution.
  if (tail && tail->high < std::numeric_limits<float>::infinity()) return false;
  return (t == DType::f32 || t == DType::f16 || t == DType::bf16) && call.w.dtype == t && call.y.dtype == t &&
         (!call.has_bias || call.bias_dtype == t) && call.x.shape.size() == 4 && call.constant_w && !call.transposed &&
         tail.has_value();
}

Expected<std::shared_ptr<const CudnnConvolution>> plan_convolution(const ConvolutionCall& call) {
  const auto tail = tail_of(call);
  if (!tail) return internal_error("a convolution with an epilogue that cuDNN does not have");
  JITNEY_CHECK(open_cudnn());
  auto made = std::make_shared<Convolution>(*tail, fmt::format("cudnn:{}x{}", call.w.shape[2], call.w.shape[3]));
  JITNEY_CHECK(made->plan(call));
  return std::shared_ptr<const CudnnConvolution>(std::move(made));
}

std::size_t filter_bytes(const ConvolutionCall& call) {
  std::size_t bytes = size_of(call.w.dtype);
  for (auto e : call.w.shape) bytes *= static_cast<std::size_t>(e);
  return bytes;
}

void pack_filter(const ConvolutionCall& call, const void* from, void* to) {
  const std::size_t size = size_of(call.w.dtype), rank = call.w.shape.size();
  // The new order: o, k..., c.
  std::vector<std::size_t> axes{0};
  for (std::size_t d = 2; d < rank; ++d) axes.push_back(d);
  axes.push_back(1);
  std::vector<std::int64_t> index(rank, 0);
  const std::size_t count = filter_bytes(call) / size;
  auto* out = static_cast<char*>(to);
  for (std::size_t i = 0; i < count; ++i, out += size) {
    std::int64_t at = 0;
    for (std::size_t d = 0; d < rank; ++d) at += index[d] * call.w.strides[axes[d]];
    std::memcpy(out, static_cast<const char*>(from) + at * static_cast<std::int64_t>(size), size);
    for (std::size_t d = rank; d-- > 0;) {
      if (++index[d] < call.w.shape[axes[d]]) break;
      index[d] = 0;
    }
  }
}

}  // namespace jitney::backend::cuda
