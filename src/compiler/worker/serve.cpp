// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "compiler/worker/serve.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <new>
#include <set>
#include <span>
#include <sstream>

#include "compiler/worker/isolate.h"

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

Result answer(WorkerProgram& program, const Request& request) {
  g_request = request.id;
  auto start = std::chrono::steady_clock::now();
  Result result = program.compile(request);
  result.id = request.id;
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

/// 0 when the parent hung up or had no work for a while; anything else is a fault.
int serve(WorkerProgram& program, int idle_ms) {
  MessageReader reader;
  std::vector<std::byte> chunk(64 << 10);
  for (;;) {
    auto message = reader.next();
    if (!message) return kExitUsage;
    if (*message) {
      if ((*message)->type != MessageType::request) return kExitUsage;
      auto request = decode_request((*message)->payload);
      if (!request) return kExitUsage;
      if (!send_all(encode(answer(program, *request)))) return 0;
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

/// The identity; a failure is the last thing that this process says.
Expected<std::string> introduce(WorkerProgram& program) {
  auto identity = program.identity();
  if (!identity) std::fprintf(stderr, "%s\n", identity.error().message.c_str());
  return identity;
}

int run(int argc, char** argv, WorkerProgram& program) {
  if (argc == 2 && std::string_view(argv[1]) == "--version") {
    auto identity = introduce(program);
    if (identity) std::puts(identity->c_str());
    return identity ? 0 : kExitUsage;
  }
  Options options;
  int type = 0;
  socklen_t size = sizeof type;
  if (!parse(argc, argv, options) || ::getsockopt(options.isolate.keep_fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0) {
    std::fprintf(stderr, "%.*s is started by Jitney, with a socket; by hand only --version is of use.\n",
                 static_cast<int>(program.name().size()), program.name().data());
    return kExitUsage;
  }
  g_socket = options.isolate.keep_fd;
  if (auto ok = isolate(options.isolate); !ok) {
    std::fprintf(stderr, "%s\n", ok.error().message.c_str());
    return kExitUsage;
  }
  std::set_new_handler(out_of_memory);
  program.install_handlers();
  auto identity = introduce(program);
  if (!identity) return kExitUsage;
  Hello hello{*identity, mapped_files()};
  for (auto& file : program.further_files()) hello.mapped_files.push_back(std::move(file));
  if (!send_all(encode(hello))) return 0;
  // After the hello: the parent sends its request meanwhile.
  program.initialize();
  return serve(program, options.idle_ms);
}

}  // namespace

void out_of_memory() { ::_exit(kExitNoMemory); }

void give_up(std::string_view reason) {
  Result result;
  result.id = g_request;
  result.status = ResultStatus::fatal;
  result.diagnostics = reason;
  send_all(encode(result));
  ::abort();
}

void run_worker(int argc, char** argv, WorkerProgram& program) {
  int code = run(argc, argv, program);
  std::fflush(nullptr);
  ::_exit(code);
}

}  // namespace jitney::compiler
