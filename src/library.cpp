// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// The shared library is made of the layers' archives; this file only gives the target a source of its own.
