// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <jitney/error.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <system_error>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/interrupt.h"
#include "cli/maps_dump.h"
#include "util/expected.h"
#include "util/file.h"

namespace jitney::cli {
namespace {

constexpr std::string_view kCommands =
    "run MODEL, bench MODEL, build MODEL -o FILE.jitney, inspect FILE, doctor, warm MODEL or cache; 'jitney --help' "
    "explains them";

constexpr const char* kFooter =
    "Examples:\n"
    "  jitney run model.onnx --shape images=1x3x224x224\n"
    "  jitney build model.onnx -o model.jitney\n"
    "  jitney run --help\n"
    "\n"
    "Exit codes:\n"
    "  0    it worked\n"
    "  1    a bug in Jitney: please tell its authors the command, the message and the model\n"
    "  2    something in the request: option, model, shape or file\n"
    "  3    something in the environment: no such device, full disk, no memory, no compiler\n"
    "  130  interrupted\n"
    "An error is one sentence on stderr.";

/// Exactly one line: a message may quote a file name with a newline or an escape code in it.
int fail(ExitCode code, std::string message) {
  for (char& c : message) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  }
  while (!message.empty() && message.back() == ' ') message.pop_back();
  if (code == kInternal) message += "; this is a bug in Jitney, please report it with the command and the model";
  // Whether it can be written or not (a full disk behind a redirection, a closed descriptor): the exit code says it,
  // too.
  const std::string line = fmt::format("jitney: error: {}\n", message);
  std::fwrite(line.data(), 1, line.size(), stderr);
  return code;
}

/// What was printed may be buffered still, and the disk behind a redirection full.
int flush(int code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  return code != kOk ? code : fail(kEnvironment, fmt::format("cannot write to standard output: {}", errno_text(errno)));
}

int parse_and_act(int argc, char** argv) {
  CLI::App app("Jitney runs trained models: it fuses them into kernels and compiles those for this very machine.",
               "jitney");
  Action action;
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.set_version_flag("--version", "jitney " JITNEY_VERSION, "Print the version and exit");
  app.get_formatter()->column_width(34);
  app.footer(kFooter);
  app.require_subcommand(1);
  add_run(app, action);
  add_bench(app, action);
  add_build(app, action);
  add_inspect(app, action);
  add_doctor(app, action);
  add_warm(app, action);
  add_cache(app, action);

  if (argc < 2) return fail(kUsage, fmt::format("a command is needed: {}", kCommands));
  const auto is_named = [&](const CLI::App* command) { return command->get_name() == argv[1]; };
  if (argv[1][0] != '-' && app.get_subcommands(is_named).empty()) {
    return fail(kUsage, fmt::format("there is no command '{}'; there are {}", argv[1], kCommands));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForVersion& version) {
    fmt::print("{}\n", version.what());
    return kOk;
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app.help());
    return kOk;
  } catch (const CLI::ParseError& error) {
    const auto chosen = app.get_subcommands();
    return fail(kUsage, fmt::format("{} ('jitney{}{} --help' explains)", error.what(), chosen.empty() ? "" : " ",
                                    chosen.empty() ? "" : chosen[0]->get_name()));
  }
  return action();
}

int guarded(int argc, char** argv) {
  try {
    return parse_and_act(argc, argv);
  } catch (const Error& error) {
    return fail(exit_code(error.kind()), error.what());
  } catch (const std::bad_alloc&) {
    return fail(kEnvironment, "out of memory");
  } catch (const std::system_error& error) {  // a closed output, a limit on threads
    return fail(kEnvironment, error.what());
  } catch (const std::exception& error) {
    return fail(kInternal, error.what());
  } catch (...) {
    return fail(kInternal, "an unknown exception");
  }
}

/// A descriptor that was closed before the start would be given to the next file that is opened, and what is printed
/// would end in it. Read-only: writing still fails, and is reported.
void keep_standard_descriptors() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
    if (::open("/dev/null", O_RDONLY) != fd) return;  // the lowest free descriptor is this one
  }
}

}  // namespace
}  // namespace jitney::cli

int main(int argc, char** argv) {
  jitney::cli::keep_standard_descriptors();
  // A file that may not grow (ulimit -f) is an error to report, and no reason to be killed.
  std::signal(SIGXFSZ, SIG_IGN);
  jitney::cli::exit_on_interrupt();
  const int code = jitney::cli::flush(jitney::cli::guarded(argc, argv));
  jitney::cli::dump_maps_if_asked();
  return code;
}
