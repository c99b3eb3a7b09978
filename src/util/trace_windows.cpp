// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#if defined(_WIN32)
#include "util/trace.h"

/// There is no timeline on Windows: nothing starts one, so no span is ever active.
namespace jitney::trace_detail {

void finish(TraceEvent&) {}
void start(TraceEvent&, TraceEvent::Kind, const char*, std::string_view) {}
void push_range(const TraceEvent&) {}
void pop_range() {}

}  // namespace jitney::trace_detail
#endif
