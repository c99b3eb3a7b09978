// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cli/maps_dump.h"

#include <fcntl.h>

#include <cstddef>

#include "util/env.h"
#include "util/file.h"
#include "util/log.h"

namespace jitney::cli {
namespace {

Status dump(const std::string& path) {
  unique_fd maps(::open("/proc/self/maps", O_RDONLY | O_CLOEXEC));
  if (!maps) return environment_error("cannot open /proc/self/maps: {}", errno_text(errno));
  const auto bytes = read_all(maps.get(), std::size_t{64} << 20);
  if (!bytes) return environment_error("cannot read /proc/self/maps: {}", errno_text(bytes.error()));
  JITNEY_TRY(AtomicFile file, AtomicFile::create(path, {}));
  JITNEY_CHECK(file.write(*bytes));
  return file.commit();
}

}  // namespace

void dump_maps_if_asked() {
  static bool is_done = false;
  const auto path = is_done ? std::nullopt : env_path("JITNEY_DUMP_MAPS");
  is_done = true;
  if (!path) return;
  if (const Status dumped = dump(*path); !dumped) log_warning("JITNEY_DUMP_MAPS: {}", dumped.error().message);
}

}  // namespace jitney::cli
