// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Einsum: operands are taken from left to right, two at a time, as a matrix product where axes are summed over, and as
// a product of elements where none is.
#include <algorithm>
#include <map>

#include "frontend/onnx/arithmetic.h"
#include "frontend/onnx/registry.h"

namespace jitney::onnx {
namespace {

using ir::Dim;
using ir::Op;
using ir::Shape;
using ir::ValueId;

/// A letter, or 1000 + k for the axis of an ellipsis that is k before its last one.
using Label = int;
using Labels = std::vector<Label>;
constexpr Label kEllipsis = 1000;

bool contains(const Labels& labels, Label one) { return std::find(labels.begin(), labels.end(), one) != labels.end(); }

/// An operand, or a product of several, with one label for each of its axes.
struct Term {
  ValueId id;
  Labels labels;
};

/// The subscripts as they are written: letters and kEllipsis once for "...".
Expected<Labels> parse_term(NodeContext& c, std::string_view text) {
  Labels labels;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char letter = text[i];
    if (text.substr(i, 3) == "..." && !contains(labels, kEllipsis)) {
      labels.push_back(kEllipsis);
      i += 2;
    } else if ((letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z')) {
      labels.push_back(letter);
    } else {
      return c.error("its equation has '{}' where a letter or one '...' is expected", letter);
    }
  }
  return labels;
}

/// The labels of an ellipsis that stands for `count` axes.
Labels ellipsis_labels(std::size_t count) {
  Labels labels;
  for (std::size_t k = count; k-- > 0;) labels.push_back(kEllipsis + static_cast<Label>(k));
  return labels;
}

Labels spelled_out(const Labels& written, std::size_t ellipsis_rank) {
  Labels labels;
  for (const Label label : written) {
    if (label != kEllipsis) {
      labels.push_back(label);
      continue;
    }
    for (const Label axis : ellipsis_labels(ellipsis_rank)) labels.push_back(axis);
  }
  return labels;
}

class Einsum {
 public:
  explicit Einsum(NodeContext& c) : c_(c), b_(c.b) {}

  Status run() {
    JITNEY_CHECK(read_equation());
    for (Term& term : terms_) take_diagonals(term);
    Term result = terms_[0];
    for (std::size_t i = 1; i < terms_.size() && b_.ok(); ++i) {
      Labels needed = output_;
      for (std::size_t k = i + 1; k < terms_.size(); ++k)
        needed.insert(needed.end(), terms_[k].labels.begin(), terms_[k].labels.end());
      result = product(result, terms_[i], needed);
    }
    JITNEY_CHECK(b_.status());
    sum_out(result, output_);
    return c_.set(0, arranged(result, output_));
  }

 private:
  NodeContext& c_;
  GraphBuilder& b_;
  std::vector<Term> terms_;
  Labels output_;

  Status read_equation() {
    std::string equation = c_.text("equation", "");
    std::erase(equation, ' ');
    const auto arrow = equation.find("->");
    std::string_view left = std::string_view(equation).substr(0, arrow);
    std::size_t ellipsis_rank = 0;
    for (int i = 0; i < c_.input_count(); ++i) {
      if (!c_.has(i)) return c_.error("input {} is missing", i);
      const auto comma = left.find(',');
      if ((comma == std::string_view::npos) != (i + 1 == c_.input_count()))
        return c_.error("its equation '{}' does not have one term for each of {} inputs", equation, c_.input_count());
      JITNEY_TRY(const Labels written, parse_term(c_, left.substr(0, comma)));
      left.remove_prefix(std::min(left.size(), comma == std::string_view::npos ? left.size() : comma + 1));
      const std::size_t rank = c_.shape(i).size();
      const bool open = contains(written, kEllipsis);
      const std::size_t letters = written.size() - (open ? 1 : 0);
      if (letters > rank || (!open && letters != rank))
        return c_.error("its equation '{}' does not fit the rank of input {} {}", equation, i,
                        ir::to_string(c_.shape(i)));
      ellipsis_rank = std::max(ellipsis_rank, rank - letters);
      terms_.push_back({c_.value(i), spelled_out(written, rank - letters)});
    }
    if (arrow != std::string::npos) {
      JITNEY_TRY(const Labels written, parse_term(c_, std::string_view(equation).substr(arrow + 2)));
      output_ = spelled_out(written, ellipsis_rank);
    } else {
      output_ = implicit_output(ellipsis_rank);
    }
    for (std::size_t i = 0; i < output_.size(); ++i) {
      const bool known =
          std::any_of(terms_.begin(), terms_.end(), [&](const Term& t) { return contains(t.labels, output_[i]); });
      if (!known || std::count(output_.begin(), output_.end(), output_[i]) > 1)
        return c_.error("an axis of the result of its equation '{}' is unknown, or named twice", equation);
    }
    return {};
  }

  /// Without an arrow: the ellipsis, then what is named once, in alphabetic order.
  Labels implicit_output(std::size_t ellipsis_rank) const {
    std::map<Label, int> seen;
    for (const Term& term : terms_)
      for (const Label label : term.labels) ++seen[label];
    Labels output = ellipsis_labels(ellipsis_rank);
    for (const auto& [label, count] : seen)
      if (label < kEllipsis && count == 1) output.push_back(label);
    return output;
  }

