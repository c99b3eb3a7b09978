// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <array>

#include "jitney/torch/record.h"

namespace jitney::torch_runtime {
namespace {

constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> make_values() {
  std::array<std::int8_t, 256> values{};
  for (auto& v : values) v = -1;
  for (std::int8_t i = 0; i < 64; ++i) values[static_cast<unsigned char>(kDigits[i])] = i;
  return values;
}
constexpr auto kValues = make_values();

}  // namespace

std::string encode_base64(const at::Tensor& bytes) {
  const auto* in = bytes.const_data_ptr<std::uint8_t>();
  const std::size_t size = static_cast<std::size_t>(bytes.numel());
  std::string out((size + 2) / 3 * 4, '=');
  char* to = out.data();
  for (std::size_t i = 0; i < size; i += 3) {
    const std::size_t left = size - i;
    const std::uint32_t group = static_cast<std::uint32_t>(in[i]) << 16 |
                                (left > 1 ? static_cast<std::uint32_t>(in[i + 1]) << 8 : 0) |
                                (left > 2 ? static_cast<std::uint32_t>(in[i + 2]) : 0);
    *to++ = kDigits[group >> 18];
    *to++ = kDigits[group >> 12 & 63];
    if (left > 1) *to = kDigits[group >> 6 & 63];
    ++to;
    if (left > 2) *to = kDigits[group & 63];
    ++to;
  }
  return out;
}

at::Tensor decode_base64(const std::string& text) {
  const auto bad = [](const char* why) {
    C10_THROW_ERROR(ValueError, std::string("an engine's bytes are not base64: ") + why);
  };
  if (text.size() % 4 != 0) bad("their length is no multiple of 4");
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  const std::size_t size = text.size() / 4 * 3 - padding;
  at::Tensor bytes = at::empty({static_cast<std::int64_t>(size)}, at::kByte);
  auto* out = bytes.mutable_data_ptr<std::uint8_t>();
  std::size_t written = 0;
  for (std::size_t i = 0; i < text.size(); i += 4) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const bool is_padding = i + k >= text.size() - padding;
      const int value = is_padding ? 0 : kValues[static_cast<unsigned char>(text[i + k])];
      if (value < 0) bad("there is a character that no digit is");
      group = group << 6 | static_cast<std::uint32_t>(value);
    }
    for (int shift = 16; shift >= 0 && written < size; shift -= 8)
      out[written++] = static_cast<std::uint8_t>(group >> shift);
  }
  return bytes;
}

}  // namespace jitney::torch_runtime
