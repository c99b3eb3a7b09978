// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "backend/cuda/driver.h"

namespace jitney::backend::cuda {

/// A driver that is no driver: two devices whose memory is the host's. What is put on a stream waits there until
/// somebody waits for it, as late as the rules allow, so that what is read or freed too early shows. Every breach of
/// the rules (no context, memory after its free, a stale handle) is written down. Used by one thread.
struct FakeDriver {
  FakeDriver();
  ~FakeDriver();
  FakeDriver(const FakeDriver&) = delete;

  static constexpr std::size_t kMemory = std::size_t{1} << 30;  ///< of each device
  static constexpr int kMultiprocessors = 3;

  struct Launch {
    unsigned grid, block;
    std::vector<std::uint64_t> words;  ///< the parameter buffer
    int device;
    unsigned cluster = 1;  ///< blocks of each
  };
  using Operation = std::function<void()>;

  // What tests set.
  std::map<std::string, CUresult> failures;  ///< by call; that call fails from now on
  int devices = 2;
  int capability = 90, multiprocessors = kMultiprocessors;
  unsigned most_blocks_of_a_cluster = 8;
  bool pools = true;
  std::set<const void*> page_locked;
  std::map<std::string, std::function<void(const Launch&)>> kernels{{"noop", [](const Launch&) {}}};
  bool foreign_capture = false;  ///< every stream is being captured by somebody else
  long fail_at = -1;             ///< the call of this number (from 0) fails, once
  CUresult fail_with = CUDA_ERROR_OUT_OF_MEMORY;

  // What tests look at.
  std::vector<std::string> calls;     ///< in order, names only, without those that only ask
  std::vector<std::string> breaches;  ///< must stay empty
  std::vector<Launch> launches;       ///< that have run
  std::set<std::uintptr_t> streams, events, modules, graphs, executables, memory_pools;
  std::map<CUdeviceptr, std::size_t> memory;  ///< not freed, or whose free has not run yet
  std::set<void*> host_pages;
  std::map<int, int> retained;
  CUcontext current = nullptr;

  /// How often a call was made.
  int count(const std::string& call) const;
  /// A stream that somebody else made, and captures; the operations that were recorded, to be put somewhere.
  CUstream make_stream();
  void destroy_stream(CUstream stream);
  void capture(CUstream stream);
  std::vector<Operation> end_capture(CUstream stream);
  /// Everything that waits on any stream runs, as late as can be.
  void drain();
  /// Nothing of the backend's is left.
  bool empty() const;

  // For the functions themselves.
  CUresult begin(const char* call, bool needs_context = true);
  void put(CUstream stream, Operation operation);
  void run(CUstream stream);
  void run_until(CUstream stream, std::uint64_t mark);
  void touch(CUdeviceptr address, std::size_t bytes, const char* who);
  std::uintptr_t make() { return next_ += 16; }

  struct Capture {
    cuuint64_t id;
    std::vector<Operation> operations;
    std::vector<std::uintptr_t> nodes;  ///< one an operation
    bool is_foreign = false;
  };
  /// A kernel node of a graph: which operation of the recording it is, and what it launches.
  struct Node {
    std::size_t operation;
    std::string kernel;
    Launch launch;
  };
  struct Queue {
    std::deque<Operation> waiting;
    std::uint64_t done = 0;
  };
  std::map<CUstream, Queue> queues;
  std::map<CUstream, Capture> captures;
  std::map<std::uintptr_t, Node> nodes;
  std::map<std::uintptr_t, std::uintptr_t> graph_of;  ///< by node
  std::map<CUstream, std::uint64_t> identities;
  int relaxed = 0;                                            ///< calls that may not disturb a capture are allowed
  long made = 0;                                              ///< calls so far
  std::map<std::uintptr_t, std::vector<Operation>> recorded;  ///< of graphs and executables
  std::map<std::uintptr_t, std::pair<CUstream, std::uint64_t>> marks;          ///< of events
  std::map<std::uintptr_t, std::pair<std::uintptr_t, std::string>> functions;  ///< module and name

 private:
  std::uintptr_t next_ = 0x1000;
};

/// A table that leads to the FakeDriver that lives.
Expected<Driver> open_fake();

}  // namespace jitney::backend::cuda
