// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cli/kernel_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

namespace jitney::cli {
namespace {

using Json = nlohmann::ordered_json;
using runtime::KernelReport;

std::optional<std::int64_t> value_of(const ir::Dim& d, const Extents& extents) {
  auto value = d.evaluate(extents.values);
  return value ? std::optional(*value) : std::nullopt;
}

/// "3072*n = 24576": the number only where the expression is none already.
std::string bytes(const ir::Dim& d, const Extents& extents) {
  const auto value = d.is_constant() ? std::nullopt : value_of(d, extents);
  return value ? fmt::format("{} = {}", d.to_string(), *value) : d.to_string();
}

std::optional<double> ratio(const passes::FusionSummary& fusion, const Extents& extents) {
  const auto before = value_of(fusion.unfused.total(), extents), after = value_of(fusion.fused.total(), extents);
  if (!before || !after || *before == 0) return std::nullopt;
  return static_cast<double>(*after) / static_cast<double>(*before);
}

std::string to_text(const KernelReport::Step& step, const Extents& extents) {
  std::string s = fmt::format("-- step {}: '{}', {}\n   operators  ", step.number, step.name, step.done_by);
  for (std::size_t i = 0; i < step.operators.size(); ++i) s += (i ? ", " : "") + step.operators[i];
  s += "\n";
  if (!step.axes.empty()) {
    s += "   axes       ";
    for (std::size_t i = 0; i < step.axes.size(); ++i) {
      const auto& axis = step.axes[i];
      s += fmt::format("{}{} < {}{}{}", i ? ", " : "", axis.name, axis.extent.to_string(),
                       axis.reduction ? " reduced" : "", axis.vector ? " (vector)" : "");
    }
    s += fmt::format("\n   schedule   {}\n", step.schedule);
  }
  for (const auto& operand : step.operands)
    s += fmt::format("   {:<9}  {} '{}': {}\n", operand.output ? "writes" : "reads", to_string(operand.dtype),
                     operand.name, operand.moves);
  s += fmt::format("   bytes      read {}; written {}\n", bytes(step.bytes.read, extents),
                   bytes(step.bytes.written, extents));
  return step.source.empty() ? s : s + step.source;
}

Json json(const ir::Dim& d, const Extents& extents) {
  const auto value = value_of(d, extents);
  return {{"expression", d.to_string()}, {"value", value ? Json(*value) : Json(nullptr)}};
}

Json json(const passes::Traffic& t, const Extents& extents) {
  return {{"read", json(t.read, extents)}, {"written", json(t.written, extents)}};
}

Json json(const KernelReport::Step& step, const Extents& extents) {
  Json axes = Json::array(), operands = Json::array();
  for (const auto& axis : step.axes)
    axes.push_back({{"name", axis.name},
                    {"extent", axis.extent.to_string()},
                    {"reduction", axis.reduction},
                    {"vector", axis.vector}});
  for (const auto& operand : step.operands)
    operands.push_back({{"name", operand.name},
                        {"dtype", std::string(to_string(operand.dtype))},
                        {"output", operand.output},
                        {"moves", operand.moves}});
  Json object = {{"step", step.number},
                 {"name", step.name},
                 {"done_by", step.done_by},
                 {"operators", step.operators},
                 {"axes", axes},
                 {"schedule", step.schedule.empty() ? Json(nullptr) : Json(step.schedule)},
                 {"operands", operands},
                 {"bytes", json(step.bytes, extents)}};
  if (!step.source.empty()) object["source"] = step.source;
  return object;
}

}  // namespace

std::string to_text(const KernelReport& report, const Extents& extents) {
  std::string s = fmt::format("== kernels: {} steps, {} distinct, for {} ==\n", report.steps.size(),
                              report.distinct_kernels, report.target);
  for (const auto& step : report.steps) s += to_text(step, extents);
  const auto& fusion = report.fusion;
  s += fmt::format("== fusion: {} operators in {} steps ==\n", fusion.operators, fusion.steps);
  const std::pair<const char*, const passes::Traffic&> rows[] = {{"each operator by itself", fusion.unfused},
                                                                 {"fused", fusion.fused}};
  for (const auto& [name, t] : rows) {
    const auto total = value_of(t.total(), extents);
    s += fmt::format("{:<23} {:>15} bytes: reads {}; writes {}\n", name, total ? std::to_string(*total) : "?",
                     bytes(t.read, extents), bytes(t.written, extents));
  }
  if (auto r = ratio(fusion, extents)) s += fmt::format("{:<23} {:>15.3f}", "ratio", *r);
  if (!extents.assumed.empty()) {
    std::string assumed;
    for (const auto& [symbol, value] : extents.assumed)
      assumed += fmt::format("{}{} = {}", assumed.empty() ? "" : ", ", symbol, value);
    s += fmt::format(" with {}; --shape gives others", assumed);
  }
  return s + "\n";
}

std::string to_json(const KernelReport& report, const Extents& extents) {
  Json steps = Json::array();
  for (const auto& step : report.steps) steps.push_back(json(step, extents));
  const auto& fusion = report.fusion;
  const auto r = ratio(fusion, extents);
  const Json object = {{"target", report.target},
                       {"distinct_kernels", report.distinct_kernels},
                       {"steps", steps},
                       {"fusion",
                        {{"operators", fusion.operators},
                         {"steps", fusion.steps},
                         {"unfused_bytes", json(fusion.unfused, extents)},
                         {"fused_bytes", json(fusion.fused, extents)},
                         {"ratio", r ? Json(*r) : Json(nullptr)}}},
                       {"extents", extents.values},
                       {"assumed_extents", extents.assumed}};
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace jitney::cli
