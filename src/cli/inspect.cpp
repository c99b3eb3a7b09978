// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <jitney/engine.h>
#include <jitney/execution_context.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/input_shapes.h"
#include "cli/kernel_report.h"
#include "cli/open_context.h"
#include "cli/precision_option.h"
#include "engine/engine_impl.h"
#include "runtime/target.h"

namespace jitney::cli {
namespace {

struct InspectOptions {
  std::string file, device = "cpu";
  Precision precision = Precision::fp32;
  std::vector<std::string> shapes;
  bool source = false, kernels = false, layers = false, json = false;
};

InputShapes shapes_of(const ir::Graph& graph, const std::vector<std::string>& shapes) {
  GivenShapes given;
  for (const std::string& text : shapes) {
    ShapeArgument argument = value_or_throw(parse_shape_argument(text));
    if (!given.emplace(argument.input, std::move(argument.shape)).second)
      throw Error(ErrorKind::user, fmt::format("--shape gives the shape of '{}' twice", argument.input));
  }
  return value_or_throw(resolve_shapes(graph, given));
}

Extents extents_of(const ir::Graph& graph, const std::vector<std::string>& shapes) {
  InputShapes resolved = shapes_of(graph, shapes);
  return {value_or_throw(ir::bind_symbols(graph, resolved.shapes)), std::move(resolved.assumed)};
}

int inspect_kernels(const InspectOptions& options) {
  const Engine engine = Engine::load(options.file);
  const ir::Graph& graph = engine.impl()->graph();
  const Extents extents = extents_of(graph, options.shapes);
  const runtime::Target target = value_or_throw(runtime::open_target(value_or_throw(parse_device(options.device))));
  const auto program = value_or_throw(runtime::make_program(*engine.impl(), *target.backend, target.device, target.info,
                                                            options.precision == Precision::bf16));
  const auto report = runtime::report_kernels(graph, *program, target.info, options.source);
  fmt::print("{}", options.json ? to_json(report, extents) + "\n" : to_text(report, extents));
  return kOk;
}

int inspect(const InspectOptions& options) {
  if (!options.shapes.empty() && !options.kernels && !options.layers)
    throw Error(ErrorKind::user, "--shape needs --kernels or --layers");
  if (options.kernels) return inspect_kernels(options);
  // Nothing is compiled, so there is nothing to look up or to keep.
  ContextOptions context_options{.runtime_cache = "none", .precision = options.precision};
  context_options.device = value_or_throw(parse_device(options.device));
  const ExecutionContext context = open_context(Engine::load(options.file), context_options);
  if (options.layers) {
    const ir::Graph& graph = context.engine().impl()->graph();
    const bool symbolic = options.shapes.empty();
    fmt::print("{}\n", context.layer_info(symbolic ? std::vector<std::vector<std::int64_t>>()
                                                   : shapes_of(graph, options.shapes).shapes));
    return kOk;
  }
  for (const auto& [target, count] : context.engine().precompiled())
    fmt::print("== brings {} compiled kernels for {}, used where they are trusted ==\n", count, target);
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
  CLI::Option* kernels = command->add_flag("--kernels", options->kernels,
                                           "What each step does instead, how it runs, and the bytes that it moves");
  CLI::Option* layers = command->add_flag("--layers", options->layers,
                                          "What each step is, as JSON: operators, kind, kernel, shapes, bytes");
  layers->excludes(kernels);
  command->add_flag("--json", options->json, "With --kernels: print one JSON object for programs")->needs(kernels);
  command->add_option("--shape", options->shapes, "With --kernels or --layers: shape of an input")
      ->type_name("NAME=1x3x224x224")
      ->allow_extra_args(false);
  command->add_option("--device", options->device, "For which device: cpu (the default)")->type_name("DEVICE");
  add_precision(*command, options->precision);
  command->footer(
      "Compiles nothing and runs nothing.\n"
      "\n"
      "Examples:\n"
      "  jitney inspect model.onnx\n"
      "  jitney inspect model.jitney --source | less\n"
      "  jitney inspect model.onnx --kernels --shape images=8x3x224x224");
  command->callback([options, &action] { action = [options] { return inspect(*options); }; });
}

}  // namespace jitney::cli
