// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "ir/checked.h"
#include "ir/dim.h"
#include "ir/dim_access.h"

namespace jitney::ir {
namespace {

// Sums and products are formed in 128 bits: a canonical form is expanded, so that its parts may overflow 64 bits where
// the whole does not.
__extension__ typedef __int128 Wide;
constexpr Wide kWideLimit = static_cast<Wide>(1) << 126;

Wide wide_abs(Wide a) { return a < 0 ? -a : a; }

/// False when the product leaves the limit.
bool multiply(Wide& product, std::int64_t factor) {
  if (factor != 0 && wide_abs(product) > kWideLimit / static_cast<Wide>(magnitude(factor))) return false;
  product *= factor;
  return true;
}

Expected<std::int64_t> apply(Dim::Func f, std::int64_t a, std::int64_t b, const Dim::Atom& atom) {
  std::optional<std::int64_t> result;
  switch (f) {
    case Dim::Func::floordiv: result = floor_div(a, b); break;
    case Dim::Func::mod: result = floor_mod(a, b); break;
    case Dim::Func::min: return std::min(a, b);
    case Dim::Func::max: return std::max(a, b);
  }
  if (result) return *result;
  if (b == 0) return user_error("{}({}, {}) divides by zero", to_string(f), atom.a.to_string(), atom.b.to_string());
  return user_error("{}({}, {}) does not fit in 64 bits", to_string(f), atom.a.to_string(), atom.b.to_string());
}

}  // namespace

Expected<std::int64_t> Dim::evaluate(const SymbolValues& values) const {
  Wide sum = 0;
  for (const Term& t : terms_) {
    Wide product = t.coefficient;
    for (const auto& atom : t.factors) {
      std::int64_t factor = 0;
      if (atom->symbol.empty()) {
        JITNEY_TRY(const std::int64_t a, atom->a.evaluate(values));
        JITNEY_TRY(const std::int64_t b, atom->b.evaluate(values));
        JITNEY_TRY(factor, apply(atom->func, a, b, *atom));
      } else if (atom->symbol == DimAccess::kOverflow) {
        return user_error("an extent's expression does not fit in 64 bits, or is too complex");
      } else if (auto found = values.find(atom->symbol); found != values.end()) {
        factor = found->second;
      } else {
        return user_error("symbol '{}' has no value; it is needed for the extent {}", atom->symbol, to_string());
      }
      if (!multiply(product, factor)) return user_error("the extent {} does not fit in 64 bits", to_string());
    }
    sum += product;
    if (wide_abs(sum) > kWideLimit) return user_error("the extent {} does not fit in 64 bits", to_string());
  }
  if (sum < std::numeric_limits<std::int64_t>::min() || sum > std::numeric_limits<std::int64_t>::max()) {
    return user_error("the extent {} does not fit in 64 bits", to_string());
  }
  return static_cast<std::int64_t>(sum);
}

Expected<std::vector<std::int64_t>> evaluate(const Shape& shape, const SymbolValues& values) {
  std::vector<std::int64_t> extents;
  extents.reserve(shape.size());
  for (const Dim& d : shape) {
    JITNEY_TRY(const std::int64_t extent, d.evaluate(values));
    extents.push_back(extent);
  }
  return extents;
}

}  // namespace jitney::ir