  Shape shape_of(const Term& term) const { return b_.shape(term.id); }

  /// An axis that is named twice: only what lies on the diagonal counts.
  void take_diagonals(Term& term) {
    for (std::size_t first = 0; first < term.labels.size(); ++first) {
      for (std::size_t second = term.labels.size(); second-- > first + 1;) {
        if (term.labels[first] != term.labels[second] || !b_.ok()) continue;
        const Shape shape = shape_of(term);
        b_.require(
            ir::Guard::Relation::equal, shape[first], shape[second],
            fmt::format("{}: axes {} and {} of {} have one name", c_.label(), first, second, ir::to_string(shape)));
        const Arithmetic m{b_, DType::i64};
        const ValueId on =
            m.equal(m.counter(shape[first], shape.size(), first), m.counter(shape[second], shape.size(), second));
        const ValueId kept = b_.where(on, term.id, b_.scalar(0, b_.dtype(term.id)));
        term.id = b_.reduce(Op::reduce_sum, kept, {static_cast<std::int64_t>(second)}, false);
        term.labels.erase(term.labels.begin() + static_cast<std::ptrdiff_t>(second));
      }
    }
  }

  void sum_out(Term& term, const Labels& needed) {
    std::vector<std::int64_t> axes;
    Labels kept;
    for (std::size_t i = 0; i < term.labels.size(); ++i) {
      if (contains(needed, term.labels[i]))
        kept.push_back(term.labels[i]);
      else
        axes.push_back(static_cast<std::int64_t>(i));
    }
    if (axes.empty()) return;
    term.id = b_.reduce(Op::reduce_sum, term.id, axes, false);
    term.labels = kept;
  }

  /// The term with its axes in another order.
  ValueId arranged(const Term& term, const Labels& order) {
    std::vector<std::int64_t> perm;
    for (const Label label : order)
      perm.push_back(std::find(term.labels.begin(), term.labels.end(), label) - term.labels.begin());
    return b_.permute(term.id, perm);
  }

  Shape extents(const Term& term, const Labels& labels) const {
    Shape shape;
    for (const Label label : labels)
      shape.push_back(shape_of(term)[static_cast<std::size_t>(std::find(term.labels.begin(), term.labels.end(), label) -
                                                              term.labels.begin())]);
    return shape;
  }

  Term product(Term x, Term y, const Labels& needed) {
    Labels with_y = needed, with_x = needed;
    with_y.insert(with_y.end(), y.labels.begin(), y.labels.end());
    with_x.insert(with_x.end(), x.labels.begin(), x.labels.end());
    sum_out(x, with_y);
    sum_out(y, with_x);
    Labels batch, summed, left, right;
    for (const Label label : x.labels)
      (!contains(y.labels, label) ? left : contains(needed, label) ? batch : summed).push_back(label);
    for (const Label label : y.labels)
      if (!contains(x.labels, label)) right.push_back(label);
    if (!b_.ok()) return x;
    const auto joined = [](Labels a, const Labels& more) {
      a.insert(a.end(), more.begin(), more.end());
      return a;
    };
    const auto merged = [](Shape a, const Shape& more) {
      a.insert(a.end(), more.begin(), more.end());
      return a;
    };
    const Shape lefts = extents(x, left), rights = extents(y, right);
    const Labels result = joined(joined(batch, left), right);
    if (summed.empty()) {
      const Shape x_shape = merged(merged(extents(x, batch), lefts), Shape(right.size(), Dim(1)));
      const Shape y_shape = merged(merged(extents(y, batch), Shape(left.size(), Dim(1))), rights);
      const ValueId a = b_.reshape(arranged(x, joined(batch, left)), x_shape);
      const ValueId b = b_.reshape(arranged(y, joined(batch, right)), y_shape);
      return {b_.binary(Op::mul, a, b), result};
    }
    const Shape x_shape = merged(extents(x, batch), {ir::product(lefts), ir::product(extents(x, summed))});
    const Shape y_shape = merged(extents(y, batch), {ir::product(extents(y, summed)), ir::product(rights)});
    const ValueId a = b_.reshape(arranged(x, joined(joined(batch, left), summed)), x_shape);
    const ValueId b = b_.reshape(arranged(y, joined(joined(batch, summed), right)), y_shape);
    const ValueId product = b_.binary(Op::matmul, a, b);
    if (!b_.ok()) return x;
    const Shape whole = b_.shape(product);
    const Shape outer(whole.begin(), whole.end() - 2);
    return {b_.reshape(product, merged(merged(outer, lefts), rights)), result};
  }
};

Status einsum(NodeContext& c) { return Einsum(c).run(); }

}  // namespace

std::span<const OperatorRow> einsum_operators() {
  static constexpr OperatorRow kRows[] = {{"Einsum", 12, 1, kAnyNumber, einsum}};
  return kRows;
}

}  // namespace jitney::onnx
