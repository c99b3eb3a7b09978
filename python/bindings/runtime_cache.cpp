// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/runtime_cache.h>

#include <jitney/error.h>
#include <jitney/registry.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>

#include <cstring>
#include <optional>

#include "bindings/bindings.h"
#include "bindings/file_paths.h"
#include "bindings/gil.h"

namespace jitney::python {
namespace {

namespace nb = nanobind;
using Cache = std::shared_ptr<RuntimeCache>;

/// Its end may wait for a lock and write a file: not with the GIL, which other threads want meanwhile.
void destroy(RuntimeCache* cache) {
  if (Py_IsInitialized() == 0 || PyGILState_Check() == 0) {
    delete cache;
    return;
  }
  GilReleased released;
  delete cache;
}

Cache make(nb::object path, bool autosave_on_del) {
  return {new RuntimeCache(path.is_none() ? std::string() : file_path(path), autosave_on_del), destroy};
}

std::optional<std::string> optional_path(nb::handle path) {
  if (path.is_none()) return std::nullopt;
  return file_path(path);
}

nb::bytes serialize(const RuntimeCache& cache) {
  std::vector<std::byte> bytes;
  {
    GilReleased released;
    bytes = cache.serialize();
  }
  return nb::bytes(bytes.data(), bytes.size());
}

void deserialize(RuntimeCache& cache, nb::handle given) {
  Py_buffer view;
  if (PyObject_GetBuffer(given.ptr(), &view, PyBUF_SIMPLE) != 0) throw nb::python_error();
  std::vector<std::byte> bytes(static_cast<std::size_t>(view.len));
  if (view.len != 0) std::memcpy(bytes.data(), view.buf, bytes.size());
  PyBuffer_Release(&view);
  GilReleased released;
  cache.deserialize(bytes);
}

std::int64_t load_from_stream(RuntimeCache& cache, nb::handle stream) {
  const nb::object bytes = stream.attr("read")();
  if (PyObject_CheckBuffer(bytes.ptr()) == 0)
    throw nb::type_error("a stream of a runtime cache must be binary: its read() must give bytes");
  deserialize(cache, bytes);
  return static_cast<std::int64_t>(nb::len(bytes));
}

std::int64_t save_to_stream(const RuntimeCache& cache, nb::handle stream) {
  const nb::bytes bytes = serialize(cache);
  std::size_t done = 0;
  // A raw stream may take a part.
  while (done < bytes.size()) {
    const nb::bytes rest(bytes.c_str() + done, bytes.size() - done);
    const nb::object taken = stream.attr("write")(rest);
    const std::int64_t count = taken.is_none() ? static_cast<std::int64_t>(rest.size()) : nb::cast<std::int64_t>(taken);
    if (count <= 0) throw Error(ErrorKind::environment, "the stream takes no more of a runtime cache's bytes");
    done += static_cast<std::size_t>(count);
  }
  if (nb::hasattr(stream, "flush")) stream.attr("flush")();
  return static_cast<std::int64_t>(bytes.size());
}

nb::dict stats(const RuntimeCache& cache) {
  CacheStats s;
  {
    GilReleased released;
    s = cache.stats();
  }
  nb::dict d;
  d["hits"] = s.hits;
  d["published"] = s.published;
  d["publish_failures"] = s.publish_failures;
  d["loaded"] = s.loaded;
  d["damaged"] = s.damaged;
  d["evicted"] = s.evicted;
  d["waited"] = s.waited;
  d["misses"] = s.misses;
  d["entries"] = s.entries;
  return d;
}

nb::list entries(const RuntimeCache& cache) {
  std::vector<CacheEntry> all;
  {
    GilReleased released;
    all = cache.entries();
  }
  nb::list result;
  for (const CacheEntry& e : all) {
    nb::dict d;
    d["id"] = e.id;
    d["key"] = text(e.key);
    nb::dict fields;
    for (const auto& [name, value] : e.fields) fields[name.c_str()] = text(value);
    d["fields"] = fields;
    d["creator"] = e.creator;
    d["bytes"] = e.bytes;
    d["blob_bytes"] = e.blob_bytes;
    d["last_used"] = e.last_used;
    d["is_signed"] = e.is_signed;
    result.append(d);
  }
  return result;
}

std::string repr(const RuntimeCache& cache) {
  const std::string path = nb::cast<std::string>(nb::repr(path_text(cache.path())));
  std::string how;
  std::uint64_t count = 0;
  {
    GilReleased released;
    how = cache.describe();
    count = cache.stats().entries;
  }
  return "RuntimeCache(path=" + path + ", autosave_on_del=" + (cache.autosave_on_del() ? "True" : "False") + ") <" +
         how + ", " + std::to_string(count) + (count == 1 ? " entry" : " entries") + " in memory, " +
         (cache.has_cache() ? "in use" : "not in use") + ">";
}

}  // namespace

void bind_runtime_cache(nb::module_& module) {
  const auto released = nb::call_guard<GilReleased>();
  module.def("find_runtime_cache", &find_runtime_cache);
  nb::class_<RuntimeCache> type(module, "RuntimeCache", nb::is_weak_referenceable());
  type.doc() =
      "Compiled kernels, shared by handle in a process and by path between processes.\n\n"
      "The path says what it is: \"\" memory only; a folder that exists, or a path that ends in a separator, a store, "
      "one "
      "file an entry; any other path a packed file, loaded and saved as a whole. A handle is one cache by identity. It "
      "is saved by save(), and by itself only with autosave_on_del=True. Safe to use from many threads.";
  type.def(nb::new_(&make), nb::arg("path").none() = "", nb::arg("autosave_on_del") = false)
      .def_static("_owned",
                  [](nb::handle path) {
                    const std::string text = file_path(path);
                    GilReleased released;
                    return RuntimeCache::owned(text);
                  })
      .def_static("_scoped",
                  [](nb::handle path, bool autosave) {
                    const std::string text = file_path(path);
                    GilReleased released;
                    return RuntimeCache::scoped(text, autosave);
                  })
      .def_prop_ro("path", [](const RuntimeCache& c) { return path_text(c.path()); })
      .def_prop_ro("autosave_on_del", &RuntimeCache::autosave_on_del)
      .def("has_cache", &RuntimeCache::has_cache)
      .def(
          "load",
          [](RuntimeCache& c, nb::handle path) {
            const auto from = optional_path(path);
            GilReleased released;
            c.load(from);
          },
          nb::arg("path").none() = nb::none())
      .def(
          "save",
          [](RuntimeCache& c, nb::handle path) {
            const auto to = optional_path(path);
            GilReleased released;
            c.save(to);
          },
          nb::arg("path").none() = nb::none())
      .def("autosave", &RuntimeCache::autosave, released)
      .def("load_from_stream", &load_from_stream, nb::arg("stream"))
      .def("save_to_stream", &save_to_stream, nb::arg("stream"))
      .def("serialize", &serialize)
      .def("deserialize", &deserialize, nb::arg("data"))
      .def("_register", [](RuntimeCache& c) { return register_runtime_cache(c.shared_from_this()); })
      .def("merge", &RuntimeCache::merge, nb::arg("other"), released)
      .def("prune", &RuntimeCache::prune, nb::arg("max_bytes"), released)
      .def("stats", &stats)
      .def("entries", &entries)
      .def("describe", [](const RuntimeCache& c) { return text(c.describe()); })
      .def("__repr__", &repr)
      .def("__reduce__", [](const RuntimeCache& cache) {
        // A function of Python's: pickle finds it by name.
        return nb::make_tuple(nb::module_::import_("jitney.runtime.caches").attr("rebuild"),
                              nb::make_tuple(path_text(cache.path()), cache.autosave_on_del(), serialize(cache)));
      });
  module.def("autosave_runtime_caches", &autosave_runtime_caches, released);
}

}  // namespace jitney::python
