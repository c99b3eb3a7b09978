// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "ir/read_dims.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "ir/checked.h"
#include "ir/element.h"

namespace jitney::ir {
namespace {

using Numbers = std::vector<std::int64_t>;

Expected<Numbers> integers(const Tensor& t, const std::string& who) {
  Numbers numbers;
  if (t.dtype() == DType::i64) {
    numbers.assign(t.as<std::int64_t>(), t.as<std::int64_t>() + t.num_elements());
  } else if (t.dtype() == DType::i32) {
    numbers.assign(t.as<std::int32_t>(), t.as<std::int32_t>() + t.num_elements());
  } else {
    return user_error("{} takes its shape from integers, not from {}", who, to_string(t.dtype()));
  }
  return numbers;
}

Expected<Numbers> extents(const std::string& who, const std::vector<const Tensor*>& operands, bool is_signed) {
  Numbers all;
  for (const Tensor* t : operands) {
    JITNEY_TRY(const Numbers numbers, integers(*t, who));
    for (const std::int64_t n : numbers) {
      if (!is_signed && n < 0)
        return user_error("{} is given [{}]; its elements must be 0 or more", who, fmt::join(numbers, ", "));
      if (n == INT64_MIN) return user_error("{} is given {}, which is too small", who, n);
      all.push_back(std::max<std::int64_t>(n, 0));
      if (is_signed) all.push_back(std::max<std::int64_t>(-n, 0));
    }
  }
  return all;
}

Expected<Numbers> reshape(const std::string& who, const Numbers& asked, const Numbers& given) {
  const Numbers from(given.begin() + 1, given.end());
  const auto refuse = [&](std::string_view why) {
    return user_error("{}: [{}] cannot take the shape [{}]: {}", who, fmt::join(from, ", "), fmt::join(asked, ", "),
                      why);
  };
  Numbers to = asked;
  std::int64_t total = 1, known = 1;
  for (const std::int64_t e : from)
    if (__builtin_mul_overflow(total, e, &total)) return refuse("it has more elements than can be counted");
  std::optional<std::size_t> open;
  for (std::size_t i = 0; i < to.size(); ++i) {
    if (to[i] == -1) {
      if (open) return refuse("-1 is there twice");
      open = i;
      continue;
    }
    if (to[i] == 0 && given[0] == 0) {
      if (i >= from.size()) return refuse("0 copies an extent that is not there");
      to[i] = from[i];
    }
    if (to[i] < 0) return refuse("an extent is negative");
    if (__builtin_mul_overflow(known, to[i], &known)) return refuse("it has more elements than can be counted");
  }
  if (open) {
    if (known == 0) return refuse("-1 cannot be inferred beside an extent of 0");
    if (total % known != 0) return refuse("the number of elements does not fit");
    to[*open] = total / known;
  } else if (total != known) {
    return refuse("the number of elements does not fit");
  }
  return to;
}

Expected<Numbers> expand(const std::string& who, const Numbers& asked, const Numbers& from) {
  const std::size_t rank = std::max(asked.size(), from.size());
  Numbers to(rank, 1);
  for (std::size_t i = 0; i < rank; ++i) {
    const std::int64_t a = i < asked.size() ? asked[asked.size() - 1 - i] : 1;
    const std::int64_t x = i < from.size() ? from[from.size() - 1 - i] : 1;
    if (a < 0 || (a != x && a != 1 && x != 1))
      return user_error("{}: [{}] cannot be expanded to [{}]", who, fmt::join(from, ", "), fmt::join(asked, ", "));
    to[rank - 1 - i] = a == 1 ? x : a;
  }
  return to;
}

Expected<Numbers> slice(const std::string& who, const Numbers& starts, const Numbers& ends, const Numbers& steps,
                        const Numbers& given) {
  if (starts.size() != ends.size() || given.size() != 2 * starts.size())
    return user_error("{} has {} starts and {} ends for {} axes", who, starts.size(), ends.size(), given.size() / 2);
  Numbers result;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const std::int64_t extent = given[2 * i];
    const std::int64_t step = i < steps.size() ? steps[i] : given[2 * i + 1];
    if (step == 0 || step == INT64_MIN) return user_error("{} has the step {}", who, step);
    const std::int64_t low = step > 0 ? 0 : -1, high = step > 0 ? extent : extent - 1;
    const auto bound = [&](std::int64_t at) {
      if (at < 0) at = at < -extent ? -1 : at + extent;
      return std::clamp(at, std::min(low, high), high);
    };
    const std::int64_t from = bound(starts[i]);
    const std::int64_t until = bound(ends[i]);
    const std::int64_t gap = step > 0 ? until - from : from - until;
    const std::int64_t size = step > 0 ? step : -step;
    const std::int64_t count = gap <= 0 ? 0 : (gap - 1) / size + 1;
    result.push_back(count == 0 ? 0 : from);
    result.push_back(count);
  }
  return result;
}

Expected<Numbers> padded(const std::string& who, const Numbers& pads, const Numbers& from) {
  if (pads.size() != 2 * from.size()) return user_error("{} has {} pads for {} axes", who, pads.size(), from.size());
  Numbers to;
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::int64_t extent = from[i];
    const bool fits = !__builtin_add_overflow(extent, pads[i], &extent) &&
                      !__builtin_add_overflow(extent, pads[from.size() + i], &extent);
    if (!fits || extent < 0)
      return user_error("{} is given the pads [{}] for the extents [{}]", who, fmt::join(pads, ", "),
                        fmt::join(from, ", "));
    to.push_back(extent);
  }
  return to;
}

