// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <jitney/metrics.h>

#include <cmath>

#include "util/json.h"

namespace jitney {
namespace {

std::string escaped(const std::string& text, bool quotes) {
  std::string result;
  for (const char c : text) {
    if (c == '\\') {
      result += "\\\\";
    } else if (c == '\n') {
      result += "\\n";
    } else if (c == '"' && quotes) {
      result += "\\\"";
    } else {
      result += c;
    }
  }
  return result;
}

/// Whole numbers without a point, others as short as they can be read back.
std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value == std::floor(value) && std::abs(value) < 9e15) return std::to_string(static_cast<std::int64_t>(value));
  return fmt::format("{}", value);
}

}  // namespace

std::string Metric::key() const {
  if (labels.empty()) return name;
  std::string text;
  for (const auto& [label, content] : labels)
    text += fmt::format("{}{}=\"{}\"", text.empty() ? "" : ",", label, escaped(content, true));
  return fmt::format("{}{{{}}}", name, text);
}

std::string to_json(const std::vector<Metric>& metrics) {
  JsonWriter w;
  w.begin_object();
  for (const auto& metric : metrics) {
    w.key(metric.key());
    if (metric.value == std::floor(metric.value) && std::abs(metric.value) < 9e15) {
      w.value(static_cast<std::int64_t>(metric.value));
    } else {
      w.value(metric.value);
    }
  }
  return w.end_object().take();
}

std::string to_prometheus(const std::vector<Metric>& metrics) {
  std::string text;
  std::vector<bool> done(metrics.size(), false);
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    if (done[i]) continue;
    const Metric& first = metrics[i];
    text += fmt::format("# HELP {} {}\n# TYPE {} {}\n", first.name, escaped(first.help, false), first.name,
                        first.type == Metric::Type::counter ? "counter" : "gauge");
    for (std::size_t j = i; j < metrics.size(); ++j) {
      if (metrics[j].name != first.name) continue;
      done[j] = true;
      text += fmt::format("{} {}\n", metrics[j].key(), number(metrics[j].value));
    }
  }
  return text;
}

}  // namespace jitney
