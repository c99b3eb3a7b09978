// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <jitney/engine.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/input_shapes.h"
#include "cli/precompile.h"
#include "engine/engine_impl.h"

namespace jitney::cli {
namespace {

struct BuildOptions {
  std::string model, output;
  std::vector<std::string> profiles;
  PrecompileOptions precompile;
};

Engine with_profiles(const Engine& engine, const std::vector<std::string>& arguments) {
  std::vector<OptimizationProfile> profiles;
  for (const std::string& text : arguments) {
    auto ranges = value_or_throw(parse_profile_argument(text));
    auto& profile = profiles.emplace_back();
    for (const TensorInfo& input : engine.inputs()) {
      const auto given = ranges.extract(input.name);
      profile.inputs.push_back(given ? given.mapped() : ShapeRange{});
    }
    if (!ranges.empty())
      throw Error(ErrorKind::user, fmt::format("--profile: the model has no input '{}'; it has {}",
                                               ranges.begin()->first, list_inputs(engine.impl()->graph())));
  }
  return engine.with_profiles(std::move(profiles));
}

int build(const BuildOptions& options) {
  std::error_code error;
  if (std::filesystem::equivalent(options.model, options.output, error)) {
    throw Error(ErrorKind::user,
                fmt::format("'{}' is the model itself; the engine needs a file of its own", options.output));
  }
  Engine engine = Engine::load(options.model);
  if (!options.profiles.empty()) engine = with_profiles(engine, options.profiles);
  if (!options.precompile.targets.empty()) engine = precompile(engine, options.precompile);
  engine.save(options.output);
  const auto bytes = std::filesystem::file_size(options.output, error);
  fmt::print("wrote {} ({} bytes): '{}', {} inputs, {} outputs\n", options.output, error ? 0 : bytes, engine.name(),
             engine.inputs().size(), engine.outputs().size());
  for (const auto& [target, count] : engine.precompiled()) fmt::print("{} kernels for {}\n", count, target);
  return kOk;
}

}  // namespace

void add_build(CLI::App& app, Action& action) {
  auto options = std::make_shared<BuildOptions>();
  CLI::App* command = app.add_subcommand("build", "Turn an ONNX model into a portable .jitney engine");
  command->add_option("MODEL", options->model, "An ONNX model")->required()->type_name("");
  command->add_option("-o,--output", options->output, "The engine file, replaced if it is there")
      ->required()
      ->type_name("FILE.jitney");
  command
      ->add_option("--profile", options->profiles,
                   "Which shapes it may be given, and which one matters most; may be repeated")
      ->type_name("'NAME=MIN:OPT:MAX ...'")
      ->allow_extra_args(false);
  command
      ->add_option(
          "--precompile", options->precompile.targets,
          "Put compiled kernels for these into the file, too: 'native' (this processor), x86-64-v3 or another "
          "as 'jitney doctor' names it there, sm_90 or another GPU (sm_75 and newer); none of them need be here")
      ->type_name("TARGET,...")
      ->delimiter(',')
      ->allow_extra_args(false);
  command
      ->add_option("--shape", options->precompile.shapes,
                   "A shape to precompile for; once for each input (default: the profiles' best, and any)")
      ->type_name("NAME=1x3x8x8")
      ->allow_extra_args(false);
  command->footer(
      "An engine is the optimized graph with its weights in one file. It has no device code in it, unless you ask for\n"
      "it: the machine that runs it compiles its own kernels. The device need not be there when it is built.\n"
      "Precompiled kernels are used where the target is exactly theirs, by 'jitney run --trust-precompiled' and\n"
      "LoadOptions::trust_precompiled: they are native code, to be trusted like a program.\n"
      "\n"
      "Example:\n"
      "  jitney build model.onnx -o model.jitney --profile images=1x3x224x224:8x3x224x224:32x3x224x224\n"
      "  jitney build model.onnx -o model.jitney --precompile x86-64-v3,sm_90 --shape images=1x3x224x224");
  command->callback([options, &action] { action = [options] { return build(*options); }; });
}

}  // namespace jitney::cli
