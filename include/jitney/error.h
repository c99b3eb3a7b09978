// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include <jitney/export.h>

namespace jitney {

/// Who can mend it decides the kind, and the exit code of the command line.
enum class ErrorKind {
  user,         ///< a bad model, setting, shape or file: the message says what, where and what is allowed
  environment,  ///< no device, full disk, no compiler: the message says what still works
  internal,     ///< a bug in Jitney: the message says how to report it
};

/// Thrown at the edge of the public API. `what()` is one sentence.
class JITNEY_EXPORT Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const noexcept { return kind_; }

 private:
  ErrorKind kind_;
};

}  // namespace jitney
