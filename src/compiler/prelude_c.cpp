// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "compiler/prelude_c.h"

#include <sstream>
#include <vector>

namespace jitney::compiler {

namespace {

constexpr std::string_view kText =
#include "compiler/prelude_c.inc"
    ;

struct Part {
  std::vector<std::vector<std::string>> words;  ///< all of: any of
  std::string text;
};

/// "NAME(" or "NAME" for each #define in a text.
std::vector<std::string> defined_macros(const std::string& text) {
  std::vector<std::string> names;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("#define ")) names.push_back(line.substr(8, line.find_first_of(" (", 8) - 8));
  return names;
}

std::vector<Part> parse() {
  std::vector<Part> parts;
  std::istringstream in{std::string(kText)};
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("//@")) {
      if (!parts.empty()) parts.back().text += line + "\n";
      continue;
    }
    parts.emplace_back();
    std::istringstream words(line.substr(3));
    for (std::string word; words >> word;) {
      std::istringstream choices(word);
      parts.back().words.emplace_back();
      for (std::string choice; std::getline(choices, choice, '|');) parts.back().words.back().push_back(choice);
    }
  }
  for (std::size_t i = 1; i < parts.size(); ++i)
    if (parts[i].words.empty()) parts[i].words.push_back(defined_macros(parts[i].text));
  return parts;
}

}  // namespace

std::string prelude_c_for(std::string_view code) {
  static const std::vector<Part> parts = parse();
  // From the last part to the first: a part may use earlier ones only, so what uses it is known when it is looked at.
  std::string after(code);
  std::vector<bool> taken(parts.size(), false);
  for (std::size_t i = parts.size(); i-- > 0;) {
    bool needed = true;
    for (const auto& choices : parts[i].words) {
      bool any = false;
      for (const auto& word : choices) any = any || after.find(word) != std::string::npos;
      needed = needed && any;
    }
    taken[i] = needed;
    if (needed && !parts[i].words.empty()) after += parts[i].text;
  }
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (taken[i]) text += parts[i].text;
  return text;
}

}  // namespace jitney::compiler
