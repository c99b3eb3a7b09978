// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cache/settings.h"
#include "cli/cache_report.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"

namespace jitney::cli {
namespace {

struct CacheOptions {
  std::string path, key, output, max_size;
  std::vector<std::string> sources;
  bool json = false;
};
using Shared = std::shared_ptr<CacheOptions>;

std::string path_of(const CacheOptions& options) {
  if (!options.path.empty()) return options.path;
  const std::string own = default_cache_path();
  if (own.empty())
    throw Error(ErrorKind::environment, "there is no home folder, so there is no per-user cache; name one");
  return own;
}

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void print_counts(const CacheOptions& options, const nlohmann::ordered_json& object, const std::string& text) {
  print(options.json ? object.dump() + "\n" : text + "\n");
}

cache::Inspection inspect(const CacheOptions& options) {
  return value_or_throw(cache::inspect_cache(path_of(options)));
}

int stats(const CacheOptions& options) {
  const auto found = inspect(options);
  print(options.json ? stats_json(found) : stats_text(found));
  return kOk;
}

int list(const CacheOptions& options) {
  const auto found = inspect(options);
  print(options.json ? list_json(found) : list_text(found));
  return kOk;
}

/// Digits from either part of the id, as far as they are unique.
int show(const CacheOptions& options) {
  const auto found = inspect(options);
  const CacheEntry* match = nullptr;
  for (const auto& entry : found.entries) {
    const auto hash = entry.id.substr(entry.id.find('-') + 1);
    if (!entry.id.starts_with(options.key) && !hash.starts_with(options.key)) continue;
    if (match != nullptr)
      throw Error(ErrorKind::user, fmt::format("'{}' begins several ids; 'jitney cache ls' lists them", options.key));
    match = &entry;
  }
  if (match == nullptr)
    throw Error(ErrorKind::user,
                fmt::format("no entry's id begins with '{}'; 'jitney cache ls' lists them", options.key));
  print(options.json ? entry_json(*match) : entry_text(*match));
  return kOk;
}

int verify(const CacheOptions& options) {
  const auto found = inspect(options);
  print(options.json ? stats_json(found) : stats_text(found));
  return found.bad.empty() ? kOk : kEnvironment;
}

int merge(const CacheOptions& options) {
  const bool folder = options.output.back() == '/' || std::filesystem::is_directory(options.output);
  const auto form = folder ? cache::Form::store : cache::Form::packed;
  std::uint64_t entries = 0;
  for (const auto& source : options.sources) entries += value_or_throw(cache::copy_cache(source, options.output, form));
  print_counts(options, {{"output", options.output}, {"entries_read", entries}},
               fmt::format("{}: {} entries read from {} caches", options.output, entries, options.sources.size()));
  return kOk;
}

int convert(const CacheOptions& options, cache::Form form) {
  const auto entries = value_or_throw(cache::copy_cache(path_of(options), options.output, form));
  print_counts(options, {{"output", options.output}, {"entries", entries}},
               fmt::format("{}: {} entries", options.output, entries));
  return kOk;
}

int prune(const CacheOptions& options, std::uint64_t max_bytes, bool keep_used) {
  const auto removed = value_or_throw(cache::prune_cache(path_of(options), max_bytes, keep_used));
  print_counts(
      options, {{"removed", removed.files}, {"removed_bytes", removed.bytes}, {"bytes_left", removed.bytes_left}},
      fmt::format("{} entries removed ({} bytes), {} bytes left", removed.files, removed.bytes, removed.bytes_left));
  return kOk;
}

CLI::App* add(CLI::App& parent, Action& action, const Shared& options, const std::string& name, const std::string& what,
              int (*run)(const CacheOptions&), bool with_path = true) {
  CLI::App* command = parent.add_subcommand(name, what);
  if (with_path) command->add_option("PATH", options->path, "A store or a packed file (default: yours)")->type_name("");
  command->add_flag("--json", options->json, "Print one JSON object for programs");
  command->callback([options, &action, run] { action = [options, run] { return run(*options); }; });
  return command;
}

}  // namespace

void add_cache(CLI::App& app, Action& action) {
  const auto options = std::make_shared<CacheOptions>();
  CLI::App* cache = app.add_subcommand("cache", "Look into caches of compiled kernels, merge, pack and prune them");
  cache->require_subcommand(1);
  add(*cache, action, options, "stats", "How much there is, for which targets, and what is damaged", stats);
  add(*cache, action, options, "ls", "One line an entry: id, bytes, last use, kind, target", list);
  CLI::App* shown = cache->add_subcommand("show", "One entry with its whole key");
  shown->add_option("KEY", options->key, "The first digits of an id")->required()->type_name("");
  shown->add_option("PATH", options->path, "A store or a packed file (default: yours)")->type_name("");
  shown->add_flag("--json", options->json, "Print one JSON object for programs");
  shown->callback([options, &action] { action = [options] { return show(*options); }; });
  add(*cache, action, options, "verify", "Read and unpack every entry; exit code 3 when one is bad", verify);
  CLI::App* merged = add(*cache, action, options, "merge", "Add caches to another one", merge, false);
  merged->add_option("CACHES", options->sources, "Stores and packed files")->required()->type_name("");
  merged->add_option("-o,--output", options->output, "A folder, or a packed file")->required()->type_name("PATH");
  add(*cache, action, options, "pack", "Put a cache into one file, to ship it",
      [](const CacheOptions& o) { return convert(o, cache::Form::packed); })
      ->add_option("-o,--output", options->output, "The file")
      ->required()
      ->type_name("FILE");
  add(*cache, action, options, "unpack", "Put a packed file's entries into a store",
      [](const CacheOptions& o) { return convert(o, cache::Form::store); })
      ->add_option("-o,--output", options->output, "The folder")
      ->required()
      ->type_name("FOLDER");
  add(*cache, action, options, "prune", "Remove what was used least recently, but nothing in use",
      [](const CacheOptions& o) { return prune(o, value_or_throw(cache::parse_size(o.max_size)), true); })
      ->add_option("--max-size", options->max_size, "What may stay: bytes, or 500M, 2G")
      ->required()
      ->type_name("SIZE");
  add(*cache, action, options, "clear", "Remove all entries", [](const CacheOptions& o) { return prune(o, 0, false); });
  add(
      *cache, action, options, "path", "Where your cache is",
      [](const CacheOptions& o) {
        print_counts(o, {{"path", path_of(o)}}, path_of(o));
        return static_cast<int>(kOk);
      },
      false);
  add_warm(*cache, action);
  cache->footer(
      "An existing folder, or a path that ends in '/', is a store; any other path is a packed file.\n"
      "\n"
      "Examples:\n"
      "  jitney cache stats\n"
      "  jitney cache pack -o kernels.jkp\n"
      "  jitney cache merge a.jkp b.jkp -o both.jkp\n"
      "  jitney cache prune --max-size 500M");
}

}  // namespace jitney::cli
