// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/execution_context.h>
#include <jitney/runtime_cache.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/input_shapes.h"
#include "cli/open_context.h"
#include "cli/precision_option.h"
#include "cli/progress.h"
#include "cli/target_process.h"
#include "engine/engine_impl.h"

namespace jitney::cli {
namespace {

struct WarmOptions {
  std::string model, path, shapes_file, device = "cpu";
  std::vector<std::string> shapes, targets;
  Precision precision = Precision::fp32;
  std::optional<Tactics> tactics;
  bool json = false;
};
using Shapes = std::vector<std::vector<std::int64_t>>;

Shapes resolve(const Engine& engine, const std::vector<std::string>& arguments) {
  GivenShapes given;
  for (const auto& text : arguments) {
    auto argument = value_or_throw(parse_shape_argument(text));
    if (!given.emplace(argument.input, std::move(argument.shape)).second)
      throw Error(ErrorKind::user, fmt::format("the shape of input '{}' is given twice", argument.input));
  }
  return value_or_throw(resolve_shapes(engine.impl()->graph(), given)).shapes;
}

/// One set of shapes a line: "ids=1x128 mask=1x128". Empty lines and what follows a '#' do not count.
std::vector<std::vector<std::string>> read_shapes(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw Error(ErrorKind::user, fmt::format("cannot open the shapes file '{}'", path));
  std::vector<std::vector<std::string>> sets;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::vector<std::string> set;
    for (std::string word; words >> word;) set.push_back(word);
    if (!set.empty()) sets.push_back(std::move(set));
  }
  return sets;
}

std::vector<Shapes> shapes_for(const Engine& engine, const WarmOptions& options) {
  std::vector<Shapes> shapes;
  if (!options.shapes.empty()) shapes.push_back(resolve(engine, options.shapes));
  if (!options.shapes_file.empty()) {
    for (const auto& set : read_shapes(options.shapes_file)) shapes.push_back(resolve(engine, set));
  }
  // Without shapes those that the engine's profiles call their best.
  if (shapes.empty()) {
    for (const auto& profile : engine.profiles()) {
      Shapes best;
      bool is_open = false;  // an input without a range has no best shape
      for (std::size_t i = 0; i < profile.inputs.size(); ++i) {
        best.push_back(profile.inputs[i].opt);
        is_open = is_open || best.back().size() != engine.inputs()[i].shape.size();
      }
      if (!is_open) shapes.push_back(std::move(best));
    }
  }
  // A model that takes one shape only; on a device its library calls are planned for it.
  if (shapes.empty() && engine.profiles().empty() && options.device != "cpu") {
    auto only = value_or_throw(resolve_shapes(engine.impl()->graph(), {}));
    if (only.assumed.empty()) shapes.push_back(std::move(only.shapes));
  }
  return shapes;
}

/// Compiles what is missing for this process' target.
nlohmann::ordered_json fill(const WarmOptions& options) {
  if (options.path == "none")
    throw Error(ErrorKind::user, "--runtime-cache none keeps nothing that is compiled; name a cache to fill");
  // A file that is no cache would be left as it is, and what is compiled would be lost.
  if (std::filesystem::is_regular_file(options.path)) RuntimeCache().load(options.path);
  const Device device = value_or_throw(parse_device(options.device));
  if (device.type == Device::Type::cuda && options.tactics == Tactics::timed && is_gpu_elsewhere())
    throw Error(ErrorKind::environment,
                fmt::format("--device {}: --tactics timed needs that GPU, and it is not here; kernels alone do not",
                            options.device));
  const Engine engine = Engine::load(options.model);
  const std::vector<Shapes> shapes = shapes_for(engine, options);
  ProgressBar progress;
  ContextOptions context_options{
      .runtime_cache = options.path, .precision = options.precision, .tactics = options.tactics};
  context_options.device = device;
  context_options.progress = [&](int done, int total) { progress.update(done, total); };
  ExecutionContext context = open_context(engine, context_options);
  context.prepare();
  if (!shapes.empty()) context.warm(shapes);
  progress.clear();
  const ContextStats stats = context.stats();
  const CompileStatus specialized = context.compile_status();
  if (stats.failed != 0 || specialized.failed != 0)
    throw Error(ErrorKind::environment, "some kernels could not be compiled");
  return {{"target", ""},
          {"compiled", static_cast<std::uint64_t>(stats.compiled) + specialized.compiled},
          {"from_cache", static_cast<std::uint64_t>(stats.from_cache) + specialized.from_cache},
          {"failed", 0},
          {"cache", stats.cache_description}};
}

std::vector<std::string> arguments_of(const WarmOptions& options) {
  std::vector<std::string> words = {options.model};
  for (const auto& shape : options.shapes) words.insert(words.end(), {"--shape", shape});
  if (!options.shapes_file.empty()) words.insert(words.end(), {"--shapes-file", options.shapes_file});
  if (!options.path.empty()) words.insert(words.end(), {"--runtime-cache", options.path});
  if (options.precision == Precision::bf16) words.insert(words.end(), {"--precision", "bf16"});
  if (options.tactics)
    words.insert(words.end(), {"--tactics", *options.tactics == Tactics::timed ? "timed" : "heuristic"});
  return words;
}

int warm(const WarmOptions& options) {
  auto report = nlohmann::ordered_json::array();
  if (options.targets.empty()) report.push_back(fill(options));
  for (const auto& target : options.targets) report.push_back(warm_for_target(target, arguments_of(options)));
  if (options.json) {
    fmt::print("{}\n", report.dump());
    return kOk;
  }
  for (const auto& done : report) {
    const auto target = done["target"].get<std::string>();
    fmt::print("{}{}{} compiled, {} were there, {} failed: {}\n", target, target.empty() ? "" : ": ",
               done["compiled"].get<std::uint64_t>(), done["from_cache"].get<std::uint64_t>(),
               done["failed"].get<std::uint64_t>(), done["cache"].get<std::string>());
  }
  return kOk;
}

}  // namespace

void add_warm(CLI::App& app, Action& action) {
  auto options = std::make_shared<WarmOptions>();
  CLI::App* command = app.add_subcommand("warm", "Compile a model's kernels ahead of traffic");
  command->add_option("MODEL", options->model, "An ONNX model or a .jitney engine")->required()->type_name("");
  command->add_option("--shape", options->shapes, "A shape to specialize kernels for; once for each input")
      ->type_name("NAME=1x3x8x8")
      ->allow_extra_args(false);
  command->add_option("--shapes-file", options->shapes_file, "More of them, one set of inputs a line")
      ->type_name("FILE");
  command
      ->add_option(
          "--target", options->targets,
          "Not for this machine as it is, but for a processor or a GPU as 'jitney doctor' names it there: x86-64-v3, "
          "sm_90; neither need be here; may be repeated")
      ->type_name("NAME")
      ->allow_extra_args(false);
  command->add_option("--device", options->device, "For which device: cpu (the default) or cuda:INDEX")
      ->type_name("DEVICE");
  add_precision(*command, options->precision);
  add_tactics(*command, options->tactics);
  command->add_option("--runtime-cache", options->path, "The cache to fill (default: yours)")->type_name("PATH");
  command->add_flag("--json", options->json, "Print one JSON array for programs");
  command->footer(
      "Example:\n"
      "  jitney warm model.onnx --shape images=8x3x224x224 --target x86-64-v3 --runtime-cache kernels/\n"
      "  jitney warm model.onnx --shape images=8x3x224x224 --target sm_90 --runtime-cache kernels/");
  command->callback([options, &action] { action = [options] { return warm(*options); }; });
}

}  // namespace jitney::cli
