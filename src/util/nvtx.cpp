// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "util/nvtx.h"

#include <algorithm>
#include <cstring>

#include "util/env.h"

#if __has_include(<nvtx3/nvToolsExt.h>)
#include <nvtx3/nvToolsExt.h>
#define JITNEY_HAS_NVTX 1
#endif

namespace jitney {

#ifdef JITNEY_HAS_NVTX

namespace {

nvtxDomainHandle_t domain() {
  static const nvtxDomainHandle_t handle = nvtxDomainCreateA("jitney");
  return handle;
}

}  // namespace

bool nvtx_is_wanted() { return env_path("NVTX_INJECTION64_PATH").has_value(); }

void nvtx_push(std::string_view category, std::string_view title) {
  char text[192];
  std::size_t size = 0;
  const auto add = [&](std::string_view part) {
    const std::size_t room = std::min(part.size(), std::size_t{180} - std::min<std::size_t>(size, 180));
    if (room > 0) std::memcpy(text + size, part.data(), room);
    size += room;
  };
  add(category);
  if (!title.empty()) add(": ");
  add(title);
  text[size] = 0;
  nvtxEventAttributes_t attributes{};
  attributes.version = NVTX_VERSION;
  attributes.size = NVTX_EVENT_ATTRIB_STRUCT_SIZE;
  attributes.messageType = NVTX_MESSAGE_TYPE_ASCII;
  attributes.message.ascii = text;
  nvtxDomainRangePushEx(domain(), &attributes);
}

void nvtx_pop() { nvtxDomainRangePop(domain()); }

#else

bool nvtx_is_wanted() { return false; }
void nvtx_push(std::string_view, std::string_view) {}
void nvtx_pop() {}

#endif

}  // namespace jitney
