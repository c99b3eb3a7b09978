// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/allocator.h>
#include <jitney/compile_status.h>
#include <jitney/cudagraphs_mode.h>
#include <jitney/device_tensor.h>
#include <jitney/dtype.h>
#include <jitney/engine.h>
#include <jitney/error.h>
#include <jitney/execution_context.h>
#include <jitney/logging.h>
#include <jitney/metrics.h>
#include <jitney/optimization_profile.h>
#include <jitney/registry.h>
#include <jitney/resource_allocation.h>
#include <jitney/runtime_cache.h>
#include <jitney/runtime_settings.h>
#include <jitney/scopes.h>
#include <jitney/session.h>
#include <jitney/stream.h>
#include <jitney/tensor.h>
#include <jitney/trace.h>
#include <jitney/value.h>
