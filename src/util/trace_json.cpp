// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "util/trace_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "util/json.h"

namespace jitney {
namespace {

/// Nanoseconds as the microseconds that the format counts in.
std::string microseconds(std::int64_t ns) { return fmt::format("{:.3f}", static_cast<double>(ns) * 1e-3); }

class Writer {
 public:
  explicit Writer(const TraceFacts& facts) : facts_(facts) {}
  std::string text;

  void name_process() {
    begin("M", "process_name", facts_.process);
    text += ",\"args\":{\"name\":";
    append_json_string(text, facts_.process_name);
    text += "}}";
  }

  void event(const TraceEvent& e) {
    switch (e.kind) {
      case TraceEvent::Kind::thread_name:
        begin("M", "thread_name", e.thread);
        text += ",\"args\":{\"name\":";
        append_json_string(text, e.title.view());
        text += "}}";
        return;
      case TraceEvent::Kind::counter:
        begin("C", title_of(e), e.thread);
        place(e, e.begin);
        break;
      case TraceEvent::Kind::instant:
        begin("i", title_of(e), e.thread);
        place(e, e.begin);
        text += ",\"s\":\"t\"";
        break;
      case TraceEvent::Kind::span:
        begin("X", title_of(e), e.thread);
        place(e, e.begin);
        text += ",\"dur\":" + microseconds(e.nanoseconds);
        break;
    }
    arguments(e);
    text += '}';
    if (e.flow_begins) flow(e, "s", "");
    if (e.flow_ends) flow(e, "f", ",\"bp\":\"e\"");
  }

 private:
  static std::string_view title_of(const TraceEvent& e) {
    return e.title.view().empty() ? std::string_view(e.category) : e.title.view();
  }

  void begin(const char* phase, std::string_view name, std::int64_t thread) {
    if (!first_) text += ",\n";
    first_ = false;
    text += fmt::format("{{\"ph\":\"{}\",\"pid\":{},\"tid\":{},\"name\":", phase, facts_.process, thread);
    append_json_string(text, name);
  }

  void place(const TraceEvent& e, std::int64_t at) {
    text += ",\"cat\":";
    append_json_string(text, e.category);
    text += ",\"ts\":" + microseconds(at - facts_.origin);
  }

  void flow(const TraceEvent& e, const char* phase, const char* binding) {
    begin(phase, "flow", e.thread);
    place(e, e.begin);
    text += fmt::format(",\"id\":\"{:x}\"{}}}", e.flow, binding);
  }

  void arguments(const TraceEvent& e) {
    const std::string_view id = e.kind == TraceEvent::Kind::counter ? "" : e.correlation.view();
    if (e.number_count == 0 && e.text_count == 0 && id.empty()) return;
    JsonWriter w;
    w.begin_object();
    for (int i = 0; i < e.number_count; ++i) w.key(e.numbers[i].key).value(e.numbers[i].value);
    for (int i = 0; i < e.text_count; ++i) w.key(e.texts[i].key).value(e.texts[i].value.view());
    if (!id.empty()) w.key("correlation_id").value(id);
    text += ",\"args\":" + w.end_object().take();
  }

  const TraceFacts& facts_;
  bool first_ = true;
};

}  // namespace

Status write_trace(const TraceFacts& facts, std::vector<const TraceEvent*> events,
                   const std::function<Status(const std::string&)>& write) {
  // Parents before children, which share a beginning where the clock is coarse.
  std::stable_sort(events.begin(), events.end(), [](const auto* a, const auto* b) {
    return a->begin != b->begin ? a->begin < b->begin : a->nanoseconds > b->nanoseconds;
  });
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  Writer writer(facts);
  writer.text = fmt::format(
      "{{\"displayTimeUnit\":\"ns\",\"otherData\":{{\"jitney\":\"{}\",\"lost_events\":{}}},\"traceEvents\":[\n",
      JITNEY_VERSION, facts.lost);
  writer.name_process();
  for (const TraceEvent* e : events) {
    writer.event(*e);
    if (writer.text.size() < kPiece) continue;
    JITNEY_CHECK(write(writer.text));
    writer.text.clear();
  }
  writer.text += "\n]}\n";
  return write(writer.text);
}

}  // namespace jitney
