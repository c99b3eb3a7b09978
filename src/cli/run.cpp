// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <jitney/engine.h>
#include <jitney/execution_context.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "cli/bound_run.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/json_report.h"
#include "cli/maps_dump.h"
#include "cli/model_inputs.h"
#include "cli/observation.h"
#include "cli/open_context.h"
#include "cli/output_files.h"
#include "cli/precision_option.h"
#include "cli/process_clock.h"
#include "cli/profile_report.h"
#include "cli/progress.h"
#include "cli/settings_options.h"
#include "cli/text_report.h"
#include "util/log.h"
#include "util/threads.h"

namespace jitney::cli {
namespace {

struct RunOptions {
  std::string model, output_dir, device = "cpu";
  Precision precision = Precision::fp32;
  Denormals denormals = Denormals::flush;
  std::optional<Tactics> tactics;
  SettingsOptions settings;
  std::vector<std::string> inputs, shapes;
  int iterations = 10, warmup = 2, threads = 0;
  std::uint64_t seed = 0;
  ObserveOptions observe;
  LoadOptions load;
  bool json = false, verbose = false, profile = false;
};

double milliseconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

// Longer than this, what is timed does not wait for the shape's own kernels.
constexpr double kSpecializationSeconds = 20;

Latency measure(BoundRun& bound, ExecutionContext& context, const RunOptions& options) {
  if (options.iterations == 0) return {};
  for (int i = 0; i < options.warmup; ++i) bound.again();
  if (!context.wait_until_specialized(kSpecializationSeconds))
    log_info("the shape's own kernels are not ready; some runs are timed without them");
  std::vector<double> samples;
  samples.reserve(static_cast<std::size_t>(options.iterations));
  for (int i = 0; i < options.iterations; ++i) samples.push_back(milliseconds_of([&] { bound.again(); }));
  return summarize(std::move(samples));
}

std::vector<RunReport::TensorLine> describe(const std::vector<TensorInfo>& infos, const std::vector<Tensor>& tensors) {
  std::vector<RunReport::TensorLine> lines;
  lines.reserve(tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    lines.push_back({.name = infos[i].name, .dtype = tensors[i].dtype(), .shape = tensors[i].shape()});
  }
  return lines;
}

void describe_outputs(RunReport& report, const Engine& engine, const std::vector<Tensor>& outputs,
                      const RunOptions& options) {
  report.outputs = describe(engine.outputs(), outputs);
  for (std::size_t i = 0; i < outputs.size(); ++i) report.outputs[i].first_values = first_values(outputs[i]);
  if (options.output_dir.empty()) return;
  const auto files = value_or_throw(write_outputs(options.output_dir, engine.outputs(), outputs));
  for (std::size_t i = 0; i < files.size(); ++i) report.outputs[i].file = files[i];
}

int run(const RunOptions& options) {
  check_observation(options.observe, options.json, {options.model});
  if (options.verbose) set_log_level(LogLevel::debug);
  Observation observation(options.observe);
  RunReport report;
  report.model = options.model;
  ProgressBar progress;
  ContextOptions context_options{.threads = options.threads,
                                 .precision = options.precision,
                                 .denormals = options.denormals,
                                 .tactics = options.tactics};
  options.settings.apply(context_options);
  context_options.progress = [&](int done, int total) { progress.update(done, total); };
  context_options.device = value_or_throw(parse_device(options.device));
  report.device = to_string(context_options.device);
  report.threads = options.threads > 0 ? options.threads : usable_cores();

  std::optional<Engine> engine;
  report.load_ms = milliseconds_of([&] { engine = Engine::load(options.model, options.load); });
  ModelInputs inputs = value_or_throw(make_inputs(*engine, options.inputs, options.shapes, options.seed));
  report.inputs = describe(engine->inputs(), inputs.tensors);
  report.assumed_extents = std::move(inputs.assumed_extents);
  for (const auto& [symbol, extent] : report.assumed_extents) {
    log_info("the extent '{}' was not given; {} is taken", symbol, extent);
  }
  if (!options.output_dir.empty()) value_or_throw(make_folder(options.output_dir));

  ExecutionContext context = open_context(*engine, context_options);
  std::optional<BoundRun> bound;
  report.first_run_ms =
      milliseconds_of([&] { bound.emplace(context, *engine, inputs.tensors, context_options.device); });
  report.total_ms = milliseconds_since_start();
  progress.clear();
  report.latency_ms = measure(*bound, context, options);
  const std::vector<Tensor> outputs = bound->fetch();
  report.stats = context.stats();
  report.compile_ms = 1000 * report.stats.compile_seconds;
  describe_outputs(report, *engine, outputs, options);
  fmt::print("{}{}", options.json ? to_json(report) : to_text(report), options.json ? "\n" : "");
  if (options.profile && !options.json) fmt::print("\n{}", to_text(context.profile(bound->inputs())));
  observation.finish(context, inputs.tensors);
  dump_maps_if_asked();  // while everything that the run loaded is still there
  return kOk;
}

}  // namespace

void add_run(CLI::App& app, Action& action) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* command = app.add_subcommand("run", "Run a model; print its outputs, latency and what was compiled");
  command->add_option("MODEL", options->model, "An ONNX model or a .jitney engine")->required()->type_name("");
  command->add_option("--input", options->inputs, "A tensor for one input; once for each input")
      ->type_name("NAME=FILE.npy")
      ->allow_extra_args(false);
  command->add_option("--shape", options->shapes, "Shape of a random input: normal numbers, integers 0 to 9")
      ->type_name("NAME=1x3x8x8")
      ->allow_extra_args(false);
  command->add_option("--output-dir", options->output_dir, "Write each output to DIR/NAME.npy")->type_name("DIR");
  command->add_option("--device", options->device, "Where to run: cpu (the default) or cuda:INDEX")
      ->type_name("DEVICE");
  command->add_option("--iterations", options->iterations, "Timed runs (default 10); 0: one run, no statistics")
      ->type_name("N")
      ->check(CLI::Range(0, 100'000'000).description(""));
  command->add_option("--warmup", options->warmup, "Runs before the timed ones (default 2)")
      ->type_name("N")
      ->check(CLI::Range(0, 100'000'000).description(""));
  command->add_option("--threads", options->threads, "Threads that run kernels; 0 (default): all cores")
      ->type_name("N")
      ->check(CLI::Range(0, 65536).description(""));
  add_precision(*command, options->precision);
  add_denormals(*command, options->denormals);
  add_tactics(*command, options->tactics);
  command->add_flag("--trust-precompiled", options->load.trust_precompiled,
                    "Use compiled kernels that the engine file brings: native code, from whoever wrote the file");
  options->settings.add_to(*command);
  command->add_option("--seed", options->seed, "Of the random inputs (default 0)")->type_name("N");
  command->add_flag("--profile", options->profile, "Time each step, too, and print a table");
  add_observation(*command, options->observe);
  command->add_flag("--json", options->json, "Print one JSON object for programs");
  command->add_flag("--verbose", options->verbose, "Log each step on stderr");
  command->footer(
      "Inputs that are not given are random; symbolic extents that are not given are 1.\n"
      "The first run compiles what is missing in the cache; later runs and other shapes compile nothing.\n"
      "\n"
      "Examples:\n"
      "  jitney run model.onnx --input images=images.npy --output-dir out\n"
      "  jitney run model.onnx --shape images=8x3x224x224 --iterations 100 --json");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace jitney::cli
