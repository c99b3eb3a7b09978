// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/cudnn_attention.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <unordered_map>

#include "backend/cuda/cudnn_choice.h"

namespace jitney::backend::cuda {
namespace {

namespace fe = cudnn_frontend;

enum Uid : std::int64_t { kQ = 1, kK, kV, kMask, kY };

/// cuDNN wants [batch, heads, rows, columns]: an axis of 1 is added in front where there are three.
TensorDesc of_rank_4(TensorDesc t) {
  while (t.shape.size() < 4) {
    t.strides.insert(t.strides.begin(), t.shape.empty() ? 1 : t.shape[0] * t.strides[0]);
    t.shape.insert(t.shape.begin(), 1);
  }
  return t;
}

/// From the first element to the last.
std::size_t bytes_of(const TensorDesc& t) {
  std::int64_t last = 0;
  for (std::size_t d = 0; d < t.shape.size(); ++d) last += std::max<std::int64_t>(t.shape[d] - 1, 0) * t.strides[d];
  return static_cast<std::size_t>(last + 1) * size_of(t.dtype);
}

class Attention final : public CudnnAttention {
 public:
  explicit Attention(const AttentionCall& call) : has_mask_(call.has_mask()) {}

  Status plan(const AttentionCall& call, const Tuning& tuning) {
    CudnnCall asked;
    const auto text = [](const TensorDesc& t) {
      return fmt::format("[{}] by [{}]", fmt::join(t.shape, ","), fmt::join(t.strides, ","));
    };
    asked.text = fmt::format("attention {} q {} k {} v {} mask {} y {} scale {}", to_string(call.q.dtype), text(call.q),
                             text(call.k), text(call.v), text(call.mask), text(call.y), call.scale);
    asked.describe = [&](fe::graph::Graph& graph) { return describe(call, graph); };
    for (const TensorDesc* t : {&call.q, &call.k, &call.v, &call.mask, &call.y})
      if (t != &call.mask || has_mask_) asked.operand_bytes.push_back(bytes_of(*t));
    asked.run = [&](fe::graph::Graph& graph, std::int64_t number, std::span<char* const> areas, void* scratch,
                    StreamHandle stream) -> Status {
      JITNEY_TRY(auto handle, cudnn_handle(reinterpret_cast<CUstream>(stream)));  // NOLINT
      auto pack = pack_of(std::vector<void*>(areas.begin(), areas.end()));
      return check(graph.execute_plan_at_index(handle, pack, scratch, number), "cuDNN's attention");
    };
    JITNEY_TRY(graph_, choose_plan(asked, tuning));
    workspace_ = static_cast<std::size_t>(graph_->get_workspace_size());
    return {};
  }

  std::size_t scratch_bytes() const override { return workspace_; }
  std::string implementation() const override { return "cudnn:attention"; }

  Status run(std::span<void* const> pointers, void* scratch, CUstream stream) const override {
    JITNEY_TRY(auto handle, cudnn_handle(stream));
    auto pack = pack_of(pointers);
    return check(graph_->execute(handle, pack, scratch), "cuDNN's attention");
  }

 private:
  Status describe(const AttentionCall& call, fe::graph::Graph& graph) const {
    const auto type = call.q.dtype == DType::f16 ? fe::DataType_t::HALF : fe::DataType_t::BFLOAT16;
    graph.set_io_data_type(type)
        .set_intermediate_data_type(fe::DataType_t::FLOAT)
        .set_compute_data_type(fe::DataType_t::FLOAT);
    auto tensor = [&](Uid uid, const TensorDesc& desc) {
      const TensorDesc t = of_rank_4(desc);
      return graph.tensor(
          fe::graph::Tensor_attributes().set_uid(uid).set_dim(t.shape).set_stride(t.strides).set_data_type(type));
    };
    auto options = fe::graph::SDPA_attributes().set_generate_stats(false).set_attn_scale(call.scale);
    options.set_name("attention");
    if (has_mask_) options.set_bias(tensor(kMask, call.mask));
    auto [y, stats] = graph.sdpa(tensor(kQ, call.q), tensor(kK, call.k), tensor(kV, call.v), options);
    const TensorDesc out = of_rank_4(call.y);
    y->set_output(true).set_uid(kY).set_dim(out.shape).set_stride(out.strides).set_data_type(type);
    return {};
  }

  std::unordered_map<std::int64_t, void*> pack_of(std::span<void* const> pointers) const {
    std::unordered_map<std::int64_t, void*> pack{{kQ, pointers[0]}, {kK, pointers[1]}, {kV, pointers[2]}};
    if (has_mask_) pack[kMask] = pointers[3];
    pack[kY] = pointers[has_mask_ ? 4 : 3];
    return pack;
  }

  std::unique_ptr<fe::graph::Graph> graph_;  // execute() is thread-safe and not const
  const bool has_mask_;
  std::size_t workspace_ = 0;
};

}  // namespace

bool is_for_cudnn(const AttentionCall& call) {
  const DType t = call.q.dtype;
  if ((t != DType::f16 && t != DType::bf16) || call.k.dtype != t || call.v.dtype != t || call.y.dtype != t)
    return false;
  if (call.has_mask() && (call.mask.dtype != t || call.mask.shape.size() != call.q.shape.size())) return false;
  const std::size_t rank = call.q.shape.size();
  if (rank != 3 && rank != 4) return false;
  // Heads lie dense; a stride of -1 is not known.
  for (const TensorDesc* d : {&call.q, &call.k, &call.v})
    if (d->strides.size() != rank || d->strides[rank - 1] > 1 || d->strides[rank - 1] == 0) return false;
  const auto fits = [](std::int64_t length) { return length > 0 && length <= 128 && length % 8 == 0; };
  return fits(call.q.shape[rank - 1]) && fits(call.v.shape[rank - 1]);
}

Expected<std::shared_ptr<const CudnnAttention>> plan_attention(const AttentionCall& call, const Tuning& tuning) {
  JITNEY_CHECK(open_cudnn());
  auto made = std::make_shared<Attention>(call);
  JITNEY_CHECK(made->plan(call, tuning));
  return std::shared_ptr<const CudnnAttention>(std::move(made));
}

}  // namespace jitney::backend::cuda
