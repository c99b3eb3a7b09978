// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/layer_info.h"

#include <jitney/engine.h>

#include "kernel/schedule.h"
#include "passes/traffic.h"
#include "util/json.h"

namespace jitney::runtime {
namespace {

class Writer {
 public:
  Writer(const Program& program, const Target& target, const LayerFacts& facts)
      : program_(program), target_(target), facts_(facts), traffic_(program.graph) {}

  std::string write() {
    const ir::Graph& g = program_.graph;
    w_.begin_object().key("model").value(g.name);
    w_.key("device").value(target_.info.name).key("target").value(target_.info.target_key);
    w_.key("distinct_kernels").value(static_cast<std::int64_t>(program_.sources.size()));
    w_.key("symbols");
    if (facts_.plan) {
      w_.begin_object();
      for (const auto& [symbol, extent] : facts_.plan->symbols) w_.key(symbol).value(extent);
      w_.end_object();
    } else {
      w_.null();
    }
    w_.key("specialization");
    if (facts_.plan) {
      w_.value(to_string(facts_.plan->forms.state()));
    } else {
      w_.null();
    }
    w_.key("inputs");
    values(g.inputs, false);
    w_.key("outputs");
    values(g.outputs, false);
    w_.key("layers").begin_array();
    for (std::size_t i = 0; i < program_.steps.size(); ++i) layer(i);
    return w_.end_array().end_object().take();
  }

 private:
  void layer(std::size_t i) {
    const Step& step = program_.steps[i];
    const std::string kind = kind_of(step);
    w_.begin_object().key("index").value(static_cast<std::int64_t>(i));
    w_.key("name").value(step.node->name).key("kind").value(kind);
    w_.key("operators").begin_array();
    for (const auto& node : step.node->graph("body").nodes)
      w_.begin_object().key("op").value(info(node.op).name).key("name").value(node.name).end_object();
    w_.end_array().key("implementation");
    implementation(i, step, kind);
    w_.key("kernel");
    if (step.distinct >= 0) {
      w_.value(step.distinct);
    } else {
      w_.null();
    }
    w_.key("origin");
    if (step.distinct >= 0 && facts_.kernels) {
      w_.value(to_string(facts_.kernels->origin(static_cast<std::size_t>(step.distinct))));
    } else {
      w_.null();
    }
    w_.key("inputs");
    values(step.node->inputs, true);
    w_.key("outputs");
    values(step.node->outputs, true);
    const auto bytes = traffic_(*step.node);
    w_.key("bytes").begin_object().key("read");
    extent(bytes.read);
    w_.key("written");
    extent(bytes.written);
    w_.end_object().end_object();
  }

  std::string kind_of(const Step& step) const {
    if (step.is_call) return "library call";
    const bool lost =
        facts_.kernels && step.distinct >= 0 && facts_.kernels->handles()[static_cast<std::size_t>(step.distinct)] == 0;
    return step.kernel && !lost ? "kernel" : "interpreter";
  }

  /// A kernel's schedule, a library's own word, or why it is interpreted; null where it is not known yet.
  void implementation(std::size_t i, const Step& step, const std::string& kind) {
    std::string text;
    if (step.is_call && facts_.library) text = facts_.library(i);
    if (kind == "kernel")
      text = step.kernel->algorithm
                 ? kernel::describe(*step.kernel->algorithm)
                 : print(*step.kernel, kernel::make_schedule(*step.kernel, target_.info.vector_bytes));
    if (kind == "interpreter") text = step.kernel ? "its kernel could not be compiled" : step.why_interpreted;
    if (text.empty()) {
      w_.null();
    } else {
      w_.value(text);
    }
  }

  void values(const std::vector<ir::ValueId>& ids, bool with_constants) {
    w_.begin_array();
    for (const ir::ValueId id : ids) {
      const auto& v = program_.graph.value(id);
      w_.begin_object().key("name").value(v.name).key("dtype").value(to_string(v.dtype)).key("shape").begin_array();
      for (const auto& d : v.shape) {
        if (d.is_constant()) {
          w_.value(*d.constant());
        } else {
          w_.value(d.to_string());
        }
      }
      w_.end_array().key("extents");
      const auto extents = ir::evaluate(v.shape, facts_.plan ? facts_.plan->symbols : ir::SymbolValues());
      if (extents) {
        w_.array(*extents);
      } else {
        w_.null();
      }
      if (with_constants)
        w_.key("constant").value(program_.graph.is_constant(program_.views[static_cast<std::size_t>(id)].root));
      w_.end_object();
    }
    w_.end_array();
  }

  void extent(const ir::Dim& d) {
    w_.begin_object().key("expression").value(d.to_string()).key("value");
    if (const auto value = d.evaluate(facts_.plan ? facts_.plan->symbols : ir::SymbolValues())) {
      w_.value(*value);
    } else {
      w_.null();
    }
    w_.end_object();
  }

  const Program& program_;
  const Target& target_;
  const LayerFacts& facts_;
  const passes::TrafficOf traffic_;
  JsonWriter w_;
};

}  // namespace

std::string layer_info(const Program& program, const Target& target, const LayerFacts& facts) {
  return Writer(program, target, facts).write();
}

}  // namespace jitney::runtime
