// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cli/observation.h"

#include <fmt/format.h>
#include <jitney/metrics.h>

#include <cstdio>
#include <filesystem>

#include "util/atomic_file.h"
#include "util/env.h"
#include "util/log.h"

namespace jitney::cli {

void add_observation(CLI::App& command, ObserveOptions& into) {
  command.add_option("--trace", into.trace, "Write a timeline of everything, for ui.perfetto.dev")->type_name("FILE");
  command
      .add_option("--metrics", into.metrics,
                  "Write all counters: as Prometheus text, or as JSON where the\nname ends in .json; '-' prints them")
      ->type_name("FILE|-");
  command
      .add_option(
          "--layer-info", into.layers,
          "Write what each step is, as JSON: operators, kernel, where it came\nfrom, shapes, bytes; '-' prints it")
      ->type_name("FILE|-");
}

namespace {

namespace fs = std::filesystem;

bool is_same_file(const fs::path& a, const fs::path& b) {
  std::error_code unknown;
  return fs::equivalent(a, b, unknown) ||
         fs::absolute(a, unknown).lexically_normal() == fs::absolute(b, unknown).lexically_normal();
}

}  // namespace

void check_observation(const ObserveOptions& options, bool json, const std::vector<std::string>& read,
                       const std::vector<std::string>& also) {
  const int printed = (options.metrics == "-") + (options.layers == "-") + json;
  if (printed > 1)
    throw Error(ErrorKind::user,
                "only one of --json, '--metrics -' and '--layer-info -' can be printed; give the others a file");
  std::vector<std::string> files = also;
  files.insert(files.end(), {options.trace, options.metrics, options.layers});
  std::erase_if(files, [](const std::string& file) { return file.empty() || file == "-"; });
  for (std::size_t i = 0; i < files.size(); ++i) {
    for (const std::string& model : read)
      if (is_same_file(files[i], model))
        throw Error(ErrorKind::user, fmt::format("'{}' is read, and cannot be what is written", files[i]));
    for (std::size_t j = 0; j < i; ++j)
      if (is_same_file(files[i], files[j]))
        throw Error(ErrorKind::user, fmt::format("'{}' would be written twice; give each its own file", files[i]));
    const fs::path folder = fs::path(files[i]).parent_path();
    std::error_code unknown;
    if (!folder.empty() && !fs::is_directory(folder, unknown))
      throw Error(ErrorKind::user,
                  fmt::format("'{}' cannot be written: there is no folder '{}'", files[i], folder.string()));
  }
}

Observation::Observation(const ObserveOptions& options) : options_(options) {
  if (options.trace.empty()) return;
  if (const auto other = env_path("JITNEY_TRACE"); other && *other != options.trace)
    log_warning("JITNEY_TRACE: '{}' is not written, since --trace writes the process' one timeline", *other);
  trace_.emplace(options.trace);
}

void Observation::finish(const ExecutionContext& context, const std::vector<Tensor>& inputs) {
  if (trace_) trace_->stop();
  if (!options_.metrics.empty()) {
    auto all = metrics(context.stats());
    const auto status = metrics(context.compile_status()), process = metrics();
    all.insert(all.end(), status.begin(), status.end());
    all.insert(all.end(), process.begin(), process.end());
    write_text(options_.metrics, options_.metrics.ends_with(".json") ? to_json(all) + "\n" : to_prometheus(all));
  }
  if (options_.layers.empty()) return;
  std::vector<std::vector<std::int64_t>> shapes;
  shapes.reserve(inputs.size());
  for (const Tensor& t : inputs) shapes.push_back(t.shape());
  write_text(options_.layers, context.layer_info(shapes) + "\n");
}

void write_text(const std::string& path, const std::string& text) {
  if (path == "-") {
    fmt::print("{}", text);
    return;
  }
  const auto write = [&]() -> Status {
    JITNEY_TRY(AtomicFile file, AtomicFile::create(path, {}));
    JITNEY_CHECK(file.write(std::as_bytes(std::span(text.data(), text.size()))));
    return file.commit();
  };
  value_or_throw(write());
}

}  // namespace jitney::cli
