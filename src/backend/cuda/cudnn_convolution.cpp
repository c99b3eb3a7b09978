// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/cudnn_convolution.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <unordered_map>

#include "backend/cuda/cudnn_choice.h"
#include "util/tensor_bytes.h"

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

/// All that decides how fast which plan is, for the cache's key.
std::string text_of(const ConvolutionCall& call, const Tail& tail) {
  return fmt::format("convolution {} x [{}] w [{}] y [{}] strides [{}] dilations [{}] pads [{}] [{}]{}{}{}",
                     to_string(call.x.dtype), fmt::join(call.x.shape, ","), fmt::join(call.w.shape, ","),
                     fmt::join(call.y.shape, ","), fmt::join(call.strides, ","), fmt::join(call.dilations, ","),
                     fmt::join(call.pads_begin, ","), fmt::join(call.pads_end, ","), tail.bias >= 0 ? " bias" : "",
                     tail.has_addend ? " addend" : "",
                     tail.clips ? fmt::format(" clip {} {}", tail.low, tail.high) : "");
}

/// The convolution and what is behind it, in an empty graph.
Status describe(const ConvolutionCall& call, const Tail& tail, fe::graph::Graph& graph) {
  const auto type = type_of(call.x.dtype);
  graph.set_io_data_type(type)
      .set_intermediate_data_type(fe::DataType_t::FLOAT)
      .set_compute_data_type(fe::DataType_t::FLOAT);
  auto tensor = [&](Uid uid, const std::vector<std::int64_t>& shape) {
    const auto [dims, strides] = channels_first(shape);
    return graph.tensor(
        fe::graph::Tensor_attributes().set_uid(uid).set_dim(dims).set_stride(strides).set_data_type(type));
  };
  const std::size_t rank = call.x.shape.size();
  std::vector<std::int64_t> filter{call.w.shape[0]};
  filter.insert(filter.end(), call.w.shape.begin() + 2, call.w.shape.end());
  filter.push_back(call.w.shape[1]);
  const Tensor x = tensor(kX, call.x.shape), w = tensor(kFilter, filter);
  Tensor y = graph.conv_fprop(x, w,
                              fe::graph::Conv_fprop_attributes()
                                  .set_pre_padding(call.pads_begin)
                                  .set_post_padding(call.pads_end)
                                  .set_stride(call.strides)
                                  .set_dilation(call.dilations));
  const auto add = fe::graph::Pointwise_attributes().set_mode(fe::PointwiseMode_t::ADD);
  if (tail.bias >= 0) {
    std::vector<std::int64_t> one(rank, 1);
    one[rank - 1] = call.y.shape[rank - 1];
    y = graph.pointwise(y, tensor(kBias, one), add);
  }
  if (tail.has_addend) y = graph.pointwise(y, tensor(kAddend, call.y.shape), add);
  if (tail.clips) {
    auto clip = fe::graph::Pointwise_attributes().set_mode(fe::PointwiseMode_t::RELU_FWD);
    if (tail.low != 0) clip.set_relu_lower_clip(tail.low);
    if (tail.high < std::numeric_limits<float>::infinity()) clip.set_relu_upper_clip(tail.high);
    y = graph.pointwise(y, clip);
  }
  const auto [dims, strides] = channels_first(call.y.shape);
  y->set_output(true).set_uid(kY).set_dim(dims).set_stride(strides).set_data_type(type);
  return {};
}

class Convolution final : public CudnnConvolution {
 public:
  Convolution(Tail tail, std::string name) : tail_(tail), name_(std::move(name)) {}

  Status plan(const ConvolutionCall& call, const Tuning& tuning) {
    CudnnCall asked;
    asked.text = text_of(call, tail_);
    // f32 means f32: tensor cores would round operands to TF32.
    asked.is_exact = call.x.dtype == DType::f32;
    asked.describe = [&](fe::graph::Graph& graph) { return describe(call, tail_, graph); };
    // As in a run: x and the filter, then what else there is, in the call's order.
    asked.operand_bytes = {checked_bytes(call.x.dtype, call.x.shape), filter_bytes(call)};
    if (tail_.bias >= 0)
      asked.operand_bytes.push_back(size_of(call.y.dtype) * static_cast<std::size_t>(call.w.shape[0]));
    if (tail_.has_addend) asked.operand_bytes.push_back(checked_bytes(call.y.dtype, call.y.shape));
    asked.operand_bytes.push_back(checked_bytes(call.y.dtype, call.y.shape));
    asked.run = [&](fe::graph::Graph& graph, std::int64_t number, std::span<char* const> areas, void* scratch,
                    StreamHandle stream) -> Status {
      JITNEY_TRY(auto handle, cudnn_handle(reinterpret_cast<CUstream>(stream)));  // NOLINT
      const std::vector<void*> pointers(areas.begin(), areas.end());
      auto pack = pack_of(pointers, pointers[1]);
      return check(graph.execute_plan_at_index(handle, pack, scratch, number), "cuDNN's convolution");
    };
    JITNEY_TRY(graph_, choose_plan(asked, tuning));
    workspace_ = static_cast<std::size_t>(graph_->get_workspace_size());
    return {};
  }

