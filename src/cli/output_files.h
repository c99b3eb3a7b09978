// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/engine.h>
#include <jitney/tensor.h>

#include <string>
#include <string_view>
#include <vector>

#include "util/expected.h"

namespace jitney::cli {

/// A plain file name, without suffix, for a tensor of any name: letters, digits, '-', '_' and '.' stay, the rest
/// becomes '_'. Never empty, never starts with '.', never longer than a file system allows.
std::string file_stem(std::string_view tensor_name);

/// Different stems for all tensors, also where the file system ignores case.
std::vector<std::string> file_stems(const std::vector<TensorInfo>& tensors);

/// Makes the folder and those above it. Error(environment), or Error(user) where something else has its name.
Status make_folder(const std::string& path);

/// Writes each tensor to FOLDER/STEM.npy; gives the paths.
Expected<std::vector<std::string>> write_outputs(const std::string& folder, const std::vector<TensorInfo>& infos,
                                                 const std::vector<Tensor>& tensors);

}  // namespace jitney::cli
