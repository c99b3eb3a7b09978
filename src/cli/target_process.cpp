// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cli/target_process.h"

#include <jitney/error.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "cli/exit_codes.h"
#include "runtime/target.h"
#include "util/env.h"
#include "util/file.h"
#include "util/paths.h"

namespace jitney::cli {
namespace {

// What a target is told to a process by.
constexpr std::string_view kCpuTarget = "JITNEY_CPU_TARGET=", kCpuOnly = "JITNEY_CPU_COMPILE_ONLY=",
                           kGpuTarget = "JITNEY_CUDA_TARGET=";
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
  all.reserve(texts.size() + 1);
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

bool is_gpu(const std::string& target) { return target.starts_with("sm_"); }

/// This process' own, with the target in it unless what is here does it as it is.
std::vector<std::string> environment_for(const std::string& target, bool is_here) {
  std::vector<std::string> variables;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view text = *at;
    const bool names_target =
        is_gpu(target) ? text.starts_with(kGpuTarget) : text.starts_with(kCpuTarget) || text.starts_with(kCpuOnly);
    if (!names_target) variables.emplace_back(text);
  }
  if (is_here) return variables;
  variables.push_back(std::string(is_gpu(target) ? kGpuTarget : kCpuTarget) + target);
  if (!is_gpu(target)) variables.push_back(std::string(kCpuOnly) + "1");
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

/// "cuda:1", which is of this architecture; nothing where none is.
std::optional<std::string> gpu_of(const std::string& target) {
  if (is_gpu_elsewhere()) return std::nullopt;
  for (int index = 0; index < 64; ++index) {
    const auto gpu = runtime::open_target({Device::Type::cuda, index});
    if (!gpu) break;
    if (gpu->info.target_key == target) return fmt::format("cuda:{}", index);
  }
  return std::nullopt;
}

}  // namespace

bool is_gpu_elsewhere() { return env_string("JITNEY_CUDA_TARGET").has_value(); }

nlohmann::ordered_json warm_for_target(const std::string& target, std::vector<std::string> arguments) {
  std::vector<std::string> words = {executable_path(), "warm", "--json"};
  const auto gpu = is_gpu(target) ? gpu_of(target) : std::nullopt;
  if (is_gpu(target)) words.insert(words.end(), {"--device", gpu.value_or("cuda:0")});
  for (auto& argument : arguments) words.push_back(std::move(argument));
  std::vector<std::string> variables = environment_for(target, target == "native" || gpu.has_value());

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
