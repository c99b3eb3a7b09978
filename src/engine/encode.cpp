// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <map>
#include <set>

#include "engine/codec.h"
#include "engine/file_format.h"
#include "util/hash.h"
#include "util/reloadable.h"

namespace jitney::engine {
namespace {

class Encoder {
 public:
  Status graph(const ir::Graph& from, proto::Graph& to, int depth) {
    if (depth > kMaxGraphDepth) return user_error("graph '{}' is nested more than {} deep", from.name, kMaxGraphDepth);
    to.set_name(from.name);
    for (const ir::Value& v : from.values) JITNEY_CHECK(value(v, *to.add_values()));
    for (const ir::Node& n : from.nodes) JITNEY_CHECK(node(n, *to.add_nodes(), depth));
    to.mutable_inputs()->Add(from.inputs.begin(), from.inputs.end());
    to.mutable_outputs()->Add(from.outputs.begin(), from.outputs.end());
    for (const std::string& name : from.output_names) to.add_output_names(name);
    for (const ir::Guard& g : from.guards) {
      proto::Guard& guard = *to.add_guards();
      guard.set_relation(static_cast<std::uint32_t>(g.relation));
      JITNEY_TRY(*guard.mutable_a(), dim(g.a));
      JITNEY_TRY(*guard.mutable_b(), dim(g.b));
      guard.set_reason(g.reason);
    }
    for (const auto& [name, range] : from.symbols) {
      proto::Symbol& symbol = *to.add_symbols();
      symbol.set_name(name);
      symbol.set_min(range.min);
      symbol.set_max(range.max);
    }
    for (const auto& [key, text] : from.metadata) {
      proto::Metadata& metadata = *to.add_metadata();
      metadata.set_key(key);
      metadata.set_text(text);
    }
    return {};
  }

  Encoded out;

 private:
  Expected<std::string> dim(const ir::Dim& d) {
    std::string text = d.to_string();
    if (text.size() > kMaxDimText) {
      return user_error("an extent's expression takes {} characters; at most {} can be saved", text.size(),
                        kMaxDimText);
    }
    if (const auto [at, is_new] = dims_.insert(text); is_new) distinct_text_ += text.size();
    if (distinct_text_ > kMaxDistinctDimText) {
      return user_error("the extents' expressions take more than the {} characters that can be saved",
                        kMaxDistinctDimText);
    }
    return text;
  }

  Status value(const ir::Value& from, proto::Value& to) {
    to.set_name(from.name);
    to.set_dtype(static_cast<std::uint32_t>(from.dtype));
    for (const ir::Dim& d : from.shape) {
      JITNEY_TRY(*to.add_shape(), dim(d));
    }
    if (from.constant == nullptr) return {};
    JITNEY_TRY(Tensor held, resident(*from.constant));
    const std::span bytes(static_cast<const std::byte*>(held.data()), held.num_bytes());
    out.held.push_back(std::move(held));
    to.mutable_constant()->set_offset(place(bytes));
    to.mutable_constant()->set_bytes(bytes.size());
    return {};
  }

  std::size_t place(std::span<const std::byte> bytes) {
    if (bytes.empty()) return 0;
    const auto [first, last] = placed_.equal_range(digest_of(bytes));
    for (auto at = first; at != last; ++at) {
      const Encoded::Weight& w = out.weights[at->second];
      if (w.bytes.size() == bytes.size() && std::memcmp(w.bytes.data(), bytes.data(), bytes.size()) == 0)
        return w.offset;
    }
    const std::size_t offset = (out.weights_size + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment;
    placed_.emplace(digest_of(bytes), out.weights.size());
    out.weights.push_back({offset, bytes});
    out.weights_size = offset + bytes.size();
    return offset;
  }

  Status node(const ir::Node& from, proto::Node& to, int depth) {
    to.set_op(std::string(ir::info(from.op).name));
    to.set_name(from.name);
    to.mutable_inputs()->Add(from.inputs.begin(), from.inputs.end());
    to.mutable_outputs()->Add(from.outputs.begin(), from.outputs.end());
    for (const auto& [name, attribute] : from.attributes) {
      proto::Attribute& a = *to.add_attributes();
      a.set_name(name);
      JITNEY_CHECK(std::visit([&](const auto& v) { return alternative(v, a, depth); }, attribute));
    }
    return {};
  }

  Status alternative(std::int64_t v, proto::Attribute& to, int) { return to.set_integer(v), Status(); }
  Status alternative(double v, proto::Attribute& to, int) { return to.set_real(v), Status(); }
  Status alternative(const std::string& v, proto::Attribute& to, int) { return to.set_text(v), Status(); }
  Status alternative(const std::vector<std::int64_t>& v, proto::Attribute& to, int) {
    to.mutable_integers()->mutable_values()->Add(v.begin(), v.end());
    return {};
  }
  Status alternative(const std::vector<ir::Dim>& v, proto::Attribute& to, int) {
    to.mutable_dims();
    for (const ir::Dim& d : v) {
      JITNEY_TRY(*to.mutable_dims()->add_values(), dim(d));
    }
    return {};
  }
  Status alternative(const std::shared_ptr<const ir::Graph>& v, proto::Attribute& to, int depth) {
    if (v == nullptr) return internal_error("attribute '{}' is a null graph", to.name());
    return graph(*v, *to.mutable_graph(), depth + 1);
  }

  std::multimap<Digest, std::size_t> placed_;
  std::set<std::string> dims_;
  std::size_t distinct_text_ = 0;
};

}  // namespace

Expected<Encoded> encode(const ir::Graph& graph) {
  Encoder encoder;
  JITNEY_CHECK(encoder.graph(graph, encoder.out.graph, 1));
  return std::move(encoder.out);
}

}  // namespace jitney::engine
