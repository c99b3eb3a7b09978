// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/registry.h>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "util/log.h"

namespace jitney {
namespace {

/// Numbers of objects that live, and names.
template <typename T>
class Table {
 public:
  struct Row {
    std::weak_ptr<T> object;
    std::string name;
  };

  std::uint64_t add(const std::shared_ptr<T>& object, std::string name) {
    const std::lock_guard lock(mutex_);
    std::erase_if(rows_, [](const auto& row) { return row.second.object.expired(); });
    for (const auto& [id, row] : rows_)
      if (!row.object.owner_before(object) && !object.owner_before(row.object)) return id;
    rows_.emplace(next_, Row{object, std::move(name)});
    return next_++;
  }

  std::shared_ptr<T> find(std::uint64_t id) {
    const std::lock_guard lock(mutex_);
    const auto row = rows_.find(id);
    return row == rows_.end() ? nullptr : row->second.object.lock();
  }

  std::map<std::uint64_t, Row> rows() {
    const std::lock_guard lock(mutex_);
    return rows_;
  }

 private:
  std::mutex mutex_;
  std::map<std::uint64_t, Row> rows_;
  std::uint64_t next_ = 1;
};

/// Never destroyed: static objects elsewhere may outlive this library's own.
template <typename T>
Table<T>& table() {
  static auto& instance = *new Table<T>;
  return instance;
}

}  // namespace

std::uint64_t register_session(const std::shared_ptr<Session>& session, std::string name) {
  return table<Session>().add(session, std::move(name));
}

std::shared_ptr<Session> find_session(std::uint64_t id) { return table<Session>().find(id); }

std::vector<RegisteredSession> registered_sessions(std::string_view name) {
  std::vector<RegisteredSession> found;
  for (const auto& [id, row] : table<Session>().rows()) {
    if (!name.empty() && row.name != name) continue;
    if (auto session = row.object.lock()) found.push_back({id, row.name, std::move(session)});
  }
  return found;
}

int apply_runtime_settings(std::string_view name, const RuntimeSettings& settings) {
  const auto found = registered_sessions(name);
  for (const auto& each : found) each.session->update_runtime_settings(settings);
  return static_cast<int>(found.size());
}

namespace {

struct Sink {
  std::mutex mutex;
  std::function<void(const std::string&)> function;
};

Sink& warning_sink() {
  static auto& instance = *new Sink;
  return instance;
}

}  // namespace

void set_warning_sink(std::function<void(const std::string&)> sink) {
  const std::lock_guard lock(warning_sink().mutex);
  warning_sink().function = std::move(sink);
}

void warn(const std::string& text) {
  std::function<void(const std::string&)> sink;
  {
    const std::lock_guard lock(warning_sink().mutex);
    sink = warning_sink().function;
  }
  sink ? sink(text) : log_warning("{}", text);
}

std::uint64_t register_engine(const Engine& engine) { return table<const EngineImpl>().add(engine.impl(), ""); }

Engine find_engine(std::uint64_t id) {
  auto found = table<const EngineImpl>().find(id);
  if (!found) throw Error(ErrorKind::user, fmt::format("there is no engine number {} in this process", id));
  return Engine(std::move(found));
}

std::uint64_t register_runtime_cache(const std::shared_ptr<RuntimeCache>& cache) {
  return table<RuntimeCache>().add(cache, {});
}

std::shared_ptr<RuntimeCache> find_runtime_cache(std::uint64_t id) { return table<RuntimeCache>().find(id); }

}  // namespace jitney
