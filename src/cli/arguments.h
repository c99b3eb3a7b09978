// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/optimization_profile.h>
#include <jitney/tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "util/expected.h"

/// The values of options that the command line parser cannot check by itself. Errors are the user's, one sentence
/// with the option's text.
namespace jitney::cli {

struct ShapeArgument {
  std::string input;
  std::vector<std::int64_t> shape;
};

/// "images=1x3x224x224": one extent (0 or more) for each dimension.
Expected<ShapeArgument> parse_shape_argument(const std::string& text);

/// "images=1x3x224x224,mask=1x224", as --shapes takes it: one --shape each. trtexec's "images:1x3x224x224" is taken,
/// too.
std::vector<std::string> split_shapes(const std::string& text);

/// "ids=1x1:1x128:8x512 mask=1x1:1x128:8x512": least, best and greatest shape of each input of one optimization
/// profile.
Expected<std::map<std::string, ShapeRange>> parse_profile_argument(const std::string& text);

struct InputArgument {
  std::string input;
  std::string file;
};

/// "images=folder/images.npy". The name ends at the first '='.
Expected<InputArgument> parse_input_argument(const std::string& text);

/// "cpu", "cuda", "cuda:1" or "null".
Expected<Device> parse_device(const std::string& text);

}  // namespace jitney::cli
