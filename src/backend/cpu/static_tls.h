// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

/// For the plugin's own few bytes of static thread storage: the other kind is allocated on each thread's first use,
/// inside the execute.
#define JITNEY_STATIC_TLS __attribute__((tls_model("initial-exec")))
