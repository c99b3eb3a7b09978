// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <unordered_map>

#include "engine/codec.h"
#include "engine/file_format.h"
#include "util/file_bytes.h"

namespace jitney::engine {
namespace {

class Decoder {
 public:
  Decoder(std::size_t graph_bytes, const Weights& weights) : graph_bytes_(graph_bytes), weights_(weights) {}

  Expected<ir::Graph> graph(const proto::Graph& from, int depth) {
    if (depth > kMaxGraphDepth) return damaged("its graphs are nested more than {} deep", kMaxGraphDepth);
    const auto values = static_cast<std::size_t>(from.values_size()),
               nodes = static_cast<std::size_t>(from.nodes_size());
    if (values > graph_bytes_ / kMinValueBytes || nodes > graph_bytes_ / kMinNodeBytes) {
      return damaged("it claims {} values and {} nodes in {} bytes", values, nodes, graph_bytes_);
    }
    ir::Graph to;
    to.name = from.name();
    to.values.reserve(values);
    for (const proto::Value& v : from.values()) {
      JITNEY_TRY(to.values.emplace_back(), value(v));
    }
    to.nodes.reserve(nodes);
    for (const proto::Node& n : from.nodes()) {
      JITNEY_TRY(to.nodes.emplace_back(), node(n, values, depth));
    }
    JITNEY_TRY(to.inputs, ids(from.inputs(), 0, values, "the inputs"));
    JITNEY_TRY(to.outputs, ids(from.outputs(), 0, values, "the outputs"));
    to.output_names.assign(from.output_names().begin(), from.output_names().end());
    if (!to.output_names.empty() && to.output_names.size() != to.outputs.size())
      return damaged("it names {} of {} outputs", to.output_names.size(), to.outputs.size());
    for (const proto::Guard& g : from.guards()) {
      JITNEY_TRY(to.guards.emplace_back(), guard(g));
    }
    for (const proto::Symbol& s : from.symbols()) {
      if (s.min() < 0 || s.max() < s.min()) {
        return damaged("symbol '{}' has the range [{}, {}]", shown(s.name()), s.min(), s.max());
      }
      JITNEY_TRY(const ir::Dim symbol, dim(s.name()));
      if (symbol.symbol_name() != s.name()) return damaged("'{}' is no name of a symbol", shown(s.name()));
      if (!to.symbols.emplace(s.name(), ir::SymbolInfo{s.min(), s.max()}).second) {
        return damaged("symbol '{}' is there twice", shown(s.name()));
      }
    }
    for (const proto::Metadata& m : from.metadata()) {
      if (!to.metadata.emplace(m.key(), m.text()).second)
        return damaged("metadata '{}' is there twice", shown(m.key()));
    }
    return to;
  }

 private:
  template <class... A>
  static tl::unexpected<Failure> damaged(fmt::format_string<A...> f, A&&... a) {
    return user_error("the engine file is damaged: {}", fmt::format(f, std::forward<A>(a)...));
  }

  /// The same few texts come again and again, and reading one costs more than looking it up.
  Expected<ir::Dim> dim(const std::string& text) {
    if (const auto found = dims_.find(text); found != dims_.end()) return found->second;
    distinct_text_ += text.size();
    if (text.size() > kMaxDimText || distinct_text_ > kMaxDistinctDimText) {
      return damaged("its extents' expressions are longer than the {} characters allowed for one, or {} for all",
                     kMaxDimText, kMaxDistinctDimText);
    }
    auto parsed = ir::Dim::parse(text);
    if (!parsed) return damaged("{}", shown(parsed.error().message, 300));
    return dims_.emplace(text, *parsed).first->second;
  }

  template <class Texts>
  Expected<std::vector<ir::Dim>> dims(const Texts& texts) {
    std::vector<ir::Dim> out;
    out.reserve(static_cast<std::size_t>(texts.size()));
    for (const std::string& text : texts) {
      JITNEY_TRY(out.emplace_back(), dim(text));
    }
    return out;
  }

  template <class Ids>
  static Expected<std::vector<ir::ValueId>> ids(const Ids& from, ir::ValueId lowest, std::size_t values,
                                                const std::string& what) {
    for (const ir::ValueId id : from) {
      if (id < lowest || (id >= 0 && static_cast<std::size_t>(id) >= values)) {
        return damaged("{} name value {}, and there are {}", what, id, values);
      }
    }
    return std::vector<ir::ValueId>(from.begin(), from.end());
  }

  Expected<ir::Value> value(const proto::Value& from) {
    ir::Value to;
    to.name = from.name();
    if (from.dtype() >= static_cast<std::uint32_t>(kDTypeCount)) {
      return damaged("value '{}' has dtype number {}, which is unknown", shown(to.name), from.dtype());
    }
    to.dtype = static_cast<DType>(from.dtype());
    JITNEY_TRY(to.shape, dims(from.shape()));
    for (const ir::Dim& d : to.shape) {
      if (d.constant().value_or(0) < 0) return damaged("value '{}' has the extent {}", shown(to.name), *d.constant());
    }
    if (from.has_constant()) {
      JITNEY_TRY(to.constant, constant(from.constant(), to));
    }
    return to;
  }

