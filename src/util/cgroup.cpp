// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "util/cgroup.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <sstream>

namespace jitney {
namespace {

/// The group's path in the hierarchy that has `controller`; "" names the unified hierarchy of cgroup v2.
/// Lines read "ID:CONTROLLER[,CONTROLLER]:PATH".
std::optional<std::string> group_path(const CgroupPaths& paths, const std::string& controller) {
  std::ifstream file(paths.membership);
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    std::stringstream controllers(line.substr(first + 1, second - first - 1));
    std::string name;
    do {
      name.clear();
      std::getline(controllers, name, ',');
      if (name == controller) return line.substr(second + 1);
    } while (!name.empty());
  }
  return std::nullopt;
}

/// Calls visit(folder) for the group and each of its ancestors up to the hierarchy's root. Inside a container the
/// path may name a group that is not mounted; the root is then all there is to see.
void for_each_ancestor(const std::string& root, std::string path,
                       const std::function<void(const std::string&)>& visit) {
  while (!path.empty() && path != "/") {
    visit(root + path);
    path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  }
  visit(root);
}

template <class T>
void take_lower(std::optional<T>& limit, T value) {
  limit = limit ? std::min(*limit, value) : value;
}

}  // namespace

std::optional<double> cgroup_cpu_limit(const CgroupPaths& paths) {
  std::optional<double> limit;
  if (const auto path = group_path(paths, "")) {
    for_each_ancestor(paths.root, *path, [&](const std::string& folder) {
      std::ifstream file(folder + "/cpu.max");  // "QUOTA PERIOD" in microseconds, QUOTA may be "max"
      double quota = 0, period = 0;
      if (file >> quota >> period && quota > 0 && period > 0) take_lower(limit, quota / period);
    });
  }
  if (const auto path = group_path(paths, "cpu")) {
    for_each_ancestor(paths.root + "/cpu", *path, [&](const std::string& folder) {
      std::ifstream quota_file(folder + "/cpu.cfs_quota_us"), period_file(folder + "/cpu.cfs_period_us");
      double quota = 0, period = 0;
      if (quota_file >> quota && period_file >> period && quota > 0 && period > 0) take_lower(limit, quota / period);
    });
  }
  return limit;
}

std::optional<std::uint64_t> cgroup_memory_limit(const CgroupPaths& paths) {
  std::optional<std::uint64_t> limit;
  const auto read = [&](const std::string& name) {
    std::ifstream file(name);  // a number or "max"; v1 says "unlimited" with a number near 2^63
    std::uint64_t bytes = 0;
    if (file >> bytes) take_lower(limit, bytes);
  };
  if (const auto path = group_path(paths, "")) {
    for_each_ancestor(paths.root, *path, [&](const std::string& folder) { read(folder + "/memory.max"); });
  }
  if (const auto path = group_path(paths, "memory")) {
    for_each_ancestor(paths.root + "/memory", *path,
                      [&](const std::string& folder) { read(folder + "/memory.limit_in_bytes"); });
  }
  return limit;
}

}  // namespace jitney
