// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

#include "backend/cuda/driver.h"
#include "util/expected.h"

namespace jitney::backend::cuda {

/// Words that kernels report bad indices in. LaunchArgs::fault is ordinary memory that a device cannot write, so each
/// such host word gets a stand-in: a word in page-locked memory that is mapped into the device. All launches of one
/// stream with the same host word share one stand-in. When the stream is synchronized the stand-ins of its launches are
/// looked at, and a number other than 0 goes to the host word. The host word must therefore live until then.
///
/// A captured graph keeps the stand-ins of its launches until it is destroyed; a replay makes the stream that it runs
/// on look at them when it is synchronized. In a capture that somebody else began, whose replays are not seen here,
/// faults go to a word that nobody reads: the kernel still reads element 0 and harms nobody.
///
/// One object a device. Thread-safe; the context is current where a function needs it.
class FaultWords {
 public:
  explicit FaultWords(const Driver& driver) : driver_(driver) {}
  /// Every stream and every graph has ended: gives the pages back. Without it they stay until the process ends.
  void free_pages();
  FaultWords(const FaultWords&) = delete;
  FaultWords& operator=(const FaultWords&) = delete;

  /// The device address for a launch on this stream. 0 for no host word.
  Expected<CUdeviceptr> stand_in(CUstream stream, std::int32_t* host);
  /// The stream's work is done: reports faults and lets its stand-ins go.
  void collect(CUstream stream);
  /// The same without reporting: the host words may be gone.
  void forget(CUstream stream);
  bool is_pending(CUstream stream) const;

  using Words = std::vector<std::pair<std::int32_t*, std::uint32_t>>;  ///< host word and the index of its stand-in
  void begin_capture(cuuint64_t id);
  /// What the launches of the capture use. To be given to release() when the graph is destroyed.
  Words end_capture(cuuint64_t id);
  void replayed(CUstream stream, const Words& words);
  void release(const Words& words);

 private:
  static constexpr std::uint32_t kPageWords = 1024;
  struct Page {
    volatile std::int32_t* host;
    CUdeviceptr device;
  };
  Expected<std::uint32_t> take();
  void drop(std::uint32_t index);
  volatile std::int32_t& word(std::uint32_t index) { return pages_[index / kPageWords].host[index % kPageWords]; }
  CUdeviceptr address(std::uint32_t index) const {
    return pages_[index / kPageWords].device + index % kPageWords * sizeof(std::int32_t);
  }

  const Driver& driver_;
  mutable std::mutex mutex_;
  std::vector<Page> pages_;
  std::vector<std::uint32_t> uses_;  ///< by index: how many lists name it
  std::vector<std::uint32_t> free_;
  std::map<CUstream, Words> pending_;
  std::map<cuuint64_t, Words> captures_;
};

}  // namespace jitney::backend::cuda
