// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cli/cache_report.h"

#include <fmt/chrono.h>

#include <map>
#include <nlohmann/json.hpp>

namespace jitney::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& object) { return object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

std::string form_name(const cache::Inspection& found) {
  return found.form == cache::Form::store ? "store" : "packed file";
}

std::string field(const CacheEntry& entry, const std::string& name) {
  const auto value = entry.fields.find(name);
  return value == entry.fields.end() ? "" : value->second;
}

/// The first words of a value that may be long and hold anything.
std::string brief(const std::string& text, std::size_t most) {
  std::string line = text.substr(0, most);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  }
  return text.size() > most ? line + "..." : line;
}

Json to_object(const CacheEntry& entry) {
  return {{"id", entry.id},
          {"kind", field(entry, "kind")},
          {"target", field(entry, "target")},
          {"compiler", field(entry, "compiler")},
          {"bytes", entry.bytes},
          {"blob_bytes", entry.blob_bytes},
          {"creator", entry.creator},
          {"last_used", entry.last_used},
          {"signed", entry.is_signed}};
}

Json bad_of(const cache::Inspection& found) {
  Json bad = Json::array();
  for (const auto& b : found.bad) bad.push_back({{"where", b.where}, {"reason", b.reason}, {"count", b.count}});
  return bad;
}

std::map<std::string, std::uint64_t> count_by(const cache::Inspection& found, const std::string& name) {
  std::map<std::string, std::uint64_t> counts;
  for (const auto& entry : found.entries) ++counts[field(entry, name)];
  return counts;
}

std::string bad_text(const cache::Inspection& found) {
  std::string text;
  for (const auto& b : found.bad) {
    text += fmt::format("bad: {} {}{}{}\n", b.count, b.reason, b.where.empty() ? "" : ": ", brief(b.where, 200));
  }
  return text;
}

}  // namespace

std::string stats_text(const cache::Inspection& found) {
  std::string text = fmt::format("{} {}{}\n", form_name(found), found.path,
                                 !found.exists    ? ": not there yet"
                                 : found.writable ? ""
                                                  : " (read-only)");
  text += fmt::format("{} entries, {} bytes\n", found.entries.size(), found.bytes);
  for (const auto& [target, count] : count_by(found, "target")) {
    if (!target.empty()) text += fmt::format("  {:6} for {}\n", count, brief(target, 100));
  }
  return text + bad_text(found);
}

std::string stats_json(const cache::Inspection& found) {
  return dump({{"path", found.path},
               {"form", found.form == cache::Form::store ? "store" : "packed"},
               {"exists", found.exists},
               {"writable", found.writable},
               {"entries", found.entries.size()},
               {"bytes", found.bytes},
               {"kinds", count_by(found, "kind")},
               {"targets", count_by(found, "target")},
               {"bad", bad_of(found)}});
}

std::string list_text(const cache::Inspection& found) {
  std::string text;
  for (const auto& entry : found.entries) {
    text += fmt::format("{}  {:8}  {:%Y-%m-%d}  {:18} {}\n", entry.id, entry.bytes,
                        fmt::gmtime(static_cast<std::time_t>(entry.last_used)), brief(field(entry, "kind"), 18),
                        brief(field(entry, "target"), 60));
  }
  return text + bad_text(found);
}

std::string list_json(const cache::Inspection& found) {
  Json entries = Json::array();
  for (const auto& entry : found.entries) entries.push_back(to_object(entry));
  return dump({{"path", found.path}, {"entries", entries}, {"bad", bad_of(found)}});
}

std::string entry_text(const CacheEntry& entry) {
  std::string text = fmt::format("id: {}\nbytes: {} ({} unpacked)\ncreator: {}\nsigned: {}\n", entry.id, entry.bytes,
                                 entry.blob_bytes, entry.creator, entry.is_signed ? "yes" : "no");
  for (const auto& [name, value] : entry.fields) {
    if (value.find('\n') == std::string::npos) text += fmt::format("{}: {}\n", name, brief(value, 2000));
  }
  for (const auto& [name, value] : entry.fields) {
    if (value.find('\n') != std::string::npos) text += fmt::format("{}:\n{}\n", name, value);
  }
  return text;
}

std::string entry_json(const CacheEntry& entry) {
  Json object = to_object(entry);
  object["fields"] = entry.fields;
  return dump(object);
}

}  // namespace jitney::cli
