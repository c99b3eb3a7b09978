// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/kernel_report.h"

#include <algorithm>
#include <set>

#include "kernel/schedule.h"

namespace jitney::runtime {

namespace {

using kernel::Access;
using kernel::Kernel;

/// Which expressions differ from lane to lane.
std::vector<bool> lanes_differ(const Kernel& k, std::size_t axis, bool across_lanes) {
  std::vector<bool> differ(k.exprs.size(), false);
  auto moves = [&](const kernel::Affine& a) { return !a.coefficients[axis].is(0); };
  for (std::size_t i = 0; i < k.exprs.size(); ++i) {
    const auto& e = k.exprs[i];
    differ[i] =
        moves(e.affine) || moves(e.access.element) || (e.kind == kernel::Expr::Kind::accumulator && !across_lanes);
    for (const auto* bounds : {&e.bounds, &e.access.bounds})
      for (const auto& b : *bounds) differ[i] = differ[i] || moves(b.index);
    auto use = [&](kernel::ExprId id) { differ[i] = differ[i] || differ[static_cast<std::size_t>(id)]; };
    for (auto a : e.args) use(a);
    for (const auto& ind : e.access.indirect) use(ind.index);
  }
  return differ;
}

/// Every way in which an operand is accessed, joined by "and".
std::string moves_of(const Kernel& k, const kernel::Schedule& schedule, int operand) {
  const auto axis = static_cast<std::size_t>(schedule.vector_axis);
  const auto differ = lanes_differ(k, axis, schedule.horizontal());
  std::set<std::string> ways;
  auto look = [&](const Access& a) {
    if (a.operand != operand) return;
    const auto& step = a.element.coefficients[axis];
    std::string way = step.is(0) ? "fixed" : step.is(1) ? "contiguous" : "stride " + step.to_string();
    bool gathered = false;
    for (const auto& i : a.indirect) gathered = gathered || differ[static_cast<std::size_t>(i.index)];
    if (!a.indirect.empty()) way = gathered ? "gathered" : way + " at an index";
    ways.insert(a.bounds.empty() ? way : way + " in bounds");
  };
  for (const auto& e : k.exprs)
    if (e.kind == kernel::Expr::Kind::load) look(e.access);
  for (const auto& s : k.full_stores) look(s.access);
  for (const auto& s : k.row_stores) look(s.access);
  std::string text;
  for (const auto& way : ways) text += (text.empty() ? "" : " and ") + way;
  return text.empty() ? "not accessed" : text;
}

void add_operators(const ir::Graph& body, std::vector<std::string>& to) {
  for (const auto& node : body.nodes) {
    if (info(node.op).family == ir::OpFamily::view && body.nodes.size() > 1) continue;
    // A region of views only copies its input to where it can be read in order.
    to.push_back(info(node.op).family == ir::OpFamily::view ? "copy" : std::string(info(node.op).name));
  }
}

KernelReport::Step describe(const ir::Graph& graph, const Step& step, const backend::DeviceInfo& device) {
  KernelReport::Step line;
  line.name = step.node->name;
  line.done_by = step.is_call ? "library call" : step.kernel ? fmt::format("kernel {}", step.distinct) : "interpreter";
  add_operators(step.node->graph("body"), line.operators);
  auto operand = [&](ir::ValueId id, bool output) {
    const auto& v = graph.value(id);
    std::string moves = to_string(v.shape);
    line.operands.push_back({v.name, v.dtype, output, std::move(moves)});
  };
  for (ir::ValueId in : step.node->inputs) operand(in, false);
  for (ir::ValueId out : step.node->outputs) operand(out, true);
  if (!step.kernel) return line;
  const Kernel& k = *step.kernel;
  if (k.algorithm) {
    line.schedule = kernel::describe(*k.algorithm);
    return line;
  }
  const auto schedule = kernel::make_schedule(k, device.vector_bytes);
  line.schedule = print(k, schedule);
  for (std::size_t i = 0; i < k.axes.size(); ++i)
    line.axes.push_back(
        {k.axes[i].name, k.axes[i].extent, k.axes[i].reduction, static_cast<int>(i) == schedule.vector_axis});
  for (std::size_t i = 0; i < line.operands.size(); ++i)
    line.operands[i].moves = moves_of(k, schedule, static_cast<int>(i));
  return line;
}

}  // namespace

KernelReport report_kernels(const ir::Graph& model, const Program& program, const backend::DeviceInfo& device,
                            bool source) {
  KernelReport report{.target = device.target_key,
                      .distinct_kernels = static_cast<int>(program.sources.size()),
                      .steps = {},
                      .fusion = passes::summarize_fusion(model, program.graph)};
  const passes::TrafficOf traffic(program.graph);
  std::vector<bool> shown(program.sources.size(), false);
  for (const auto& step : program.steps) {
    auto line = describe(program.graph, step, device);
    line.number = static_cast<int>(report.steps.size());
    line.bytes = traffic(*step.node);
    if (source && step.kernel && !shown[static_cast<std::size_t>(step.distinct)]) {
      shown[static_cast<std::size_t>(step.distinct)] = true;
      auto named =
          compiler::emit(*step.kernel, {.vector_bytes = device.vector_bytes, .model_names = true}, device.language);
      line.source = named.defines + "// ... the prelude (src/compiler/prelude_c.inc) ...\n" + named.code;
    }
    report.steps.push_back(std::move(line));
  }
  return report;
}

}  // namespace jitney::runtime
