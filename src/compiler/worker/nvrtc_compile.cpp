// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "compiler/worker/nvrtc_compile.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "compiler/worker/serve.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace jitney::compiler {
namespace {

constexpr std::string_view kArchitecture = "--gpu-architecture=";

// No flag here changes a result.
constexpr const char* kCommon[] = {"--no-source-include"};
constexpr const char* kUnoptimized[] = {"--ptxas-options=-O0"};

/// What lowers the optimization before PTX, too: newer versions have a word for it, older ones only debugging.
const char* frontend_unoptimized(const NvrtcLibrary& n) { return n.major >= 13 ? "--Ofast-compile=max" : "-G"; }

/// NVRTC 12.9 and later keep compiled code in a folder of their own; kernels are kept in ours.
bool has_cache(const NvrtcLibrary& n) { return n.major >= 13; }

struct Architecture {
  bool virtual_one = false;  ///< compute_NN: PTX
  int number = 0;            ///< 90
  std::string suffix;        ///< "a" or "f": features of that architecture or family alone
};

std::optional<Architecture> parse_architecture(std::string_view text) {
  Architecture a;
  a.virtual_one = text.starts_with("compute_");
  if (!a.virtual_one && !text.starts_with("sm_")) return std::nullopt;
  text.remove_prefix(a.virtual_one ? 8 : 3);
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), a.number);
  if (error != std::errc{} || a.number <= 0) return std::nullopt;
  a.suffix = std::string(end, text.data() + text.size());
  if (!a.suffix.empty() && a.suffix != "a" && a.suffix != "f") return std::nullopt;
  return a;
}

std::string to_string(const Architecture& a) {
  return fmt::format("{}_{}{}", a.virtual_one ? "compute" : "sm", a.number, a.suffix);
}

/// The architecture that NVRTC is asked for.
Expected<Architecture> choose_architecture(const NvrtcLibrary& n, std::string_view text) {
  auto a = parse_architecture(text);
  if (!a) return user_error("'{}' is no GPU architecture; allowed are sm_NN and compute_NN", text);
  if (std::ranges::binary_search(n.architectures, a->number)) return *a;
  auto newer = std::ranges::upper_bound(n.architectures, a->number);
  if (newer == n.architectures.begin()) {
    return user_error("NVRTC {}.{} compiles for sm_{} and newer, not for {}", n.major, n.minor, n.architectures.front(),
                      to_string(*a));
  }
  // PTX of an older architecture runs on every newer one.
  return Architecture{.virtual_one = true, .number = *(newer - 1), .suffix = ""};
}

/// Options that read or write files, or whose output would not be what is fetched below.
bool is_refused(std::string_view option) {
  constexpr std::string_view kRefused[] = {"-I",
                                           "--include-path",
                                           "-include",
                                           "--pre-include",
                                           "-dlto",
                                           "--dlink-time",
                                           "--pch",
                                           "-pch",
                                           "--use-pch",
                                           "-use-pch",
                                           "--pch-dir",
                                           "-pch-dir",
                                           "--create-pch",
                                           "-create-pch",
                                           "--time",
                                           "-time",
                                           "--optix-ir",
                                           "-optix-ir",
                                           "--fdevice-time-trace",
                                           "-fdevice-time-trace"};
  return std::ranges::any_of(kRefused, [&](auto refused) { return option.starts_with(refused); });
}

class Program {
 public:
  explicit Program(const NvrtcLibrary& n) : n_(n) {}
  ~Program() {
    if (program_) n_.destroy_program(&program_);
  }
  Program(const Program&) = delete;
  nvrtcProgram* address() { return &program_; }
  nvrtcProgram get() const { return program_; }

 private:
  const NvrtcLibrary& n_;
  nvrtcProgram program_ = nullptr;
};

