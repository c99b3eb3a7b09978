// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cli/observation.h"

#include <fmt/format.h>
#include <jitney/metrics.h>

#include <cstdio>

#include "util/atomic_file.h"

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

void check_observation(const ObserveOptions& options, bool json) {
  const int printed = (options.metrics == "-") + (options.layers == "-") + json;
  if (printed > 1)
    throw Error(ErrorKind::user,
                "only one of --json, '--metrics -' and '--layer-info -' can be printed; give the others a file");
}

Observation::Observation(const ObserveOptions& options) : options_(options) {
  if (!options.trace.empty()) trace_.emplace(options.trace);
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
