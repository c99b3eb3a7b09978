// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/onednn/api.h"

#include <dlfcn.h>

#include "backend/cpu/cpu_target.h"
#include "util/env.h"

namespace jitney::backend::onednn {
namespace {

constexpr const char* kName = "libdnnl.so.3";
/// Primitives that nobody holds any more but that a new context may want again. Each is some 50 KB of code.
constexpr int kCacheCapacity = 256;

std::string folder_of(const char* file) {
  const std::string path = file == nullptr ? "" : file;
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

/// Plugins lie in a folder below Jitney's libraries; programs that contain the backend, as tests do, beside them.
std::vector<std::string> candidates() {
  static const char here = 0;
  Dl_info info{};
  dladdr(&here, &info);
  const std::string folder = folder_of(info.dli_fname);
  std::vector<std::string> files{folder + "/../" + kName, folder + "/" + kName,
                                 folder + "/../" JITNEY_LIBDIR "/" + kName};
  files.emplace_back(kName);
  return files;
}

/// The most that oneDNN may use under a target that somebody named; nothing when the lowest it knows is more.
std::optional<dnnl_cpu_isa_t> isa_limit(const CpuTarget& target) {
#if defined(__x86_64__)
  const std::string key = to_string(target) + "+";
  const auto has = [&](const char* feature) { return key.find(feature) != std::string::npos; };
  switch (target.level) {
    case 0: return std::nullopt;
    case 1: return has("+avx+") ? dnnl_cpu_isa_avx : dnnl_cpu_isa_sse41;
    case 2: return has("+avx_vnni+") ? dnnl_cpu_isa_avx2_vnni : dnnl_cpu_isa_avx2;
    default: break;
  }
  if (!has("+avx512_vnni+")) return dnnl_cpu_isa_avx512_core;
  if (!has("+avx512_bf16+")) return dnnl_cpu_isa_avx512_core_vnni;
  if (!has("+avx512_fp16+")) return dnnl_cpu_isa_avx512_core_bf16;
  const bool tiles = has("+amx_tile+") && has("+amx_int8+") && has("+amx_bf16+");
  return tiles ? dnnl_cpu_isa_default : dnnl_cpu_isa_avx512_core_fp16;
#else
  static_cast<void>(target);
  return dnnl_cpu_isa_default;
#endif
}

Expected<Library> load() {
  JITNEY_TRY(const auto target, choose_cpu_target());
  const auto limit = isa_limit(target);
  if (!limit)
    return environment_error("oneDNN needs x86-64-v2 at least; this process is limited to {}", to_string(target));

  void* handle = nullptr;
  std::string problem;
  Library found;
  for (const auto& file : candidates()) {
    handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle != nullptr) {
      found.file = file;
      break;
    }
    const char* message = dlerror();
    problem = message == nullptr ? "unknown" : message;
  }
  if (handle == nullptr) return environment_error("cannot load {}: {}", kName, problem);

  const char* missing = nullptr;
#define JITNEY_ONEDNN_FIND(name)                                                             \
  found.api.name = reinterpret_cast<decltype(&::dnnl_##name)>(dlsym(handle, "dnnl_" #name)); \
  if (found.api.name == nullptr) missing = "dnnl_" #name;
  JITNEY_ONEDNN_FUNCTIONS(JITNEY_ONEDNN_FIND)
#undef JITNEY_ONEDNN_FIND
  if (missing != nullptr) return environment_error("{} has no function {}", found.file, missing);

  const dnnl_version_t& v = *found.api.version();
  found.version = fmt::format("{}.{}.{}", v.major, v.minor, v.patch);
  if (v.major != DNNL_VERSION_MAJOR || v.minor < DNNL_VERSION_MINOR) {
    return environment_error("{} is oneDNN {}; needed is {}.{} or a later {}.x", found.file, found.version,
                             DNNL_VERSION_MAJOR, DNNL_VERSION_MINOR, DNNL_VERSION_MAJOR);
  }
  // Only a limit that somebody named, so that oneDNN's own variables keep working otherwise.
  if (env_string("JITNEY_CPU_TARGET") && *limit != dnnl_cpu_isa_default) found.api.set_max_cpu_isa(*limit);
  found.isa = found.api.get_effective_cpu_isa();
  // What it would offer on that processor, whatever this one is.
  if (compiles_only()) found.isa = *limit == dnnl_cpu_isa_default ? dnnl_cpu_isa_avx512_core_amx : *limit;
  found.api.set_primitive_cache_capacity(kCacheCapacity);
  if (found.api.engine_create(&found.engine, dnnl_cpu, 0) != dnnl_success) {
    return environment_error("oneDNN {} does not work on this CPU", found.version);
  }
  return found;
}

}  // namespace

const Expected<Library>& library() {
  // Never destroyed, like the library: primitives may outlive the program's statics.
  static const auto& loaded = *new Expected<Library>(load());
  return loaded;
}

const Api& api() { return library()->api; }
dnnl_engine_t engine() { return library()->engine; }

Status check(dnnl_status_t status, const char* what) {
  switch (status) {
    case dnnl_success: return {};
    case dnnl_unimplemented: return environment_error("oneDNN has no implementation of this {}", what);
    case dnnl_out_of_memory: return environment_error("oneDNN has no memory for a {}", what);
    default: return internal_error("oneDNN refuses a {} (status {})", what, static_cast<int>(status));
  }
}

MemoryDesc clone(const_dnnl_memory_desc_t desc) {
  dnnl_memory_desc_t copy = nullptr;
  if (desc != nullptr) api().memory_desc_clone(&copy, desc);
  return MemoryDesc(copy);
}

std::string implementation(const_dnnl_primitive_desc_t desc) {
  const char* text = nullptr;
  api().primitive_desc_query(desc, dnnl_query_impl_info_str, 0, static_cast<void*>(&text));
  return text == nullptr ? "unknown" : text;
}

bool is_reference(const std::string& implementation) { return implementation.find("ref") != std::string::npos; }

std::size_t scratchpad_bytes(const_dnnl_primitive_desc_t desc) {
  const auto* md = api().primitive_desc_query_md(desc, dnnl_query_scratchpad_md, 0);
  return md == nullptr ? 0 : api().memory_desc_get_size(md);
}

}  // namespace jitney::backend::onednn
