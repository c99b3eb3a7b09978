// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <jitney/engine.h>
#include <jitney/execution_context.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "cli/bench_measure.h"
#include "cli/bench_report.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/model_inputs.h"
#include "cli/observation.h"
#include "cli/open_context.h"
#include "cli/precision_option.h"
#include "cli/progress.h"
#include "cli/settings_options.h"
#include "util/memory.h"
#include "util/threads.h"

namespace jitney::cli {
namespace {

struct BenchOptions {
  std::string model, device = "cpu", export_json;
  Precision precision = Precision::fp32;
  Denormals denormals = Denormals::flush;
  std::optional<Tactics> tactics;
  SettingsOptions settings;
  std::vector<std::string> inputs, shapes, shape_lists;
  double duration = 3, warmup_ms = 200;
  int iterations = 10, threads = 0, streams = 1;
  std::uint64_t seed = 0;
  ObserveOptions observe;
  LoadOptions load;
  bool json = false;
};

double milliseconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

ModelInputs inputs_of(const Engine& engine, const BenchOptions& options) {
  std::vector<std::string> shapes = options.shapes;
  for (const auto& list : options.shape_lists)
    for (auto& shape : split_shapes(list)) shapes.push_back(std::move(shape));
  return value_or_throw(make_inputs(engine, options.inputs, shapes, options.seed));
}

int bench(const BenchOptions& options) {
  if (std::isnan(options.duration) || std::isnan(options.warmup_ms))
    throw Error(ErrorKind::user, "--duration and --warmup must be numbers");
  check_observation(options.observe, options.json, {options.model}, {options.export_json});
  Observation observation(options.observe);
  ProgressBar progress;
  ContextOptions context_options{.threads = options.threads,
                                 .precision = options.precision,
                                 .denormals = options.denormals,
                                 .tactics = options.tactics};
  options.settings.apply(context_options);
  context_options.progress = [&](int done, int total) { progress.update(done, total); };
  context_options.device = value_or_throw(parse_device(options.device));
  BenchReport report{.precision = options.precision == Precision::bf16 ? "bf16" : "fp32", .streams = options.streams};
  report.run.model = options.model;
  report.run.device = to_string(context_options.device);
  report.run.threads = options.threads > 0 ? options.threads : usable_cores();

  auto begin = std::chrono::steady_clock::now();
  const Engine engine = Engine::load(options.model, options.load);
  report.run.load_ms = milliseconds_since(begin);
  const ModelInputs inputs = inputs_of(engine, options);
  for (std::size_t i = 0; i < inputs.tensors.size(); ++i)
    report.run.inputs.push_back(
        {.name = engine.inputs()[i].name, .dtype = inputs.tensors[i].dtype(), .shape = inputs.tensors[i].shape()});

  ExecutionContext context = open_context(engine, context_options);
  std::vector<std::unique_ptr<BoundRun>> callers;
  begin = std::chrono::steady_clock::now();
  for (int i = 0; i < options.streams; ++i) {
    callers.push_back(std::make_unique<BoundRun>(context, engine, inputs.tensors, context_options.device));
    if (i == 0) report.run.first_run_ms = milliseconds_since(begin);
  }
  // What a service gets once it is warm.
  context.wait_until_specialized(600);
  progress.clear();
  const BenchResult result = measure(callers, {options.warmup_ms * 1e-3, options.duration, options.iterations});
  report.run.latency_ms = result.host_ms.summary();
  report.enqueue_ms = result.enqueue_ms.summary();
  report.executes = result.host_ms.count();
  report.seconds = result.seconds;
  report.interrupted = result.interrupted;
  report.run.stats = context.stats();
  report.run.compile_ms = 1e3 * report.run.stats.compile_seconds;
  report.specialize_ms = 1e3 * context.compile_status().seconds;
  report.peak_bytes = peak_memory();
  if (options.json) {
    fmt::print("{}\n", to_json(report));
  } else {
    fmt::print("{}", to_text(report));
  }
  if (!options.export_json.empty()) write_text(options.export_json, to_json(report) + "\n");
  observation.finish(context, inputs.tensors);
  return report.interrupted ? kInterrupted : kOk;
}

void add_measuring(CLI::App& command, BenchOptions& options) {
  command.add_option("--duration", options.duration, "Measure for at least so many seconds (default 3)")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.0, 1e6).description(""));
  command.add_option("--iterations", options.iterations, "And at least so many executes (default 10)")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000'000).description(""));
  command.add_option("--warmup", options.warmup_ms, "Execute for so long before, in milliseconds (default 200)")
      ->type_name("MS")
      ->check(CLI::Range(0.0, 1e9).description(""));
  command.add_option("--streams", options.streams, "Callers at once on one engine, each with its thread (default 1)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024).description(""));
  command.add_option("--threads", options.threads, "Threads that run a caller's kernels; 0 (default): all cores")
      ->type_name("N")
      ->check(CLI::Range(0, 65536).description(""));
  command.add_option("--export-json", options.export_json, "Write the report as JSON, too")->type_name("FILE");
  command.add_flag("--json", options.json, "Print the report as one JSON object");
}

}  // namespace

void add_bench(CLI::App& app, Action& action) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App* command = app.add_subcommand("bench", "Measure a model: throughput, latency, compile time, memory");
  command->add_option("MODEL", options->model, "An ONNX model or a .jitney engine")->required()->type_name("");
  command->add_option("--shapes", options->shape_lists, "Shapes of random inputs, separated by commas")
      ->type_name("NAME=1x3x8x8,...")
      ->allow_extra_args(false);
  command->add_option("--shape", options->shapes, "The same for one input; may be repeated")
      ->type_name("NAME=1x3x8x8")
      ->allow_extra_args(false);
  command->add_option("--input", options->inputs, "A tensor for one input; once for each input")
      ->type_name("NAME=FILE.npy")
      ->allow_extra_args(false);
  command->add_option("--device", options->device, "Where to run: cpu (the default) or cuda:INDEX")
      ->type_name("DEVICE");
  add_measuring(*command, *options);
  add_precision(*command, options->precision);
  add_denormals(*command, options->denormals);
  add_tactics(*command, options->tactics);
  command->add_flag("--trust-precompiled", options->load.trust_precompiled,
                    "Use compiled kernels that the engine file brings: native code, from whoever wrote the file");
  options->settings.add_to(*command);
  command->add_option("--seed", options->seed, "Of the random inputs (default 0)")->type_name("N");
  add_observation(*command, options->observe);
  command->footer(
      "Inputs and outputs are in place on the device: no copies between host and device are measured.\n"
      "Host latency is from a call to its return; enqueue time is the part of it until all work is handed to the\n"
      "device, which on CPUs is nearly all. An interrupt ends the measurement and reports what there is.\n"
      "\n"
      "Examples:\n"
      "  jitney bench model.onnx --shapes images=8x3x224x224 --duration 10\n"
      "  jitney bench model.onnx --streams 4 --threads 1 --export-json report.json");
  command->callback([options, &action] { action = [options] { return bench(*options); }; });
}

}  // namespace jitney::cli
