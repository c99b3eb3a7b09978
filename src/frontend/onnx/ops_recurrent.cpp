// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// RNN, GRU and LSTM of a constant number of steps: one product for the inputs of all steps, then one step after the
// other.
#include <limits>

#include "frontend/onnx/recurrent_activations.h"
#include "frontend/onnx/registry.h"

namespace jitney::onnx {
namespace {

using ir::Dim;
using ir::Guard;
using ir::kNoValue;
using ir::Op;
using ir::Shape;
using ir::ValueId;

enum class Cell { rnn, gru, lstm };
enum Input { kX, kW, kR, kB, kLengths, kInitialH, kInitialC, kPeepholes };

constexpr std::int64_t kMaxSteps = 4096;

class Recurrence {
 public:
  Recurrence(NodeContext& c, Cell cell) : c_(c), b_(c.b), cell_(cell), m_{c.b, c.dtype(kX)} {}

  Status run() {
    JITNEY_CHECK(read());
    for (std::size_t d = 0; d < directions_; ++d) {
      const bool backward = d == 1 || direction_ == "reverse";
      JITNEY_CHECK(run_direction(d, backward));
    }
    // y: [s, d, b, h]; states: [d, b, h]. With layout 1 the batch comes first.
    ValueId y = joined(all_, 1), h = joined(last_h_, 0), cell = joined(last_c_, 0);
    if (batch_first_) {
      y = b_.permute(y, {2, 0, 1, 3});
      h = b_.permute(h, {1, 0, 2});
      if (cell_ == Cell::lstm) cell = b_.permute(cell, {1, 0, 2});
    }
    JITNEY_CHECK(c_.set(0, y));
    JITNEY_CHECK(c_.set(1, h));
    return cell_ == Cell::lstm ? c_.set(2, cell) : Status{};
  }

 private:
  NodeContext& c_;
  GraphBuilder& b_;
  Cell cell_;
  Arithmetic m_;
  std::string direction_;
  std::size_t directions_ = 1;
  std::vector<GateFunction> functions_;
  double clip_ = 0;
  bool batch_first_ = false, coupled_ = false, linear_before_reset_ = false;
  std::int64_t steps_ = 0, gates_ = 1;
  Dim batch_, hidden_, inputs_;
  ValueId x_ = kNoValue;
  std::vector<ValueId> all_, last_h_, last_c_;  // one a direction

  Status read() {
    direction_ = c_.text("direction", "forward");
    if (direction_ != "forward" && direction_ != "reverse" && direction_ != "bidirectional")
      return c_.error("direction is '{}'; forward, reverse and bidirectional are allowed", direction_);
    directions_ = direction_ == "bidirectional" ? 2 : 1;
    gates_ = cell_ == Cell::rnn ? 1 : cell_ == Cell::gru ? 3 : 4;
    const std::vector<std::string> defaults = cell_ == Cell::rnn ? std::vector<std::string>{"Tanh"}
                                              : cell_ == Cell::gru
                                                  ? std::vector<std::string>{"Sigmoid", "Tanh"}
                                                  : std::vector<std::string>{"Sigmoid", "Tanh", "Tanh"};
    JITNEY_TRY(functions_, read_gate_functions(c_, defaults, directions_));
    clip_ = c_.real("clip", 0);
    c_.ignore({"hidden_size", "output_sequence"});
    batch_first_ = c_.opset >= 14 && c_.integer("layout", 0) != 0;
    coupled_ = cell_ == Cell::lstm && c_.integer("input_forget", 0) != 0;
    linear_before_reset_ = cell_ == Cell::gru && c_.integer("linear_before_reset", 0) != 0;
    if (!is_floating(c_.dtype(kX))) return c_.error("its input is {}", to_string(c_.dtype(kX)));
    if (c_.rank(kX) != 3 || c_.rank(kW) != 3 || c_.rank(kR) != 3)
      return c_.error("X, W and R must have rank 3; they are {}, {} and {}", ir::to_string(c_.shape(kX)),
                      ir::to_string(c_.shape(kW)), ir::to_string(c_.shape(kR)));
    x_ = batch_first_ ? b_.permute(c_.value(kX), {1, 0, 2}) : c_.value(kX);
    JITNEY_CHECK(b_.status());
    const Shape x = b_.shape(x_);
    const auto steps = x[0].constant();
    if (!steps || *steps > kMaxSteps)
      return c_.error("its number of steps must be a constant of up to {}, not {}", kMaxSteps, x[0].to_string());
    steps_ = *steps;
    batch_ = x[1];
    inputs_ = x[2];
    hidden_ = c_.shape(kR)[2];
    return check_shapes();
  }

