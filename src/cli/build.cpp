// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <jitney/engine.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include "cli/commands.h"
#include "cli/exit_codes.h"

namespace jitney::cli {
namespace {

struct BuildOptions {
  std::string model, output;
};

int build(const BuildOptions& options) {
  std::error_code error;
  if (std::filesystem::equivalent(options.model, options.output, error)) {
    throw Error(ErrorKind::user,
                fmt::format("'{}' is the model itself; the engine needs a file of its own", options.output));
  }
  const Engine engine = Engine::load(options.model);
  engine.save(options.output);
  const auto bytes = std::filesystem::file_size(options.output, error);
  fmt::print("wrote {} ({} bytes): '{}', {} inputs, {} outputs\n", options.output, error ? 0 : bytes, engine.name(),
             engine.inputs().size(), engine.outputs().size());
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
  command->footer(
      "An engine is the optimized graph with its weights in one file. It has no device code in it: the machine that\n"
      "runs it compiles its own kernels. The device need not be there when it is built.\n"
      "\n"
      "Example:\n"
      "  jitney build model.onnx -o model.jitney");
  command->callback([options, &action] { action = [options] { return build(*options); }; });
}

}  // namespace jitney::cli
