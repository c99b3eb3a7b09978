// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cli/output_files.h"

#include <filesystem>
#include <set>
#include <system_error>

#include "cli/npy.h"

namespace jitney::cli {
namespace {

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

}  // namespace

std::string file_stem(std::string_view tensor_name) {
  constexpr std::size_t kLongest = 200;  // of 255 bytes; leaves room for a number and the suffix
  std::string stem(tensor_name.substr(0, kLongest));
  for (char& c : stem) {
    if (!is_plain(c)) c = '_';
  }
  if (stem.empty()) return "output";
  if (stem[0] == '.') stem[0] = '_';
  return stem;
}

std::vector<std::string> file_stems(const std::vector<TensorInfo>& tensors) {
  std::vector<std::string> stems;
  std::set<std::string> used;
  for (const TensorInfo& tensor : tensors) {
    const std::string plain = file_stem(tensor.name);
    std::string stem = plain;
    for (int number = 2; !used.insert(lower(stem)).second; ++number) stem = fmt::format("{}-{}", plain, number);
    stems.push_back(std::move(stem));
  }
  return stems;
}

Status make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error && std::filesystem::is_directory(path, error)) return {};
  if (!error || error == std::errc::file_exists || error == std::errc::not_a_directory) {
    return user_error("cannot make the folder '{}': a file is in the way", path);
  }
  return environment_error("cannot make the folder '{}': {}", path, error.message());
}

Expected<std::vector<std::string>> write_outputs(const std::string& folder, const std::vector<TensorInfo>& infos,
                                                 const std::vector<Tensor>& tensors) {
  std::vector<std::string> paths;
  const std::vector<std::string> stems = file_stems(infos);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    paths.push_back((std::filesystem::path(folder) / (stems[i] + ".npy")).string());
    JITNEY_CHECK(write_npy(paths.back(), tensors[i]));
  }
  return paths;
}

}  // namespace jitney::cli
