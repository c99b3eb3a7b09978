// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>
#include <string_view>

namespace jitney::cli {
namespace {

/// A decimal number and nothing else.
template <class T>
bool parse_number(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

/// "1x3x8x8"; empty where it is none.
std::optional<std::vector<std::int64_t>> parse_extents(std::string_view text) {
  std::vector<std::int64_t> extents;
  for (;;) {
    const auto end = std::min(text.find('x'), text.size());
    std::int64_t extent = 0;
    if (!parse_number(text.substr(0, end), extent) || extent < 0) return std::nullopt;
    extents.push_back(extent);
    if (end == text.size()) return extents;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

Expected<ShapeArgument> parse_shape_argument(const std::string& text) {
  const auto malformed = [&](std::string_view why) {
    return user_error("--shape '{}': {}; write NAME=EXTENTxEXTENT..., for instance --shape images=1x3x224x224", text,
                      why);
  };
  const auto equals = text.rfind('=');  // extents have none, names may
  if (equals == std::string::npos) return malformed("there is no '='");
  if (equals == 0) return malformed("the input's name is missing");
  ShapeArgument result{.input = text.substr(0, equals)};
  std::string_view rest = std::string_view(text).substr(equals + 1);
  for (;;) {
    const auto end = std::min(rest.find('x'), rest.size());
    const std::string_view part = rest.substr(0, end);
    std::int64_t extent = 0;
    if (!parse_number(part, extent) || extent < 0) {
      return malformed(fmt::format("'{}' is no extent, which is an integer from 0 to 2^63-1", part));
    }
    result.shape.push_back(extent);
    if (end == rest.size()) return result;
    rest.remove_prefix(end + 1);
  }
}

Expected<std::map<std::string, ShapeRange>> parse_profile_argument(const std::string& text) {
  const auto malformed = [&](const std::string& why) {
    return user_error(
        "--profile '{}': {}; write NAME=MIN:OPT:MAX for each input, for instance --profile "
        "'ids=1x1:1x128:8x512 mask=1x1:1x128:8x512'",
        text, why);
  };
  std::map<std::string, ShapeRange> ranges;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const auto equals = word.rfind('=');  // shapes have none, names may
    if (equals == std::string::npos || equals == 0) return malformed(fmt::format("'{}' names no input", word));
    std::vector<std::vector<std::int64_t>> shapes;
    std::istringstream parts(word.substr(equals + 1));
    for (std::string part; std::getline(parts, part, ':');) {
      auto extents = parse_extents(part);
      if (!extents) return malformed(fmt::format("'{}' is no shape", part));
      shapes.push_back(std::move(*extents));
    }
    if (shapes.size() != 3) return malformed(fmt::format("'{}' has {} shapes, not three", word, shapes.size()));
    if (!ranges.emplace(word.substr(0, equals), ShapeRange{shapes[0], shapes[1], shapes[2]}).second)
      return malformed(fmt::format("the input of '{}' is there twice", word));
  }
  if (ranges.empty()) return malformed("there is no input");
  return ranges;
}

std::vector<std::string> split_shapes(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(',', begin), text.size());
    std::string part = text.substr(begin, end - begin);
    if (const auto colon = part.rfind(':'); colon != std::string::npos && part.find('=') == std::string::npos)
      part[colon] = '=';
    parts.push_back(std::move(part));
    begin = end + 1;
  }
  return parts;
}

Expected<InputArgument> parse_input_argument(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    return user_error("--input '{}': write NAME=FILE.npy, for instance --input images=images.npy", text);
  }
  return InputArgument{.input = text.substr(0, equals), .file = text.substr(equals + 1)};
}

Expected<Device> parse_device(const std::string& text) {
  const auto colon = text.find(':');
  const std::string_view kind = std::string_view(text).substr(0, colon);
  Device device;
  bool known = true;
  if (kind == "cuda") {
    device.type = Device::Type::cuda;
  } else if (kind == "null") {
    device.type = Device::Type::null;
  } else {
    known = kind == "cpu";
  }
  if (colon != std::string::npos) {
    known = known && parse_number(std::string_view(text).substr(colon + 1), device.index) && device.index >= 0;
  }
  if (!known) return user_error("--device '{}': write cpu, cuda:INDEX or null", text);
  return device;
}

}  // namespace jitney::cli
