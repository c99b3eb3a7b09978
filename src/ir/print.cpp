// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ir/graph.h"

namespace jitney::ir {
namespace {

/// Also shows broken graphs: it is what one looks at when verify() complains.
class Printer {
 public:
  void print(const Graph& g, const std::string& indent) {
    line(indent, "graph '{}'", g.name);
    const std::string inner = indent + "  ";
    for (const auto& [key, text] : g.metadata) line(inner, "# {}: {}", key, text);
    for (const auto& [name, range] : g.symbols) {
      if (range.max == INT64_MAX) {
        line(inner, "symbol {} >= {}", name, range.min);
      } else {
        line(inner, "symbol {} in [{}, {}]", name, range.min, range.max);
      }
    }
    for (const ValueId id : g.inputs) line(inner, "input {}", definition(g, id));
    for (const Value& v : g.values) {
      if (v.constant)
        line(inner, "constant %{}: {}{}{}", v.name, to_string(v.dtype), to_string(v.shape), content(*v.constant));
    }
    for (const Node& node : g.nodes) print(g, node, inner);
    for (const Guard& guard : g.guards) {
      static constexpr const char* kRelations[] = {"==", "<=", "divides"};
      line(inner, "guard {} {} {}  # {}", guard.a.to_string(), kRelations[static_cast<int>(guard.relation)],
           guard.b.to_string(), guard.reason);
    }
    std::vector<std::string> outputs;
    for (const ValueId id : g.outputs) outputs.push_back(reference(g, id));
    line(inner, "return {}", fmt::join(outputs, ", "));
  }

  std::string text;

 private:
  template <class... A>
  void line(const std::string& indent, fmt::format_string<A...> f, A&&... a) {
    text += indent + fmt::format(f, std::forward<A>(a)...) + "\n";
  }

  static bool exists(const Graph& g, ValueId id) { return id >= 0 && static_cast<std::size_t>(id) < g.values.size(); }

  static std::string reference(const Graph& g, ValueId id) {
    if (id == kNoValue) return "none";
    if (!exists(g, id)) return fmt::format("%<missing {}>", id);
    const std::string& name = g.value(id).name;
    return name.empty() ? fmt::format("%<{}>", id) : "%" + name;
  }

  static std::string definition(const Graph& g, ValueId id) {
    if (!exists(g, id)) return reference(g, id);
    return fmt::format("{}: {}{}", reference(g, id), to_string(g.value(id).dtype), to_string(g.value(id).shape));
  }

  /// " = 3" for scalars that people look for; nothing for weights.
  static std::string content(const Tensor& t) {
    if (t.num_elements() != 1) return "";
    switch (t.dtype()) {
      case DType::f32: return fmt::format(" = {}", *t.as<float>());
      case DType::f64: return fmt::format(" = {}", *t.as<double>());
      case DType::i32: return fmt::format(" = {}", *t.as<std::int32_t>());
      case DType::i64: return fmt::format(" = {}", *t.as<std::int64_t>());
      case DType::boolean: return *t.as<std::uint8_t>() != 0 ? " = true" : " = false";
      default: return "";
    }
  }

  static std::string show(const Attribute& attribute) {
    struct Show {
      std::string operator()(std::int64_t v) const { return fmt::format("{}", v); }
      std::string operator()(double v) const { return fmt::format("{}", v); }
      std::string operator()(const std::string& v) const { return "'" + v + "'"; }
      std::string operator()(const std::vector<std::int64_t>& v) const {
        return fmt::format("[{}]", fmt::join(v, ", "));
      }
      std::string operator()(const std::vector<Dim>& v) const { return to_string(v); }
      std::string operator()(const std::shared_ptr<const Graph>& v) const { return v ? "below" : "null"; }
    };
    return std::visit(Show{}, attribute);
  }

  void print(const Graph& g, const Node& node, const std::string& indent) {
    std::vector<std::string> defined, used, attributes;
    for (const ValueId id : node.outputs) defined.push_back(definition(g, id));
    for (const ValueId id : node.inputs) used.push_back(reference(g, id));
    for (const auto& [key, value] : node.attributes) attributes.push_back(key + "=" + show(value));
    line(indent, "{} = {}({}){}{}", fmt::join(defined, ", "), info(node.op).name, fmt::join(used, ", "),
         attributes.empty() ? "" : fmt::format(" {{{}}}", fmt::join(attributes, ", ")),
         node.name.empty() ? "" : "  # " + node.name);
    for (const auto& [key, value] : node.attributes) {
      const auto* body = std::get_if<std::shared_ptr<const Graph>>(&value);
      if (body != nullptr && *body != nullptr) print(**body, indent + "  ");
    }
  }
};

}  // namespace

std::string print(const Graph& graph) {
  Printer printer;
  printer.print(graph, "");
  return std::move(printer.text);
}

}  // namespace jitney::ir
