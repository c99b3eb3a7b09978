// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/export.h>

#include <cstdlib>

#include "backend/backend.h"

/// Plugins with one fault each; CMakeLists.txt builds this file once for every fault.
namespace {

using namespace jitney;
using namespace jitney::backend;

/// Only its name matters.
class Nameless final : public Backend {
 public:
  std::string_view name() const override { return "somebody-else"; }
  int device_count() const override { return 0; }
  Expected<DeviceInfo> device_info(int) const override { return no(); }
  Expected<void*> allocate(int, std::size_t, StreamHandle) override { return no(); }
  void free(int, void*, std::size_t, StreamHandle) noexcept override {}
  Status copy(int, void*, const void*, std::size_t, CopyKind, StreamHandle) override { return no(); }
  Expected<StreamHandle> create_stream(int, const StreamOptions&) override { return no(); }
  void destroy_stream(int, StreamHandle) noexcept override {}
  Status synchronize(int, StreamHandle) override { return no(); }
  Expected<ModuleHandle> load(int, std::span<const std::byte>) override { return no(); }
  void unload(int, ModuleHandle) noexcept override {}
  Expected<KernelHandle> kernel(int, ModuleHandle, const char*) override { return no(); }
  Status launch(int, KernelHandle, const LaunchArgs&, StreamHandle) override { return no(); }

 private:
  static tl::unexpected<Failure> no() { return internal_error("does nothing"); }
};

[[maybe_unused]] Backend* make() {
  static Nameless backend;
  return &backend;
}

/// A plugin of another version must be refused before anything in it runs.
[[maybe_unused]] Backend* must_not_be_called() { std::abort(); }

}  // namespace

extern "C" {
#if defined(WRONG_ABI)
JITNEY_EXPORT extern const PluginEntry jitney_backend_plugin = {kBackendAbiVersion + 1, nullptr, must_not_be_called};
#elif defined(WRONG_VERSION)
JITNEY_EXPORT extern const PluginEntry jitney_backend_plugin = {kBackendAbiVersion, "0.0.1-other", must_not_be_called};
#elif defined(WRONG_NAME)
JITNEY_EXPORT extern const PluginEntry jitney_backend_plugin = {kBackendAbiVersion, JITNEY_VERSION, make};
#elif defined(NO_BACKEND)
JITNEY_EXPORT extern const PluginEntry jitney_backend_plugin = {kBackendAbiVersion, JITNEY_VERSION,
                                                                []() -> Backend* { return nullptr; }};
#endif
}
