// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <google/protobuf/io/coded_stream.h>

#include <cstring>

#include "engine/bounds.h"
#include "engine/codec.h"
#include "engine/engine_impl.h"
#include "engine/file_format.h"
#include "engine/profiles.h"

namespace jitney::engine {
namespace {

/// Graph, Node and Attribute for each level, and a leaf.
constexpr int kMaxMessageDepth = 3 * kMaxGraphDepth + 4;

Expected<proto::Graph> parse(std::span<const std::byte> bytes) {
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                                static_cast<int>(bytes.size()));
  stream.SetRecursionLimit(kMaxMessageDepth);
  proto::Graph message;
  if (!message.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage()) {
    return user_error("the engine file is damaged: its graph cannot be read");
  }
  return message;
}

/// Files are mapped and vectors are not: what is not aligned for tensors is copied once.
Weights aligned(std::span<const std::byte> bytes, std::shared_ptr<const void> owner, bool is_mapped) {
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % kTensorAlignment == 0)
    return {bytes, std::move(owner), is_mapped};
  auto copy = std::make_shared<Tensor>(DType::u8, std::vector<std::int64_t>{static_cast<std::int64_t>(bytes.size())});
  if (!bytes.empty()) std::memcpy(copy->data(), bytes.data(), bytes.size());
  const std::span held(static_cast<const std::byte*>(copy->data()), bytes.size());
  return {held, std::move(copy)};
}

}  // namespace

Expected<std::vector<std::byte>> serialize(const ir::Graph& graph, const std::vector<OptimizationProfile>& profiles,
                                           std::span<const std::byte> kernels) {
  // A file that no reader would accept must not be written.
  JITNEY_CHECK(ir::verify(graph, ir::Stage::optimized));
  JITNEY_TRY(const Encoded encoded, encode(graph));
  const std::size_t graph_size = encoded.graph.ByteSizeLong();
  if (graph_size > kMaxGraphBytes) {
    return user_error("graph '{}' takes {} bytes without weights; at most {} can be saved", graph.name, graph_size,
                      kMaxGraphBytes);
  }
  if (kernels.size() > kMaxKernelsBytes) {
    return user_error("the kernels of '{}' take {} bytes; at most {} can be saved", graph.name, kernels.size(),
                      kMaxKernelsBytes);
  }
  const std::string ranges = profiles.empty() ? "" : encode_profiles(profiles);
  std::vector<SectionToWrite> sections = {
      {.id = kGraphSection, .size = graph_size},
      {.id = kWeightsSection, .size = encoded.weights_size, .align = kWeightsAlignment},
  };
  if (!profiles.empty()) sections.push_back({.id = kProfilesSection, .flags = 0, .size = ranges.size()});
  if (!kernels.empty()) sections.push_back({.id = kKernelsSection, .flags = 0, .size = kernels.size()});
  Layout layout = lay_out(sections);
  if (!encoded.graph.SerializeToArray(layout.file.data() + layout.offsets[0], static_cast<int>(graph_size))) {
    return internal_error("graph '{}' cannot be written as a message", graph.name);
  }
  for (const auto& [offset, bytes] : encoded.weights) {
    std::memcpy(layout.file.data() + layout.offsets[1] + offset, bytes.data(), bytes.size());
  }
  if (!profiles.empty()) std::memcpy(layout.file.data() + layout.offsets[2], ranges.data(), ranges.size());
  if (!kernels.empty())
    std::memcpy(layout.file.data() + layout.offsets[sections.size() - 1], kernels.data(), kernels.size());
  seal(layout.file);
  return std::move(layout.file);
}

Expected<ir::Graph> deserialize(std::span<const std::byte> bytes, std::shared_ptr<const void> owner, bool is_mapped,
                                std::vector<OptimizationProfile>* profiles, std::span<const std::byte>* kernels) {
  JITNEY_TRY(const Sections sections, read_sections(bytes));
  JITNEY_TRY(const proto::Graph message, parse(sections.graph));
  const Weights weights = aligned(sections.weights, std::move(owner), is_mapped);
  JITNEY_TRY(ir::Graph graph, decode(message, sections.graph.size(), weights));
  Status valid = ir::verify(graph, ir::Stage::optimized);
  if (valid) valid = require_bounds(graph);
  if (!valid) return user_error("the engine file holds no valid graph: {}", shown(valid.error().message, 500));
  JITNEY_TRY(Profiles ranges, decode_profiles(sections.profiles));
  auto checked = check_profiles(graph, std::move(ranges));
  if (!checked) return user_error("the engine file holds no valid profiles: {}", shown(checked.error().message, 500));
  if (profiles != nullptr) *profiles = std::move(*checked);
  if (kernels != nullptr) *kernels = sections.kernels;
  return graph;
}

}  // namespace jitney::engine
