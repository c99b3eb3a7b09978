// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <functional>

#include "kernel/kernel.h"

namespace jitney::kernel {

using ir::Dim;

namespace {

void for_each_dim(Kernel& k, const std::function<void(Dim&)>& f) {
  auto affine = [&](Affine& a) {
    for (auto& c : a.coefficients) f(c);
    f(a.offset);
  };
  auto bounds = [&](std::vector<Bound>& bs) {
    for (auto& b : bs) {
      affine(b.index);
      f(b.extent);
    }
  };
  auto access = [&](Access& a) {
    affine(a.element);
    bounds(a.bounds);
    for (auto& i : a.indirect) {
      f(i.stride);
      f(i.extent);
    }
  };
  for (auto& axis : k.axes) f(axis.extent);
  for (auto& e : k.exprs) {
    affine(e.affine);
    bounds(e.bounds);
    access(e.access);
  }
  for (auto& parts : k.partitions) bounds(parts);
  for (auto& s : k.row_stores) access(s.access);
  for (auto& s : k.full_stores) access(s.access);
}

}  // namespace

Kernel specialize(Kernel kernel, const ir::SymbolValues& known) {
  std::map<std::string, Dim> replacements;
  for (const auto& [symbol, value] : known) replacements.emplace(symbol, value);
  for_each_dim(kernel, [&](Dim& d) { d = d.substitute(replacements); });
  // Axes of extent 1, and axes that lie side by side, are known only now.
  collapse(kernel);
  return kernel;
}

}  // namespace jitney::kernel