  std::size_t scratch_bytes() const override { return workspace_; }
  std::string implementation() const override { return name_; }

  Status run(std::span<void* const> pointers, const void* filter, void* scratch, CUstream stream) const override {
    JITNEY_TRY(auto handle, cudnn_handle(stream));
    auto pack = pack_of(pointers, filter);
    return check(graph_->execute(handle, pack, scratch), "cuDNN's convolution");
  }

 private:
  std::unordered_map<std::int64_t, void*> pack_of(std::span<void* const> pointers, const void* filter) const {
    std::unordered_map<std::int64_t, void*> pack{
        {kX, pointers[0]}, {kFilter, const_cast<void*>(filter)}, {kY, pointers[static_cast<std::size_t>(tail_.y)]}};
    if (tail_.bias >= 0) pack[kBias] = pointers[static_cast<std::size_t>(tail_.bias)];
    if (tail_.has_addend) pack[kAddend] = pointers[static_cast<std::size_t>(tail_.addend)];
    return pack;
  }

  std::unique_ptr<fe::graph::Graph> graph_;  // execute() is thread-safe and not const
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

Expected<std::shared_ptr<const CudnnConvolution>> plan_convolution(const ConvolutionCall& call, const Tuning& tuning) {
  const auto tail = tail_of(call);
  if (!tail) return internal_error("a convolution with an epilogue that cuDNN does not have");
  JITNEY_CHECK(open_cudnn());
  auto made = std::make_shared<Convolution>(*tail, fmt::format("cudnn:{}x{}", call.w.shape[2], call.w.shape[3]));
  JITNEY_CHECK(made->plan(call, tuning));
  return std::shared_ptr<const CudnnConvolution>(std::move(made));
}

std::size_t filter_bytes(const ConvolutionCall& call) { return checked_bytes(call.w.dtype, call.w.shape); }

namespace {

/// The elements in the order of the axes given; the last one is the innermost.
template <class T>
void gather(const T* from, T* to, const std::vector<std::int64_t>& extents, const std::vector<std::int64_t>& strides) {
  const std::size_t inner = extents.size() - 1;
  std::vector<std::int64_t> index(extents.size(), 0);
  std::int64_t rows = 1;
  for (std::size_t d = 0; d < inner; ++d) rows *= extents[d];
  for (std::int64_t row = 0; row < rows; ++row, to += extents[inner]) {
    std::int64_t at = 0;
    for (std::size_t d = 0; d < inner; ++d) at += index[d] * strides[d];
    for (std::int64_t i = 0; i < extents[inner]; ++i) to[i] = from[at + i * strides[inner]];
    for (std::size_t d = inner; d-- > 0;) {
      if (++index[d] < extents[d]) break;
      index[d] = 0;
    }
  }
}

}  // namespace

void pack_filter(const ConvolutionCall& call, const void* from, void* to) {
  const std::size_t rank = call.w.shape.size();
  // The new order: o, k..., c.
  std::vector<std::size_t> axes{0};
  for (std::size_t d = 2; d < rank; ++d) axes.push_back(d);
  axes.push_back(1);
  std::vector<std::int64_t> extents, strides;
  for (const std::size_t axis : axes) {
    if (call.w.shape[axis] == 1 && axis != axes.back()) continue;
    extents.push_back(call.w.shape[axis]);
    strides.push_back(call.w.strides[axis]);
  }
  switch (size_of(call.w.dtype)) {
    case 2: return gather(static_cast<const std::uint16_t*>(from), static_cast<std::uint16_t*>(to), extents, strides);
    case 4: return gather(static_cast<const std::uint32_t*>(from), static_cast<std::uint32_t*>(to), extents, strides);
    default: return gather(static_cast<const std::uint64_t*>(from), static_cast<std::uint64_t*>(to), extents, strides);
  }
}

}  // namespace jitney::backend::cuda
