// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ir/graph.h"
#include "ir/hosted.h"

namespace jitney::ir {
namespace {

using Extents = std::vector<std::int64_t>;

class Binder {
 public:
  Binder(const Graph& graph, const std::vector<Extents>& shapes) : graph_(graph), shapes_(shapes) {}

  Expected<SymbolValues> run() {
    if (shapes_.size() != graph_.inputs.size()) {
      return user_error("model '{}' has {} inputs, and {} were given", graph_.name, graph_.inputs.size(),
                        shapes_.size());
    }
    for (std::size_t i = 0; i < shapes_.size(); ++i) JITNEY_CHECK(bind_plain_symbols(i));
    for (std::size_t i = 0; i < shapes_.size(); ++i) JITNEY_CHECK(check_extents(i));
    for (const Guard& guard : graph_.guards) JITNEY_CHECK(check(guard));
    return std::move(symbols_);
  }

 private:
  const Value& input(std::size_t i) const { return graph_.value(graph_.inputs[i]); }

  /// "input 'x' has shape [4, 5]"
  std::string found(std::size_t i) const {
    return fmt::format("input '{}' has shape [{}]", input(i).name, fmt::join(shapes_[i], ", "));
  }

  Status bind_plain_symbols(std::size_t i) {
    const Shape& expected = input(i).shape;
    if (shapes_[i].size() != expected.size()) {
      return user_error("{}, which has rank {}; rank {} is expected: {}", found(i), shapes_[i].size(), expected.size(),
                        to_string(expected));
    }
    for (std::size_t axis = 0; axis < expected.size(); ++axis) {
      const std::int64_t extent = shapes_[i][axis];
      if (extent < 0) return user_error("{}; the extent along axis {} must be 0 or more", found(i), axis);
      const auto symbol = expected[axis].symbol_name();
      if (!symbol) continue;
      const auto [at, is_new] = symbols_.emplace(*symbol, extent);
      if (is_new) {
        origin_[*symbol] = fmt::format("input '{}', axis {}", input(i).name, axis);
        JITNEY_CHECK(check_range(i, axis, *symbol));
      } else if (at->second != extent) {
        return user_error("{}; the extent along axis {} must be '{}' = {} (from {})", found(i), axis, *symbol,
                          at->second, origin_[*symbol]);
      }
    }
    return {};
  }

  Status check_range(std::size_t i, std::size_t axis, const std::string& symbol) {
    const auto range = graph_.symbols.find(symbol);
    if (range == graph_.symbols.end()) return {};
    const std::int64_t extent = symbols_.at(symbol);
    if (extent < range->second.min || extent > range->second.max) {
      const std::string most = range->second.max == INT64_MAX ? "any size" : std::to_string(range->second.max);
      return user_error("{}; the extent along axis {} ('{}') may be {} to {}", found(i), axis, symbol,
                        range->second.min, most);
    }
    return {};
  }

  Status check_extents(std::size_t i) {
    const Shape& expected = input(i).shape;
    for (std::size_t axis = 0; axis < expected.size(); ++axis) {
      const auto value = expected[axis].evaluate(symbols_);
      if (!value) {
        return user_error("the extent of input '{}' along axis {} cannot be checked: {}", input(i).name, axis,
                          value.error().message);
      }
      if (*value != shapes_[i][axis]) {
        const std::string meaning = expected[axis].is_constant() ? "" : expected[axis].to_string() + " = ";
        return user_error("{}; the extent along axis {} must be {}{}", found(i), axis, meaning, *value);
      }
    }
    return {};
  }

  /// Data-dependent symbols have no value yet; what needs them cannot be checked here.
  Status check(const Guard& guard) const {
    if (!is_decidable(guard, symbols_)) return {};
    return check_guard(guard, symbols_).map_error([&](Failure f) {
      std::vector<std::string> given;
      for (std::size_t i = 0; i < shapes_.size(); ++i)
        given.push_back(fmt::format("'{}' [{}]", input(i).name, fmt::join(shapes_[i], ", ")));
      f.message += fmt::format(" (inputs: {})", fmt::join(given, ", "));
      return f;
    });
  }

  const Graph& graph_;
  const std::vector<Extents>& shapes_;
  SymbolValues symbols_;
  std::map<std::string, std::string> origin_;  // where a symbol got its value
};

}  // namespace

Expected<SymbolValues> bind_symbols(const Graph& graph, const std::vector<Extents>& input_shapes) {
  return Binder(graph, input_shapes).run();
}

}  // namespace jitney::ir
