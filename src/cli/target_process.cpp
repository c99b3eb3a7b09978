// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cli/target_process.h"

#include <jitney/error.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <span>

#include "cli/exit_codes.h"
#include "runtime/target.h"
#include "util/file.h"
#include "util/paths.h"

namespace jitney::cli {
namespace {

constexpr std::string_view kTargetVariable = "JITNEY_CPU_TARGET=", kOnlyVariable = "JITNEY_CPU_COMPILE_ONLY=";
constexpr std::size_t kMostOutput = std::size_t{64} << 20;

unique_fd output_file(const char* name) {
  unique_fd file(memfd_create(name, MFD_CLOEXEC));
  if (!file) throw Error(ErrorKind::environment, fmt::format("no memory for a process' output: {}", errno_text(errno)));
  return file;
}

std::string text_in(const unique_fd& file) {
  lseek(file.get(), 0, SEEK_SET);
  const auto bytes = read_all(file.get(), kMostOutput);
  return bytes ? std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size()) : "";
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

/// "" or a CPU's: in the environment, or not at all.
std::vector<std::string> environment_for(const std::string& cpu_target) {
  std::vector<std::string> variables;
  for (char** at = environ; *at != nullptr; ++at)
    if (const std::string_view text = *at; !text.starts_with(kTargetVariable) && !text.starts_with(kOnlyVariable))
      variables.emplace_back(text);
  if (cpu_target.empty()) return variables;
  variables.push_back(std::string(kTargetVariable) + cpu_target);
  variables.push_back(std::string(kOnlyVariable) + "1");
  return variables;
}

/// The exit status; the process' last line says why, after its name and "error: ".
[[noreturn]] void fail(int status, const std::string& errors, const std::string& target) {
  std::string why = errors;
  while (!why.empty() && why.back() == '\n') why.pop_back();
  why = why.substr(why.rfind('\n') == std::string::npos ? 0 : why.rfind('\n') + 1);
  constexpr std::string_view kPrefix = "jitney: error: ";
  if (why.starts_with(kPrefix)) why.erase(0, kPrefix.size());
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  if (why.empty()) why = fmt::format("the process that compiles ended with status {}", status);
  throw Error(code == kUsage         ? ErrorKind::user
              : code == kEnvironment ? ErrorKind::environment
                                     : ErrorKind::internal,
              fmt::format("target '{}': {}", target, why));
}

/// "cuda:1", which is of this architecture.
std::string gpu_of(const std::string& target) {
  std::string found;
  for (int index = 0; index < 64; ++index) {
    const auto gpu = runtime::open_target({Device::Type::cuda, index});
    if (!gpu && index == 0)
      throw Error(gpu.error().kind, fmt::format("target '{}': kernels for a GPU are compiled where there is one: {}",
                                                target, gpu.error().message));
    if (!gpu) break;
    if (gpu->info.target_key == target) return fmt::format("cuda:{}", index);
    found += (found.empty() ? "" : ", ") + gpu->info.target_key;
  }
  throw Error(ErrorKind::environment,
              fmt::format("target '{}': kernels for a GPU are compiled where there is one; here is {}", target, found));
}

}  // namespace

nlohmann::ordered_json warm_for_target(const std::string& target, std::vector<std::string> arguments) {
  const bool is_gpu = target.starts_with("sm_");
  std::vector<std::string> words = {executable_path(), "warm", "--json"};
  if (is_gpu) words.insert(words.end(), {"--device", gpu_of(target)});
  for (auto& argument : arguments) words.push_back(std::move(argument));
  std::vector<std::string> variables = environment_for(is_gpu || target == "native" ? "" : target);

  const unique_fd output = output_file("output"), errors = output_file("errors");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output.get(), 1);
  posix_spawn_file_actions_adddup2(&actions, errors.get(), 2);
  pid_t child = 0;
  const int failed =
      posix_spawn(&child, words[0].c_str(), &actions, nullptr, pointers(words).data(), pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0)
    throw Error(ErrorKind::environment, fmt::format("cannot start '{}': {}", words[0], errno_text(failed)));
  int status = 0;
  retry_interrupted([&] { return waitpid(child, &status, 0); });
  const std::string messages = text_in(errors);
  if (status != 0) fail(status, messages, target);
  std::fwrite(messages.data(), 1, messages.size(), stderr);
  auto report = nlohmann::ordered_json::parse(text_in(output), nullptr, /*allow_exceptions=*/false);
  if (!report.is_array() || report.size() != 1)
    throw Error(ErrorKind::internal, fmt::format("target '{}': the process that compiles gave no report", target));
  report[0]["target"] = target;
  return std::move(report[0]);
}

}  // namespace jitney::cli