  Expected<std::shared_ptr<const Tensor>> constant(const proto::Constant& from, const ir::Value& v) {
    std::vector<std::int64_t> shape;
    for (const ir::Dim& d : v.shape) {
      if (!d.is_constant()) return damaged("constant '{}' has the extent '{}'", shown(v.name), shown(d.to_string()));
      shape.push_back(*d.constant());
    }
    std::uint64_t bytes = size_of(v.dtype);
    if (std::find(shape.begin(), shape.end(), 0) != shape.end()) bytes = 0;
    for (const std::int64_t extent : shape) {
      if (bytes != 0 && __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(extent), &bytes)) {
        return damaged("constant '{}' has more bytes than can be counted", shown(v.name));
      }
    }
    if (bytes != from.bytes()) {
      return damaged("constant '{}' has {} bytes, and {} by its shape", shown(v.name), from.bytes(), bytes);
    }
    if (from.offset() % kTensorAlignment != 0 || from.offset() > weights_.bytes.size() ||
        bytes > weights_.bytes.size() - from.offset()) {
      return damaged("constant '{}' claims {} bytes at {} of the {} bytes of weights", shown(v.name), bytes,
                     from.offset(), weights_.bytes.size());
    }
    const auto content = weights_.bytes.subspan(from.offset(), bytes);
    if (v.dtype == DType::boolean &&
        std::any_of(content.begin(), content.end(), [](std::byte b) { return b > std::byte{1}; })) {
      return damaged("constant '{}' is boolean and has elements other than 0 and 1", shown(v.name));
    }
    if (bytes == 0) return std::make_shared<const Tensor>(v.dtype, std::move(shape));
    if (weights_.is_mapped && bytes >= kReloadableBytes)
      return std::make_shared<const Tensor>(
          tensor_in_mapping(v.dtype, std::move(shape), weights_.owner, content.data()));
    // Tensor has no read-only form; as the graph holds constants by pointer to const, nobody writes to them.
    std::shared_ptr<void> shared(std::const_pointer_cast<void>(weights_.owner), const_cast<std::byte*>(content.data()));
    return std::make_shared<const Tensor>(v.dtype, std::move(shape), std::move(shared));
  }

  Expected<ir::Node> node(const proto::Node& from, std::size_t values, int depth) {
    const auto op = ir::op_from_string(from.op());
    if (!op) {
      return user_error(
          "the engine file uses the operator '{}', which this Jitney does not know; use a newer Jitney or build the "
          "engine again",
          shown(from.op()));
    }
    ir::Node to;
    to.op = *op;
    to.name = from.name();
    JITNEY_TRY(to.inputs, ids(from.inputs(), ir::kNoValue, values, "the inputs of node '" + shown(to.name) + "'"));
    JITNEY_TRY(to.outputs, ids(from.outputs(), 0, values, "the outputs of node '" + shown(to.name) + "'"));
    for (const proto::Attribute& a : from.attributes()) {
      JITNEY_TRY(ir::Attribute made, attribute(a, depth));
      if (!to.attributes.emplace(a.name(), std::move(made)).second) {
        return damaged("node '{}' has attribute '{}' twice", shown(to.name), shown(a.name()));
      }
    }
    return to;
  }

  Expected<ir::Attribute> attribute(const proto::Attribute& from, int depth) {
    switch (from.value_case()) {
      case proto::Attribute::kInteger: return from.integer();
      case proto::Attribute::kReal: return from.real();
      case proto::Attribute::kText: return from.text();
      case proto::Attribute::kIntegers: {
        const auto& values = from.integers().values();
        return std::vector<std::int64_t>(values.begin(), values.end());
      }
      case proto::Attribute::kDims: return dims(from.dims().values());
      case proto::Attribute::kGraph: {
        JITNEY_TRY(ir::Graph body, graph(from.graph(), depth + 1));
        return std::make_shared<const ir::Graph>(std::move(body));
      }
      case proto::Attribute::VALUE_NOT_SET: break;
    }
    return damaged("attribute '{}' has no value of a known kind", shown(from.name()));
  }

  Expected<ir::Guard> guard(const proto::Guard& from) {
    if (from.relation() > static_cast<std::uint32_t>(ir::Guard::Relation::divides)) {
      return damaged("a guard has relation number {}, which is unknown", from.relation());
    }
    ir::Guard to;
    to.relation = static_cast<ir::Guard::Relation>(from.relation());
    JITNEY_TRY(to.a, dim(from.a()));
    JITNEY_TRY(to.b, dim(from.b()));
    to.reason = from.reason();
    return to;
  }

  std::size_t graph_bytes_;
  const Weights& weights_;
  std::unordered_map<std::string, ir::Dim> dims_;
  std::size_t distinct_text_ = 0;
};

}  // namespace

std::string shown(const std::string& text, std::size_t limit) {
  std::string out = text.substr(0, limit);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return out;
}

Expected<ir::Graph> decode(const proto::Graph& graph, std::size_t graph_bytes, const Weights& weights) {
  return Decoder(graph_bytes, weights).graph(graph, 1);
}

}  // namespace jitney::engine
