// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <oneapi/dnnl/dnnl.h>

#include <memory>
#include <string>

#include "util/expected.h"

/// oneDNN's C functions, found at run time: its library is 50 MB and takes 2 ms to load, which a process without
/// library calls should not pay. Everything here is thread-safe.
namespace jitney::backend::onednn {

#define JITNEY_ONEDNN_FUNCTIONS(X)               \
  X(version)                                     \
  X(set_max_cpu_isa)                             \
  X(get_effective_cpu_isa)                       \
  X(set_primitive_cache_capacity)                \
  X(engine_create)                               \
  X(stream_create)                               \
  X(stream_destroy)                              \
  X(memory_desc_create_with_strides)             \
  X(memory_desc_create_with_tag)                 \
  X(memory_desc_clone)                           \
  X(memory_desc_destroy)                         \
  X(memory_desc_equal)                           \
  X(memory_desc_query)                           \
  X(memory_desc_get_size)                        \
  X(memory_create)                               \
  X(memory_destroy)                              \
  X(memory_set_data_handle)                      \
  X(primitive_attr_create)                       \
  X(primitive_attr_destroy)                      \
  X(primitive_attr_set_scratchpad_mode)          \
  X(primitive_attr_set_fpmath_mode)              \
  X(primitive_attr_set_post_ops)                 \
  X(post_ops_create)                             \
  X(post_ops_destroy)                            \
  X(post_ops_append_eltwise)                     \
  X(post_ops_append_sum)                         \
  X(post_ops_append_binary)                      \
  X(convolution_forward_primitive_desc_create)   \
  X(deconvolution_forward_primitive_desc_create) \
  X(matmul_primitive_desc_create)                \
  X(pooling_forward_primitive_desc_create)       \
  X(eltwise_forward_primitive_desc_create)       \
  X(binary_primitive_desc_create)                \
  X(reorder_primitive_desc_create)               \
  X(primitive_desc_destroy)                      \
  X(primitive_desc_next_impl)                    \
  X(primitive_desc_query)                        \
  X(primitive_desc_query_md)                     \
  X(primitive_create)                            \
  X(primitive_destroy)                           \
  X(primitive_execute)

struct Api {
#define JITNEY_ONEDNN_MEMBER(name) decltype(&::dnnl_##name) name = nullptr;
  JITNEY_ONEDNN_FUNCTIONS(JITNEY_ONEDNN_MEMBER)
#undef JITNEY_ONEDNN_MEMBER
};

/// The library as it was found.
struct Library {
  Api api;
  dnnl_engine_t engine = nullptr;
  dnnl_cpu_isa_t isa = dnnl_cpu_isa_default;  ///< what it may use: JITNEY_CPU_TARGET limits it
  std::string file, version;                  ///< for people
};

/// Loads the library on the first call: beside Jitney's own libraries, else where the loader looks. Error(environment)
/// when it is missing, of another major version or of no use on this CPU; the answer stays the same ever after.
const Expected<Library>& library();

/// The functions of a library that was loaded; call only after library() gave one.
const Api& api();
dnnl_engine_t engine();

/// Nothing on success. Error(environment) where oneDNN has no implementation or no memory, else Error(internal).
Status check(dnnl_status_t status, const char* what);

struct Destroy {
  void operator()(dnnl_stream* p) const { api().stream_destroy(p); }
  void operator()(dnnl_memory_desc* p) const { api().memory_desc_destroy(p); }
  void operator()(dnnl_memory* p) const { api().memory_destroy(p); }
  void operator()(dnnl_primitive_attr* p) const { api().primitive_attr_destroy(p); }
  void operator()(dnnl_post_ops* p) const { api().post_ops_destroy(p); }
  void operator()(dnnl_primitive_desc* p) const { api().primitive_desc_destroy(p); }
  void operator()(dnnl_primitive* p) const { api().primitive_destroy(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Destroy>;
using Stream = Owned<dnnl_stream>;
using MemoryDesc = Owned<dnnl_memory_desc>;
using Memory = Owned<dnnl_memory>;
using Attributes = Owned<dnnl_primitive_attr>;
using PostOps = Owned<dnnl_post_ops>;
using Description = Owned<dnnl_primitive_desc>;
using Compiled = Owned<dnnl_primitive>;

MemoryDesc clone(const_dnnl_memory_desc_t desc);
/// The implementation that a description stands for, in oneDNN's words.
std::string implementation(const_dnnl_primitive_desc_t desc);
/// Reference implementations are there to be right, not fast.
bool is_reference(const std::string& implementation);
std::size_t scratchpad_bytes(const_dnnl_primitive_desc_t desc);

}  // namespace jitney::backend::onednn
