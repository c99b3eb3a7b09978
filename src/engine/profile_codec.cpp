// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "engine/codec.h"
#include "engine/profiles.h"

namespace jitney::engine {

std::string encode_profiles(const Profiles& profiles) {
  proto::Profiles message;
  for (const auto& profile : profiles) {
    auto& to = *message.add_profiles();
    for (const auto& range : profile.inputs) {
      auto& r = *to.add_inputs();
      r.mutable_min()->Add(range.min.begin(), range.min.end());
      r.mutable_opt()->Add(range.opt.begin(), range.opt.end());
      r.mutable_max()->Add(range.max.begin(), range.max.end());
    }
  }
  return message.SerializeAsString();
}

Expected<Profiles> decode_profiles(std::span<const std::byte> bytes) {
  proto::Profiles message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return user_error("the engine file is damaged: its profiles cannot be read");
  Profiles profiles;
  for (const auto& from : message.profiles()) {
    auto& profile = profiles.emplace_back();
    for (const auto& r : from.inputs())
      profile.inputs.push_back(
          {{r.min().begin(), r.min().end()}, {r.opt().begin(), r.opt().end()}, {r.max().begin(), r.max().end()}});
  }
  return profiles;
}

}  // namespace jitney::engine
