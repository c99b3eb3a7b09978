// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

/// Marks what libjitney exports; everything else has hidden visibility.
#if defined(_WIN32)
#define JITNEY_EXPORT
#else
#define JITNEY_EXPORT __attribute__((visibility("default")))
#endif
