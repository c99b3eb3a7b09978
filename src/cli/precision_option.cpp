// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cli/precision_option.h"

#include <map>
#include <string>
#include <vector>

namespace jitney::cli {

namespace {

/// An option whose value is one of a few names.
template <class T>
void add_choice(CLI::App& command, const std::string& option, std::map<std::string, T> names, T& into,
                const std::string& help) {
  std::vector<std::string> known;
  for (const auto& [name, value] : names) known.push_back(name);
  std::string shown;
  for (const auto& name : known) shown += (shown.empty() ? "" : "|") + name;
  command
      .add_option_function<std::string>(
          option, [&into, names = std::move(names)](const std::string& name) { into = names.at(name); }, help)
      ->type_name(shown)
      ->check(CLI::IsMember(known).description(""));
}

}  // namespace

void add_precision(CLI::App& command, Precision& into) {
  add_choice<Precision>(
      command, "--precision", {{"fp32", Precision::fp32}, {"bf16", Precision::bf16}}, into,
      "fp32 (default): as the model says; bf16: f32 becomes bf16 inside\nthe model, with sums in f32");
}

void add_denormals(CLI::App& command, Denormals& into) {
  add_choice<Denormals>(
      command, "--denormals", {{"flush", Denormals::flush}, {"keep", Denormals::keep}}, into,
      "flush (default): numbers below 1.2e-38 are zero; keep: they are\ncomputed with, which is slow");
}

void add_tactics(CLI::App& command, std::optional<Tactics>& into) {
  add_choice<std::optional<Tactics>>(
      command, "--tactics", {{"heuristic", Tactics::heuristic}, {"timed", Tactics::timed}}, into,
      "On a GPU, how its libraries choose their algorithms. heuristic: as\nthey recommend; timed: the fastest, "
      "measured "
      "when a shape is\nplanned, and kept in the cache.\n(default: heuristic, or JITNEY_TACTICS)");
}

}  // namespace jitney::cli