/// As Resize does it, which is in float.
Expected<Numbers> scaled(const std::string& who, const Tensor& scales, const Numbers& from) {
  if (scales.num_elements() != std::ssize(from))
    return user_error("{} has {} scales for {} axes", who, scales.num_elements(), from.size());
  if (!is_floating(scales.dtype())) return user_error("{} takes scales of {}", who, to_string(scales.dtype()));
  constexpr float kMost = 1 << 20;
  Numbers to;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const auto scale =
        with_element(scales.dtype(), [&]<class T>(T) { return static_cast<float>(load(scales.as<T>()[i])); });
    if (!(scale > 0) || scale > kMost)
      return user_error("{} has the scale {}; it must be above 0 and at most {}", who, scale, kMost);
    const float extent = static_cast<float>(from[i]) * scale;
    if (!(extent < 0x1p62F)) return user_error("{} would have more elements than can be counted", who);
    to.push_back(static_cast<std::int64_t>(extent));
  }
  return to;
}

/// The common scale is the least or the largest of those that the sizes ask for.
Expected<Numbers> keep_aspect(const std::string& who, const Numbers& sizes, const Numbers& from, bool is_larger) {
  constexpr std::int64_t kMost = 1 << 24;
  if (sizes.size() != from.size()) return user_error("{} has {} sizes for {} axes", who, sizes.size(), from.size());
  float scale = is_larger ? 0 : INFINITY;
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (sizes[i] < 0 || sizes[i] > kMost || from[i] < 1 || from[i] > kMost)
      return user_error("{} cannot stretch the extent {} to {}; from 1 to {} are allowed", who, from[i], sizes[i],
                        kMost);
    const float own = static_cast<float>(sizes[i]) / static_cast<float>(from[i]);
    scale = is_larger ? std::max(scale, own) : std::min(scale, own);
  }
  Numbers to;
  for (const std::int64_t extent : from) to.push_back(std::llround(scale * static_cast<float>(extent)));
  return to;
}

Expected<Numbers> is_axes(const std::string& who, Numbers axes, Numbers given, bool has_forbidden) {
  const std::int64_t rank = given[0];
  Numbers forbidden;
  if (has_forbidden) {
    const auto first = given.begin() + 3;
    if (given[2] < 0 || given[2] > given.end() - first) return internal_error("{} forbids {} axes", who, given[2]);
    forbidden.assign(first, first + given[2]);
    given.erase(given.begin() + 2, first + given[2]);
  }
  for (std::int64_t& axis : axes) {
    if (axis < -rank || axis >= rank)
      return user_error("{} is given axis {}; it must be in [{}, {}]", who, axis, -rank, rank - 1);
    if (axis < 0) axis += rank;
    if (std::find(forbidden.begin(), forbidden.end(), axis) != forbidden.end())
      return user_error("{} is given axis {}, which is not allowed here", who, axis);
  }
  Numbers sorted = axes;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
    return user_error("{} is given an axis twice: [{}]", who, fmt::join(axes, ", "));
  const Numbers asked(given.begin() + 2, given.end());
  return Numbers{static_cast<std::int64_t>((given[1] != 0 ? axes : sorted) == asked)};
}

