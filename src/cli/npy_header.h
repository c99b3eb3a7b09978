// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "util/expected.h"

namespace jitney::cli {

/// The dictionary at the start of a .npy file. Nothing in it is checked against the file yet.
struct NpyHeader {
  std::string descr;  ///< dtype as numpy writes it: "<f4"
  bool fortran_order = false;
  std::vector<std::int64_t> shape;  ///< each 0 or more; at most 64 of them
};

/// Reads numpy's dictionary literal, for instance {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }: each of
/// the three keys once, in any order, and no other. Error(user) says what is wrong, without naming the file.
Expected<NpyHeader> parse_npy_header(std::string_view text);

/// Everything before the data: magic, version 1.0, length and dictionary, padded so that the data starts at a multiple
/// of 64 bytes.
std::string format_npy_header(const NpyHeader& header);

}  // namespace jitney::cli
