// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "util/expected.h"
#include "util/unique_fd.h"

namespace jitney {

/// A file in memory that holds a copy of `bytes` and can never change again (sealed against writing and resizing):
/// what was verified is what dlopen maps. `name` shows in /proc/self/maps. Error(environment) when the kernel refuses,
/// or when a limit on file sizes would be passed; raises no SIGXFSZ.
Expected<unique_fd> make_memfd(const std::string& name, std::span<const std::byte> bytes);

/// "/proc/self/fd/7": a path to an open descriptor for interfaces that want one. Valid while the descriptor is open.
std::string fd_path(int fd);

}  // namespace jitney
