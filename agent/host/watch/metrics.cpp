#include "agent/host/watch/metrics.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>

namespace clockmend::host {

namespace {

constexpr Verdict kVerdicts[] = {Verdict::done,    Verdict::refused, Verdict::failed,  Verdict::no_agent,
                                 Verdict::timeout, Verdict::busy,    Verdict::protocol};
constexpr core::Outcome kOutcomes[] = {core::Outcome::corrected, core::Outcome::no_action, core::Outcome::observed, core::Outcome::refused,
                                       core::Outcome::failed};

void head(std::string& text, std::string_view name, std::string_view type, std::string_view help) {
  text += "# HELP clockmend_host_" + std::string{name} + " " + std::string{help} + "\n";
  text += "# TYPE clockmend_host_" + std::string{name} + " " + std::string{type} + "\n";
}

void value(std::string& text, std::string_view name, const std::string& number) {
  text += "clockmend_host_" + std::string{name} + " " + number + "\n";
}

std::string labelled(std::string_view name, std::string_view label, std::string_view of) {
  return std::string{name} + "{" + std::string{label} + "=\"" + std::string{of} + "\"}";
}

template <typename Map, typename Key>
std::string count_of(const Map& map, Key key) {
  const auto found = map.find(key);
  return std::to_string(found == map.end() ? 0 : found->second);
}

double in_seconds(core::nanoseconds d) { return std::chrono::duration<double>(d).count(); }

}  // namespace

core::nanoseconds time_to_right(core::nanoseconds until_told, const core::CorrectionReport& report) {
  core::nanoseconds last{};
  for (const core::ActionRecord& action : report.actions) {
    const bool moves = action.kind == core::ActionKind::step || action.kind == core::ActionKind::trim;
    if (moves && action.ok) last = std::max(last, action.ended);
  }
  return until_told + last;
}

void add_report(Metrics& metrics, const core::CorrectionReport& report, core::nanoseconds until_told) {
  ++metrics.reports[report.outcome];
  if (report.outcome != core::Outcome::corrected) return;
  ++metrics.right_count;
  metrics.right_last_s = in_seconds(time_to_right(until_told, report));
  metrics.right_sum_s += metrics.right_last_s;
}

std::string metrics_text(const Metrics& m) {
  std::string text;
  head(text, "guests", "gauge", "Guests that run and have a clockmend port.");
  value(text, "guests", std::to_string(m.guests));
  head(text, "libvirt_connected", "gauge", "Whether libvirt answers.");
  value(text, "libvirt_connected", m.connected ? "1" : "0");
  head(text, "libvirt_connections_total", "counter", "Connections to libvirt that were made.");
  value(text, "libvirt_connections_total", std::to_string(m.connections));
  head(text, "libvirt_events_total", "counter", "Lifecycle events of guests.");
  value(text, "libvirt_events_total", std::to_string(m.events));
  head(text, "notices_total", "counter", "Attempts to tell a guest, by how they ended.");
  for (const Verdict verdict : kVerdicts)
    value(text, labelled("notices_total", "result", to_string(verdict)), count_of(m.notices, verdict));
  head(text, "reports_total", "counter", "What guests that were told reported.");
  for (const core::Outcome outcome : kOutcomes)
    value(text, labelled("reports_total", "outcome", to_string(outcome)), count_of(m.reports, outcome));
  head(text, "unreported_total", "counter", "Guests that were told, but no report of it was found in them.");
  value(text, "unreported_total", std::to_string(m.unreported));
  head(text, "seconds_to_right", "summary", "From the event to the last step of the guest's clock, where it was corrected.");
  value(text, "seconds_to_right_sum", std::to_string(m.right_sum_s));
  value(text, "seconds_to_right_count", std::to_string(m.right_count));
  head(text, "last_seconds_to_right", "gauge", "The same of the guest corrected last.");
  value(text, "last_seconds_to_right", std::to_string(m.right_last_s));
  return text;
}

}  // namespace clockmend::host