Expected<Numbers> range(const std::string& who, const std::vector<const Tensor*>& operands) {
  for (const Tensor* t : operands)
    if (t->num_elements() != 1) return user_error("{} takes scalars, not {} elements", who, t->num_elements());
  const bool exact =
      std::all_of(operands.begin(), operands.end(), [](const Tensor* t) { return is_integer(t->dtype()); });
  if (exact) {
    __int128 n[3];
    for (std::size_t i = 0; i < 3; ++i)
      n[i] = with_element(operands[i]->dtype(), [&]<class T>(T) -> __int128 { return load(*operands[i]->as<T>()); });
    if (n[2] == 0) return user_error("the delta of {} is 0", who);
    const __int128 gap = n[2] > 0 ? n[1] - n[0] : n[0] - n[1], size = n[2] > 0 ? n[2] : -n[2];
    const __int128 count = gap <= 0 ? 0 : (gap - 1) / size + 1;
    if (count > INT64_MAX) return user_error("{} would have more elements than can be counted", who);
    return Numbers{static_cast<std::int64_t>(count)};
  }
  double n[3];
  for (std::size_t i = 0; i < 3; ++i)
    n[i] = with_element(operands[i]->dtype(),
                        [&]<class T>(T) { return static_cast<double>(load(*operands[i]->as<T>())); });
  const double count = std::max(std::ceil((n[1] - n[0]) / n[2]), 0.0);
  if (n[2] == 0 || !(count < 0x1p53)) return user_error("{} from {} to {} by {} has no length", who, n[0], n[1], n[2]);
  return Numbers{static_cast<std::int64_t>(count)};
}

}  // namespace

bool is_test(const std::string& rule) { return rule == "is_axes" || rule == "is_allowed_axes"; }

bool is_rule(const std::string& rule, std::size_t operands, std::size_t given) {
  if (rule == "extents" || rule == "signed") return given == 0;
  if (rule == "reshape") return operands == 1 && given >= 1;
  if (rule == "expand") return operands == 1;
  if (rule == "is_axes") return operands == 1 && given >= 2;
  if (rule == "is_allowed_axes") return operands == 1 && given >= 3;
  if (rule == "slice") return (operands == 2 || operands == 3) && given % 2 == 0;
  if (rule == "padded" || rule == "scaled" || rule == "not_larger" || rule == "not_smaller") return operands == 1;
  return rule == "range" && operands == 3 && given == 0;
}

bool is_operand(const std::string& rule, DType dtype) {
  if (rule == "range") return dtype != DType::boolean;
  if (rule == "scaled") return is_floating(dtype);
  return dtype == DType::i64 || dtype == DType::i32;
}

Expected<Numbers> read_dims(const std::string& rule, const std::string& who, const std::vector<const Tensor*>& operands,
                            const Numbers& given) {
  if (!is_rule(rule, operands.size(), given.size())) return internal_error("{} has no rule '{}'", who, rule);
  if (rule == "range") return range(who, operands);
  if (rule == "extents" || rule == "signed") return extents(who, operands, rule == "signed");
  if (rule == "scaled") return scaled(who, *operands[0], given);
  JITNEY_TRY(const Numbers first, integers(*operands[0], who));
  if (rule == "reshape") return reshape(who, first, given);
  if (rule == "padded") return padded(who, first, given);
  if (rule == "expand") return expand(who, first, given);
  if (is_test(rule)) return is_axes(who, first, given, rule == "is_allowed_axes");
  if (rule == "not_larger" || rule == "not_smaller") return keep_aspect(who, first, given, rule == "not_smaller");
  JITNEY_TRY(const Numbers second, integers(*operands[1], who));
  Numbers steps;
  if (operands.size() == 3) {
    JITNEY_TRY(steps, integers(*operands[2], who));
    if (steps.size() != first.size())
      return user_error("{} has {} steps for {} starts", who, steps.size(), first.size());
  }
  return slice(who, first, second, steps, given);
}

}  // namespace jitney::ir
