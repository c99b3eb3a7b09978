// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include <fmt/format.h>
#include <jitney/error.h>
#include <tl/expected.hpp>

namespace jitney {

/// An error on its way to the API's edge. Inside the library nothing is thrown on purpose: functions that
/// can fail return Expected, and include/jitney turns a Failure into an Error exception.
struct Failure {
  ErrorKind kind = ErrorKind::internal;
  std::string message;
};

template <class T>
using Expected = tl::expected<T, Failure>;
using Status = Expected<void>;

template <class... A>
tl::unexpected<Failure> user_error(fmt::format_string<A...> f, A&&... a) {
  return tl::unexpected(Failure{ErrorKind::user, fmt::format(f, std::forward<A>(a)...)});
}
template <class... A>
tl::unexpected<Failure> environment_error(fmt::format_string<A...> f, A&&... a) {
  return tl::unexpected(Failure{ErrorKind::environment, fmt::format(f, std::forward<A>(a)...)});
}
template <class... A>
tl::unexpected<Failure> internal_error(fmt::format_string<A...> f, A&&... a) {
  return tl::unexpected(Failure{ErrorKind::internal, fmt::format(f, std::forward<A>(a)...)});
}

/// The value, or the failure thrown as Error. For the API's edge and for tests only.
template <class T>
T value_or_throw(Expected<T>&& e) {
  if (!e) throw Error(e.error().kind, e.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*e);
}

}  // namespace jitney

#define JITNEY_CONCAT2(a, b) a##b
#define JITNEY_CONCAT(a, b) JITNEY_CONCAT2(a, b)

/// JITNEY_TRY(auto x, f()); declares x from f()'s value or returns f()'s failure.
#define JITNEY_TRY(decl, ...)                                                                                  \
  auto JITNEY_CONCAT(try_, __LINE__) = (__VA_ARGS__);                                                          \
  if (!JITNEY_CONCAT(try_, __LINE__)) return tl::unexpected(std::move(JITNEY_CONCAT(try_, __LINE__)).error()); \
  decl = std::move(*JITNEY_CONCAT(try_, __LINE__))

/// JITNEY_CHECK(f()); returns f()'s failure, if any.
#define JITNEY_CHECK(...)                                                \
  do {                                                                   \
    auto try_check = (__VA_ARGS__);                                      \
    if (!try_check) return tl::unexpected(std::move(try_check).error()); \
  } while (0)
