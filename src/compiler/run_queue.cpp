// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "compiler/run_queue.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <string>

#include "compiler/descriptor.h"

namespace jitney::compiler {
namespace {

/// The beginning of /proc/PROCESS/NAME; "" on any trouble.
std::string process_file(pid_t process, const char* name) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%ld/%s", static_cast<long>(process), name);
  Descriptor file(::open(path, O_RDONLY | O_CLOEXEC));
  if (!file) return "";
  char text[256];
  ssize_t n = ::read(file.get(), text, sizeof text);
  return n > 0 ? std::string(text, static_cast<std::size_t>(n)) : "";
}

}  // namespace

RunQueueState run_queue_state(pid_t process) {
  unsigned long long ran = 0, waited = 0;
  // Nanoseconds on a core, nanoseconds waiting for one, number of turns.
  if (std::sscanf(process_file(process, "schedstat").c_str(), "%llu %llu", &ran, &waited) != 2) return {};
  // "PID (NAME) STATE ...", where the name may hold anything.
  std::string stat = process_file(process, "stat");
  auto name_end = stat.rfind(')');
  bool ready = name_end != std::string::npos && stat.substr(name_end + 1, 2) == " R";
  return {std::chrono::nanoseconds(static_cast<std::int64_t>(ran)),
          std::chrono::nanoseconds(static_cast<std::int64_t>(waited)), ready};
}

}  // namespace jitney::compiler
