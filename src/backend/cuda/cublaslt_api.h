// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cublasLt.h>

#include <string>

#include "util/expected.h"

namespace jitney::backend::cuda {

/// cuBLASLt, opened when the first product is planned: nothing links to it, and a machine without it runs generated
/// kernels instead. Never closed.
struct CublasLt {
  decltype(&::cublasLtCreate) create;
  decltype(&::cublasLtGetVersion) version;
  decltype(&::cublasLtGetStatusName) status_name;
  decltype(&::cublasLtMatmul) matmul;
  decltype(&::cublasLtMatmulAlgoGetHeuristic) heuristic;
  decltype(&::cublasLtMatmulAlgoCheck) algo_check;
  decltype(&::cublasLtMatmulDescCreate) desc_create;
  decltype(&::cublasLtMatmulDescDestroy) desc_destroy;
  decltype(&::cublasLtMatmulDescSetAttribute) desc_set;
  decltype(&::cublasLtMatrixLayoutCreate) layout_create;
  decltype(&::cublasLtMatrixLayoutDestroy) layout_destroy;
  decltype(&::cublasLtMatrixLayoutSetAttribute) layout_set;
  decltype(&::cublasLtMatmulPreferenceCreate) preference_create;
  decltype(&::cublasLtMatmulPreferenceDestroy) preference_destroy;
  decltype(&::cublasLtMatmulPreferenceSetAttribute) preference_set;

  /// One sentence about a failed call, or nothing.
  Status check(cublasStatus_t status, const char* what) const;
};

/// The library, or Error(environment) with what to install. Thread-safe; one for the process.
Expected<const CublasLt*> cublaslt();

}  // namespace jitney::backend::cuda
