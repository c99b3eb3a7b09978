// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cache/pack_merge.h"
#include "cache/packed_file.h"
#include "util/file_lock.h"

/// What is done with a packed file on disk: the part of which each system has its own form.
namespace jitney::cache {

FileLock::Options packed_lock(FileLock::Mode mode, const PackedOptions& options);

/// Makes the file the union of itself and the rows, under the exclusive lock; as save_packed() and prune_packed() say.
Expected<PackedReport> rewrite_packed(const std::string& path, PackRows rows, const PackedOptions& options);

}  // namespace jitney::cache
