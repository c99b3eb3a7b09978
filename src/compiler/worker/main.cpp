// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// jitney-compiler-clang: compiles C for the library that started it. See compiler/protocol.h for what is said.
#include <clang/Basic/Version.h>
#include <llvm/Support/ErrorHandling.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <new>
#include <set>
#include <sstream>
#include <string_view>

#include "compiler/protocol.h"
#include "compiler/worker/clang_frontend.h"
#include "compiler/worker/isolate.h"
#include "compiler/worker/linker.h"

namespace jitney::compiler {
namespace {

struct Options {
  IsolateOptions isolate;
  int idle_ms = 2000;
};

int g_socket = 0;
std::uint64_t g_request = 0;  // the one being compiled, for the answer of a dying worker

bool send_all(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    ssize_t n = ::send(g_socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

[[noreturn]] void out_of_memory() { ::_exit(kExitNoMemory); }

/// LLVM's way of giving up. Its reason goes to the parent, which then sees this process end.
void on_fatal_error(void*, const char* reason, bool) {
  if (std::string_view(reason).find(std::strerror(EFBIG)) != std::string_view::npos) ::_exit(kExitFileTooLarge);
  Result result;
  result.id = g_request;
  result.status = ResultStatus::fatal;
  result.diagnostics = reason;
  send_all(encode(result));
  ::abort();
}

std::vector<std::string> mapped_files() {
  std::set<std::string> files;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::istringstream fields(line);
    std::string range, permissions, offset, device, inode, path;
    fields >> range >> permissions >> offset >> device >> inode >> std::ws;
    std::getline(fields, path);
    if (permissions.find('x') != std::string::npos && path.starts_with('/')) files.insert(path);
  }
  return {files.begin(), files.end()};
}

Result answer(const Request& request) {
  using Clock = std::chrono::steady_clock;
  auto seconds = [](Clock::duration d) { return std::chrono::duration<double>(d).count(); };
  Result result;
  result.id = g_request = request.id;
  auto start = Clock::now();
  llvm::SmallVector<char, 0> object;
  bool compiled = compile_to_object(request, object, result.diagnostics);
  auto linking = Clock::now();
  if (compiled) {
    if (auto binary = link_shared_object(object)) {
      result.binary = std::move(*binary);
    } else {
      compiled = false;
      result.diagnostics += "error: " + binary.error().message;
    }
  }
  result.status = compiled ? ResultStatus::ok : ResultStatus::rejected;
  auto end = Clock::now();
  result.seconds = seconds(end - start);
  result.link_seconds = seconds(end - linking);
  return result;
}

/// 0 when the parent hung up or had no work for a while; anything else is a fault.
int serve(int idle_ms) {
  MessageReader reader;
  std::vector<std::byte> chunk(64 << 10);
  for (;;) {
    auto message = reader.next();
    if (!message) return kExitUsage;
    if (*message) {
      if ((*message)->type != MessageType::request) return kExitUsage;
      auto request = decode_request((*message)->payload);
      if (!request) return kExitUsage;
      if (!send_all(encode(answer(*request)))) return 0;
      continue;
    }
    pollfd p{g_socket, POLLIN, 0};
    int ready = ::poll(&p, 1, idle_ms);
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) return 0;
    ssize_t n = ::recv(g_socket, chunk.data(), chunk.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return 0;
    reader.feed(std::span(chunk).first(static_cast<std::size_t>(n)));
  }
}

template <class T>
bool number_option(std::string_view argument, std::string_view name, T& value) {
  if (!argument.starts_with(name)) return false;
  argument.remove_prefix(name.size());
  auto [end, error] = std::from_chars(argument.data(), argument.data() + argument.size(), value);
  return error == std::errc{} && end == argument.data() + argument.size();
}

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    std::string_view a = argv[i];
    if (number_option(a, "--parent=", options.isolate.parent) || number_option(a, "--fd=", options.isolate.keep_fd) ||
        number_option(a, "--idle-ms=", options.idle_ms) ||
        number_option(a, "--memory-limit=", options.isolate.memory_limit) ||
        number_option(a, "--background=", options.isolate.background)) {
      continue;
    }
    return false;
  }
  return true;
}

int run(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--version") {
    std::puts(clang_identity().c_str());
    return 0;
  }
  Options options;
  int type = 0;
  socklen_t size = sizeof type;
  if (!parse(argc, argv, options) || ::getsockopt(options.isolate.keep_fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0) {
    std::fputs("jitney-compiler-clang is started by Jitney, with a socket; by hand only --version is of use.\n",
               stderr);
    return kExitUsage;
  }
  g_socket = options.isolate.keep_fd;
  if (auto ok = isolate(options.isolate); !ok) {
    std::fprintf(stderr, "%s\n", ok.error().message.c_str());
    return kExitUsage;
  }
  std::set_new_handler(out_of_memory);
  llvm::install_bad_alloc_error_handler([](void*, const char*, bool) { out_of_memory(); });
  llvm::install_fatal_error_handler(on_fatal_error);
  if (!send_all(encode(Hello{clang_identity(), mapped_files()}))) return 0;
  // After the hello: the parent sends its request while the targets are being registered.
  initialize_clang();
  return serve(options.idle_ms);
}

}  // namespace
}  // namespace jitney::compiler

// Nothing of LLVM is torn down: the process is over, and destructors cost milliseconds.
int main(int argc, char** argv) {
  int code = jitney::compiler::run(argc, argv);
  std::fflush(nullptr);
  ::_exit(code);
}