std::string log_of(const NvrtcLibrary& n, nvrtcProgram program) {
  std::size_t size = 0;
  if (n.get_log_size(program, &size) != NVRTC_SUCCESS || size <= 1) return "";
  std::string log(size, '\0');
  if (n.get_log(program, log.data()) != NVRTC_SUCCESS) return "";
  log.resize(std::strlen(log.c_str()));
  return log;
}

void check_memory(nvrtcResult result) {
  if (result == NVRTC_ERROR_OUT_OF_MEMORY) out_of_memory();
}

Result rejected(std::string diagnostics) {
  Result result;
  result.status = ResultStatus::rejected;
  result.diagnostics = std::move(diagnostics);
  return result;
}

}  // namespace

std::string nvrtc_identity(const NvrtcLibrary& nvrtc) {
  std::uint64_t digest = kProtocolVersion;
  for (const char* a : {kCommon[0], kUnoptimized[0], frontend_unoptimized(nvrtc), has_cache(nvrtc) ? "no-cache" : ""})
    digest = XXH3_64bits_withSeed(a, std::strlen(a) + 1, digest);
  return fmt::format("NVRTC {}.{}; arguments {:016x}", nvrtc.major, nvrtc.minor, digest);
}

Result compile_cuda(const NvrtcLibrary& nvrtc, const Request& request) {
  std::vector<std::string> options(std::begin(kCommon), std::end(kCommon));
  if (has_cache(nvrtc)) options.push_back("--no-cache");
  std::optional<Architecture> architecture;
  for (const auto& option : request.options) {
    if (is_refused(option)) {
      return rejected(fmt::format("error: option '{}' is not allowed in a compile request\n", option));
    }
    if (!option.starts_with(kArchitecture)) {
      options.push_back(option);
      continue;
    }
    auto chosen = choose_architecture(nvrtc, std::string_view(option).substr(kArchitecture.size()));
    if (!chosen) return rejected("error: " + chosen.error().message + "\n");
    if (architecture) return rejected("error: more than one --gpu-architecture in a compile request\n");
    architecture = *chosen;
  }
  if (!architecture) return rejected("error: no --gpu-architecture in a compile request\n");
  options.push_back(std::string(kArchitecture) + to_string(*architecture));
  if (!request.optimize) {
    options.insert(options.end(), std::begin(kUnoptimized), std::end(kUnoptimized));
    options.push_back(frontend_unoptimized(nvrtc));
  }
  std::vector<const char*> arguments;
  for (const auto& o : options) arguments.push_back(o.c_str());

  std::string file = (request.name.empty() ? "kernel" : request.name) + ".cu";
  Program program(nvrtc);
  auto code = nvrtc.create_program(program.address(), request.source.c_str(), file.c_str(), 0, nullptr, nullptr);
  check_memory(code);
  if (code != NVRTC_SUCCESS) return rejected(fmt::format("error: {}\n", nvrtc.get_error_string(code)));
  code = nvrtc.compile_program(program.get(), static_cast<int>(arguments.size()), arguments.data());
  check_memory(code);
  Result result;
  result.diagnostics = log_of(nvrtc, program.get());
  if (code != NVRTC_SUCCESS) {
    if (result.diagnostics.empty()) result.diagnostics = fmt::format("error: {}\n", nvrtc.get_error_string(code));
    result.status = ResultStatus::rejected;
    return result;
  }
  std::size_t size = 0;
  auto* get_size = architecture->virtual_one ? nvrtc.get_ptx_size : nvrtc.get_cubin_size;
  auto* get = architecture->virtual_one ? nvrtc.get_ptx : nvrtc.get_cubin;
  if (get_size(program.get(), &size) != NVRTC_SUCCESS || size == 0) {
    return rejected("error: NVRTC gave no code for " + to_string(*architecture) + "\n");
  }
  result.binary.resize(size);
  code = get(program.get(), reinterpret_cast<char*>(result.binary.data()));
  if (code != NVRTC_SUCCESS) return rejected(fmt::format("error: {}\n", nvrtc.get_error_string(code)));
  return result;
}

}  // namespace jitney::compiler