  Status check_shapes() {
    const Dim d(static_cast<std::int64_t>(directions_)), rows = Dim(gates_) * hidden_;
    const Shape state = batch_first_ ? Shape{batch_, d, hidden_} : Shape{d, batch_, hidden_};
    const auto expect = [&](int input, const char* name, const Shape& shape) -> Status {
      if (!c_.has(input)) return {};
      const Shape& given = c_.shape(input);
      if (given.size() != shape.size())
        return c_.error("{} must be {}, not {}", name, ir::to_string(shape), ir::to_string(given));
      for (std::size_t i = 0; i < shape.size(); ++i)
        b_.require(
            Guard::Relation::equal, given[i], shape[i],
            fmt::format("{}: {} must be {}, not {}", c_.label(), name, ir::to_string(shape), ir::to_string(given)));
      return {};
    };
    JITNEY_CHECK(expect(kW, "W", {d, rows, inputs_}));
    JITNEY_CHECK(expect(kR, "R", {d, rows, hidden_}));
    JITNEY_CHECK(expect(kB, "B", {d, Dim(2) * rows}));
    JITNEY_CHECK(expect(kLengths, "sequence_lens", {batch_}));
    JITNEY_CHECK(expect(kInitialH, "initial_h", state));
    if (cell_ != Cell::lstm) return b_.status();
    JITNEY_CHECK(expect(kInitialC, "initial_c", state));
    JITNEY_CHECK(expect(kPeepholes, "P", {d, Dim(3) * hidden_}));
    return b_.status();
  }

  /// Elements [from, from + count) along an axis.
  ValueId part(ValueId x, std::size_t axis, const Dim& from, const Dim& count) {
    if (!b_.ok() || x == kNoValue) return kNoValue;
    Shape shape = b_.shape(x);
    std::vector<Dim> starts(shape.size(), Dim(0));
    starts[axis] = from;
    shape[axis] = count;
    return b_.slice(x, std::move(starts), std::vector<std::int64_t>(shape.size(), 1), shape);
  }
  /// One index of the first axis, without that axis.
  ValueId at(ValueId x, std::int64_t index) {
    if (!b_.ok()) return kNoValue;
    Shape shape = b_.shape(x);
    const ValueId one = part(x, 0, Dim(index), Dim(1));
    shape.erase(shape.begin());
    return b_.reshape(one, shape);
  }
  /// The i-th of the parts of `hidden` elements along the last axis.
  ValueId gate(ValueId x, std::int64_t i) {
    if (!b_.ok() || x == kNoValue) return kNoValue;
    return part(x, static_cast<std::size_t>(b_.rank(x)) - 1, Dim(i) * hidden_, hidden_);
  }

  ValueId initial(int input, std::int64_t d) {
    if (!c_.has(input)) return b_.expand(m_.number(0.0), {batch_, hidden_});
    const ValueId x = batch_first_ ? b_.permute(c_.value(input), {1, 0, 2}) : c_.value(input);
    return at(b_.cast(x, m_.dtype), d);
  }

  ValueId activated(std::size_t d, std::size_t which, ValueId x) {
    const std::size_t each = functions_.size() / directions_;
    if (clip_ > 0) x = m_.max(m_.min(x, m_.number(clip_)), m_.number(-clip_));
    return functions_[d * each + which].apply(m_, x);
  }

  struct State {
    ValueId h, c;
  };
  struct Weights {
    ValueId r, rb, p;  // [h, gates h], [gates h], [3 h]
  };

  State step(std::size_t d, ValueId x, const State& s, const Weights& w) {
    if (cell_ == Cell::rnn) return {activated(d, 0, m_.add(x, recurrent(s.h, w.r, w.rb))), kNoValue};
    if (cell_ == Cell::gru) return step_gru(d, x, s, w);
    return step_lstm(d, m_.add(x, recurrent(s.h, w.r, w.rb)), s, w);
  }

  ValueId recurrent(ValueId h, ValueId r, ValueId bias) {
    const ValueId product = b_.binary(Op::matmul, h, r);
    return bias == kNoValue ? product : m_.add(product, bias);
  }

  State step_gru(std::size_t d, ValueId x, const State& s, const Weights& w) {
    const ValueId one = m_.number(1.0);
    if (linear_before_reset_) {
      const ValueId all = recurrent(s.h, w.r, w.rb);
      const ValueId z = activated(d, 0, m_.add(gate(x, 0), gate(all, 0)));
      const ValueId reset = activated(d, 0, m_.add(gate(x, 1), gate(all, 1)));
      const ValueId next = activated(d, 1, m_.add(gate(x, 2), m_.mul(reset, gate(all, 2))));
      return {m_.add(m_.mul(m_.sub(one, z), next), m_.mul(z, s.h)), kNoValue};
    }
    const ValueId two = recurrent(s.h, part(w.r, 1, Dim(0), Dim(2) * hidden_),
                                  w.rb == kNoValue ? kNoValue : part(w.rb, 0, Dim(0), Dim(2) * hidden_));
    const ValueId z = activated(d, 0, m_.add(gate(x, 0), gate(two, 0)));
    const ValueId reset = activated(d, 0, m_.add(gate(x, 1), gate(two, 1)));
    const ValueId inner = recurrent(m_.mul(reset, s.h), gate(w.r, 2), gate(w.rb, 2));
    const ValueId next = activated(d, 1, m_.add(gate(x, 2), inner));
    return {m_.add(m_.mul(m_.sub(one, z), next), m_.mul(z, s.h)), kNoValue};
  }

