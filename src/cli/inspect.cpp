// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <jitney/engine.h>
#include <jitney/execution_context.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/open_context.h"
#include "cli/precision_option.h"

namespace jitney::cli {
namespace {

struct InspectOptions {
  std::string file, device = "cpu";
  Precision precision = Precision::fp32;
  bool source = false;
};

int inspect(const InspectOptions& options) {
  // Nothing is compiled, so there is nothing to look up or to keep.
  ContextOptions context_options{.runtime_cache = "none", .precision = options.precision};
  context_options.device = value_or_throw(parse_device(options.device));
  const ExecutionContext context = open_context(Engine::load(options.file), context_options);
  const std::string text = context.inspect(options.source);
  fmt::print("{}{}", text, text.ends_with('\n') ? "" : "\n");
  return kOk;
}

}  // namespace

void add_inspect(CLI::App& app, Action& action) {
  auto options = std::make_shared<InspectOptions>();
  CLI::App* command = app.add_subcommand("inspect", "Show a model's graph, fused kernels and memory plan");
  command->add_option("FILE", options->file, "An ONNX model or a .jitney engine")->required()->type_name("");
  command->add_flag("--source", options->source, "The kernels' generated source too");
  command->add_option("--device", options->device, "For which device: cpu (the default)")->type_name("DEVICE");
  add_precision(*command, options->precision);
  command->footer(
      "Compiles nothing and runs nothing.\n"
      "\n"
      "Examples:\n"
      "  jitney inspect model.onnx\n"
      "  jitney inspect model.jitney --source | less");
  command->callback([options, &action] { action = [options] { return inspect(*options); }; });
}

}  // namespace jitney::cli
