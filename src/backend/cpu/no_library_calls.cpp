// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/library_calls.h"

namespace jitney::backend {
namespace {

tl::unexpected<Failure> none() { return environment_error("this build of the cpu backend has no oneDNN"); }

}  // namespace

struct LibraryCalls::Tables {};

LibraryCalls::LibraryCalls(HostMemory&) {}
LibraryCalls::~LibraryCalls() = default;
bool LibraryCalls::offers(const LibraryCall&) const { return false; }
bool LibraryCalls::is_used() const { return false; }
Expected<std::shared_ptr<const Primitive>> LibraryCalls::plan(const LibraryCall&, int, const PackedWeights*) {
  return none();
}
Expected<std::shared_ptr<const PackedWeights>> LibraryCalls::pack(const Primitive&, const WeightsSource&) {
  return none();
}
Expected<std::unique_ptr<Invocation>> LibraryCalls::invocation(std::shared_ptr<const Primitive>,
                                                               std::shared_ptr<const PackedWeights>) {
  return none();
}
Status LibraryCalls::run(Invocation&, std::span<void* const>, void*) { return none(); }
std::string LibraryCalls::diagnose() {
  return "library calls: none in this build; every operation is a generated kernel";
}

}  // namespace jitney::backend