  /// Gates in the order input, output, forget, cell; peepholes in the order input, output, forget.
  State step_lstm(std::size_t d, ValueId gates, const State& s, const Weights& w) {
    const auto peep = [&](ValueId x, std::int64_t which, ValueId cell) {
      return w.p == kNoValue ? x : m_.add(x, m_.mul(gate(w.p, which), cell));
    };
    const ValueId input = activated(d, 0, peep(gate(gates, 0), 0, s.c));
    const ValueId forget = coupled_ ? m_.sub(m_.number(1.0), input) : activated(d, 0, peep(gate(gates, 2), 2, s.c));
    const ValueId next = activated(d, 1, gate(gates, 3));
    const ValueId cell = m_.add(m_.mul(forget, s.c), m_.mul(input, next));
    const ValueId output = activated(d, 0, peep(gate(gates, 1), 1, cell));
    return {m_.mul(output, activated_state(d, cell)), cell};
  }
  ValueId activated_state(std::size_t d, ValueId cell) {
    return functions_[d * (functions_.size() / directions_) + 2].apply(m_, cell);
  }

  Status run_direction(std::size_t direction, bool backward) {
    const auto d = static_cast<std::int64_t>(direction);
    const Dim rows = Dim(gates_) * hidden_;
    // Inputs of all steps at once, with the bias that needs no state.
    ValueId x = b_.binary(Op::matmul, x_, b_.permute(at(b_.cast(c_.value(kW), m_.dtype), d), {1, 0}));
    Weights w{b_.permute(at(b_.cast(c_.value(kR), m_.dtype), d), {1, 0}), kNoValue, kNoValue};
    if (c_.has(kB)) {
      const ValueId bias = at(b_.cast(c_.value(kB), m_.dtype), d);
      ValueId early = part(bias, 0, Dim(0), rows);
      const ValueId late = part(bias, 0, rows, rows);
      if (linear_before_reset_)
        w.rb = late;
      else
        early = m_.add(early, late);
      x = m_.add(x, early);
    }
    if (cell_ == Cell::lstm && c_.has(kPeepholes)) w.p = at(b_.cast(c_.value(kPeepholes), m_.dtype), d);
    State s{initial(kInitialH, d), cell_ == Cell::lstm ? initial(kInitialC, d) : kNoValue};
    const Arithmetic i64{b_, DType::i64};
    const ValueId lengths =
        c_.has(kLengths) ? b_.reshape(b_.cast(c_.value(kLengths), DType::i64), {batch_, Dim(1)}) : kNoValue;
    std::vector<ValueId> results(static_cast<std::size_t>(steps_));
    for (std::int64_t i = 0; i < steps_ && b_.ok(); ++i) {
      const std::int64_t t = backward ? steps_ - 1 - i : i;
      State next = step(direction, at(x, t), s, w);
      ValueId shown = next.h;
      if (lengths != kNoValue) {
        // Beyond a sample's length its state stays, and its result is 0.
        const ValueId on = i64.less(i64.number(static_cast<double>(t)), lengths);
        shown = m_.where(on, next.h, m_.number(0.0));
        next.h = m_.where(on, next.h, s.h);
        if (cell_ == Cell::lstm) next.c = m_.where(on, next.c, s.c);
      }
      s = next;
      results[static_cast<std::size_t>(t)] = b_.reshape(shown, {Dim(1), Dim(1), batch_, hidden_});
    }
    JITNEY_CHECK(b_.status());
    if (results.empty())
      all_.push_back(b_.expand(m_.number(0.0), {Dim(0), Dim(1), batch_, hidden_}));
    else
      all_.push_back(joined(results, 0));
    last_h_.push_back(b_.reshape(s.h, {Dim(1), batch_, hidden_}));
    if (cell_ == Cell::lstm) last_c_.push_back(b_.reshape(s.c, {Dim(1), batch_, hidden_}));
    return b_.status();
  }

  ValueId joined(const std::vector<ValueId>& parts, std::int64_t axis) {
    if (parts.empty()) return kNoValue;
    return parts.size() == 1 ? parts[0] : b_.node(Op::concat, parts, {{"axis", axis}});
  }
};

template <Cell cell>
Status recurrence(NodeContext& c) {
  return Recurrence(c, cell).run();
}

}  // namespace

std::span<const OperatorRow> recurrent_operators() {
  static constexpr OperatorRow kRows[] = {
      {"RNN", 1, 3, 6, recurrence<Cell::rnn>},
      {"GRU", 1, 3, 6, recurrence<Cell::gru>},
      {"LSTM", 1, 3, 8, recurrence<Cell::lstm>},
  };
  return kRows;
}

}  // namespace jitney::onnx
