// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cli/precision_option.h"

#include <map>
#include <string>

namespace jitney::cli {

void add_precision(CLI::App& command, Precision& into) {
  static const std::map<std::string, Precision> names = {{"fp32", Precision::fp32}, {"bf16", Precision::bf16}};
  command
      .add_option_function<std::string>(
          "--precision", [&into](const std::string& name) { into = names.at(name); },
          "fp32 (default): as the model says; bf16: f32 becomes bf16 inside\nthe model, with sums in f32")
      ->type_name("fp32|bf16")
      ->check(CLI::IsMember(std::vector<std::string>{"fp32", "bf16"}).description(""));
}

}  // namespace jitney::cli
