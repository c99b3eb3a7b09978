// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "util/expected.h"

namespace jitney::compiler {

/// One translation unit for a compiler worker.
struct CompileRequest {
  backend::SourceLanguage language = backend::SourceLanguage::c;
  std::string name;                  ///< for messages only
  std::string source;                ///< complete: prelude included
  std::vector<std::string> options;  ///< target options from DeviceInfo::compiler_options
  bool optimize = true;
  /// Nobody waits for it: compiled at idle priority, in a worker of its own kind. Else the worker runs as the caller
  /// does, who is standing still meanwhile.
  bool background = false;
};

struct CompileResult {
  std::vector<std::byte> binary;
  std::string diagnostics;     ///< warnings, also on success
  double compile_seconds = 0;  ///< inside the worker
  int worker = 0;              ///< its process id
};

/// Why a compile gave nothing. A crash, a hang, no memory and garbage cost this kernel only.
struct CompileFailure {
  /// timed_out: by its own doing; starved: the machine gave the compiler no core.
  enum class Reason { no_compiler, rejected, crashed, timed_out, starved, garbage, cancelled, resources } reason;
  std::string message;  ///< one sentence, and the compiler's first error where there is one
};
using CompileOutcome = tl::expected<CompileResult, CompileFailure>;

struct CompilerOptions {
  /// What it compiles: c with jitney-compiler-clang, cuda with jitney-compiler-nvrtc. Requests in another are refused.
  backend::SourceLanguage language = backend::SourceLanguage::c;
  int max_workers = 0;  ///< 0: as many as cores
  /// For one kernel. Time for which the worker was ready to run and the machine gave it no core does not count, up to
  /// nine times as much (time_limit.h).
  std::chrono::milliseconds compile_timeout{30'000};
  std::chrono::milliseconds idle_timeout{2'000};      ///< a worker without work ends itself
  std::int64_t memory_limit = std::int64_t{4} << 30;  ///< address space of one worker, bytes; 0: none
  std::string worker_path;  ///< "": from the environment (worker_of), or found beside the library
};

/// Compiles in other processes: a pool of workers, started on demand, reused, ended when idle and when this
/// process dies. A failure is not remembered: the next request tries again. Thread-safe. Destroying it kills what still
/// runs.
class Compiler {
 public:
  virtual ~Compiler() = default;
  /// Blocks until done, failed, timed out or cancelled (request the stop: the worker is killed, SIGKILL).
  /// Several calls run in parallel, up to max_workers.
  virtual CompileOutcome compile(const CompileRequest& request, std::stop_token stop = {}) = 0;
  /// Which compiler this is, to the last patch: part of every cache key. Answered without starting a worker
  /// when `remembered` (an earlier answer, from a cache) still describes the files on disk.
  /// Cancelled as compile() is.
  virtual Expected<std::string> identity(std::stop_token stop = {}) = 0;
  /// Hands in a record made by an earlier process; one that no longer describes the files is ignored.
  virtual void remember(const std::string& record) = 0;
  /// The text to keep for the next process: what remember() accepted or a worker said. "" before either.
  virtual std::string record() const = 0;
  /// Under which key to keep it. Fails when there is no compiler.
  virtual Expected<std::string> record_key() const = 0;
  /// Workers started since construction (a warm start shows 0).
  virtual int workers_started() const = 0;
};

/// The program that compiles a language, and the environment variable that names another one in its place.
struct WorkerName {
  const char* program;
  const char* variable;
};
/// JITNEY_COMPILER_CLANG or JITNEY_COMPILER_NVRTC. A language that nothing compiles (none) has Clang's.
WorkerName worker_of(backend::SourceLanguage language);

std::unique_ptr<Compiler> make_compiler(const CompilerOptions& options);

/// A Compiler that finds nothing: for tests and for --no-compiler runs.
std::unique_ptr<Compiler> make_absent_compiler(std::string reason);

/// Keeps what identity() learned, so that a warm start need not start a worker to ask.
/// A record is text; the cache stores it under key().
struct IdentityRecord {
  /// Depends on the worker program's path, size and mtime.
  static Expected<std::string> key(const std::string& worker_path);
  /// The identity if every file the record names still has its size and mtime.
  static std::optional<std::string> check(const std::string& record);
  /// Made from the worker's hello: its version and the libraries mapped into it.
  static std::string make(const std::string& identity, const std::vector<std::string>& mapped_files);
};

}  // namespace jitney::compiler
