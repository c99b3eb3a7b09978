// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <jitney/execution_context.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/self_test.h"

namespace jitney::cli {
namespace {

struct DoctorOptions {
  std::string runtime_cache;
  bool json = false;
};

int doctor(const DoctorOptions& options) {
  const std::vector<std::string> lines = diagnose(options.runtime_cache);
  const SelfTest test = test_devices();
  if (options.json) {
    using Json = nlohmann::ordered_json;
    const Json object = {{"works", test.works}, {"self_test", test.message}, {"lines", lines}};
    fmt::print("{}\n", object.dump(-1, ' ', false, Json::error_handler_t::replace));
  } else {
    for (const std::string& line : lines) fmt::print("{}\n", line);
    fmt::print("self-test: {}: {}\n", test.works ? "ok" : "FAILED", test.message);
  }
  return test.works ? kOk : kEnvironment;
}

}  // namespace

void add_doctor(CLI::App& app, Action& action) {
  auto options = std::make_shared<DoctorOptions>();
  CLI::App* command = app.add_subcommand("doctor", "Say what works on this machine, what does not, and why");
  command->add_option("--runtime-cache", options->runtime_cache, "Look at this cache instead of the user's own")
      ->type_name("PATH");
  command->add_flag("--json", options->json, "Print one JSON object for programs");
  command->footer(
      "Looks at devices, compiler, libraries and cache, then compiles and runs one small kernel on the CPU and on the\n"
      "first GPU, where they are. Exit code 0 when that works, 3 when not.\n"
      "\n"
      "Example:\n"
      "  jitney doctor");
  command->callback([options, &action] { action = [options] { return doctor(*options); }; });
}

}  // namespace jitney::cli
