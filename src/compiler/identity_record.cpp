// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "compiler/compiler.h"

/// record = "jitney compiler record 1" LF "identity " text LF { "file " size " " mtime_ns " " path LF } "end" LF
namespace jitney::compiler {
namespace {

constexpr std::string_view kFirstLine = "jitney compiler record 1";

/// "size mtime_ns", or nothing if there is no such regular file.
std::optional<std::string> stamp(const std::string& path) {
  struct stat s;
  if (::stat(path.c_str(), &s) != 0 || !S_ISREG(s.st_mode)) return std::nullopt;
  return fmt::format("{} {}", s.st_size, std::int64_t{s.st_mtim.tv_sec} * 1'000'000'000 + s.st_mtim.tv_nsec);
}

std::optional<std::string_view> next_line(std::string_view& text) {
  auto end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  auto line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

bool strip(std::string_view& line, std::string_view prefix) {
  if (!line.starts_with(prefix)) return false;
  line.remove_prefix(prefix.size());
  return true;
}

}  // namespace

Expected<std::string> IdentityRecord::key(const std::string& worker_path) {
  auto s = stamp(worker_path);
  if (!s) return environment_error("the compiler '{}' is not a file", worker_path);
  // Another search path may find other libraries.
  const char* search = std::getenv("LD_LIBRARY_PATH");
  return fmt::format("compiler-identity {} {} {}", *s, worker_path, search ? search : "");
}

std::optional<std::string> IdentityRecord::check(const std::string& record) {
  std::string_view rest = record;
  if (next_line(rest) != kFirstLine) return std::nullopt;
  auto identity = next_line(rest);
  if (!identity || !strip(*identity, "identity ") || identity->empty()) return std::nullopt;
  int files = 0;
  for (;;) {
    auto line = next_line(rest);
    if (!line) return std::nullopt;
    if (*line == "end") break;
    if (!strip(*line, "file ")) return std::nullopt;
    auto first = line->find(' ');
    auto second = first == std::string_view::npos ? first : line->find(' ', first + 1);
    if (second == std::string_view::npos) return std::nullopt;
    if (stamp(std::string(line->substr(second + 1))) != line->substr(0, second)) return std::nullopt;
    ++files;
  }
  if (files == 0 || !rest.empty()) return std::nullopt;
  return std::string(*identity);
}

std::string IdentityRecord::make(const std::string& identity, const std::vector<std::string>& mapped_files) {
  // What cannot be written down, or is gone already (replaced while it runs), makes an empty record: nothing to
  // remember, so the next process asks a worker.
  if (identity.empty() || identity.find('\n') != std::string::npos || mapped_files.empty()) return "";
  std::string record = fmt::format("{}\nidentity {}\n", kFirstLine, identity);
  for (const std::string& path : mapped_files) {
    auto s = stamp(path);
    if (!s || path.find('\n') != std::string::npos) return "";
    record += fmt::format("file {} {}\n", *s, path);
  }
  return record + "end\n";
}

}  // namespace jitney::compiler
