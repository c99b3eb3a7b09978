// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace jitney {

/// Text in an event, cut where there is no more room; never within a UTF-8 sequence.
template <std::size_t N>
class TraceText {
 public:
  void set(std::string_view text) {
    std::size_t size = text.size() < N ? text.size() : N;
    while (size > 0 && size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
    if (size > 0) std::memcpy(bytes_.data(), text.data(), size);
    size_ = static_cast<std::uint8_t>(size);
  }
  std::string_view view() const { return {bytes_.data(), size_}; }

 private:
  static_assert(N < 256);
  std::array<char, N> bytes_;
  std::uint8_t size_;
};

/// One thing on the timeline. Plain bytes without initializers: a span has one on the stack also while no trace is on.
struct TraceEvent {
  enum class Kind : std::uint8_t { span, instant, counter, thread_name };
  static constexpr std::size_t kNumbers = 4, kTexts = 2;
  struct Number {
    const char* key;
    std::int64_t value;
  };
  struct Text {
    const char* key;
    TraceText<71> value;
  };
  Kind kind;
  std::uint8_t number_count, text_count;
  bool flow_begins, flow_ends;
  std::int32_t thread;
  const char* category;             ///< a literal
  std::int64_t begin, nanoseconds;  ///< steady clock
  std::uint64_t flow;
  Number numbers[kNumbers];
  Text texts[kTexts];
  TraceText<95> title;
  TraceText<63> correlation;
};

}  // namespace jitney
