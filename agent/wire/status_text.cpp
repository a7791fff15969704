#include <algorithm>
#include <chrono>

#include "agent/core/printable.hpp"
#include "agent/wire/status.hpp"
#include "agent/wire/text.hpp"

namespace clockmend::wire {
namespace {

constexpr std::size_t kLabelWidth = 14;

using core::printable;

void line(std::string& out, std::string label, const std::string& text) {
  if (text.empty()) return;
  label.resize(std::max(label.size() + 1, kLabelWidth), ' ');
  out += label + printable(text) + "\n";
}

std::string because(const std::string& why) { return why.empty() ? "" : " (" + why + ")"; }

std::string reading_text(const core::OffsetReading& reading) {
  std::string text = human(reading.offset.value, true) + " +- " + human(reading.uncertainty + reading.systematic, false);
  if (reading.answered > 1) text += ", " + std::to_string(reading.agreeing) + " of " + std::to_string(reading.answered) + " agree";
  return text + because(reading.detail);
}

std::string daemon_text(const core::DaemonStatus& daemon) {
  if (daemon.unit.empty()) return "none active" + because(daemon.problem);
  std::string text = daemon.unit + ": " + daemon.active_state + "/" + daemon.sub_state;
  text += daemon.running ? ", running" : ", NOT running";
  text += daemon.synchronising ? ", synchronising" : ", not yet synchronising";
  if (!daemon.health.empty()) text += "; last correction: " + daemon.health;
  return text + because(daemon.problem);
}

std::string clock_text(const core::AgentStatus& status) {
  if (!status.valid_since) return "do not trust it now";
  std::string text = "valid since " + iso8601(*status.valid_since);
  if (status.error_bound) text += ", error below " + human(*status.error_bound, false);
  return text;
}

std::string counters_text(const core::Counters& c) {
  return std::to_string(c.discontinuities) + " discontinuities, " + std::to_string(c.corrections) + " corrections, " +
         std::to_string(c.no_actions) + " no-actions, " + std::to_string(c.refusals) + " refusals, " + std::to_string(c.failures) +
         " failures, " + std::to_string(c.notices) + " notices, " + std::to_string(c.bad_lines) + " bad lines";
}

std::string action_text(const core::ActionRecord& action) {
  std::string text = action.ok ? "" : "FAILED ";
  if (action.offset) text += human(action.offset->value, true) + " ";
  if (action.uncertainty) text += "+- " + human(*action.uncertainty, false) + " ";
  text += action.detail;
  return text;
}

void actions(std::string& out, const core::CorrectionReport& report) {
  for (const core::ActionRecord& action : report.actions) {
    std::string label = std::string("  ") + to_string(action.kind);
    label.resize(std::max<std::size_t>(label.size() + 1, kLabelWidth + 2), ' ');
    out += label + human(action.begun, true) + " .. " + human(action.ended, true) + "  " + printable(action_text(action)) + "\n";
  }
}

}  // namespace

std::string render_report_brief(const core::CorrectionReport& report) {
  std::string text = "#" + std::to_string(report.number) + " " + iso8601(report.started_realtime) + " " + to_string(report.outcome);
  text += std::string(" ") + to_string(report.discontinuity.cause);
  if (report.total.value.count() != 0) text += ", stepped " + human(report.total.value, true);
  text += ", took " + human(report.duration, false);
  return text + because(printable(report.reason));
}

std::string render_report(const core::CorrectionReport& report) {
  std::string out;
  line(out, "correction", "#" + std::to_string(report.number) + " " + to_string(report.outcome) + because(report.reason));
  line(out, "cause", std::string(to_string(report.discontinuity.cause)) + because(report.discontinuity.tripwire));
  for (const std::string& disruption : report.discontinuity.disruptions) line(out, "disruption", disruption);
  if (const auto& gap = report.discontinuity.gap)
    line(out, "gap", human(gap->middle().value, false) + " +- " + human(gap->half_width(), false));
  line(out, "confidence", to_string(report.discontinuity.confidence));
  line(out, "started", iso8601(report.started_realtime) + " by the clock before, took " + human(report.duration, false));
  for (const core::Evidence& evidence : report.discontinuity.evidence) {
    line(out, std::string("  ") + to_string(evidence.reading.witness),
         reading_text(evidence.reading) + ", " + to_string(evidence.basis) + (evidence.used ? ", used" : ", not used"));
  }
  line(out, "stepped", human(report.total.value, true));
  if (report.residual) {
    line(out, "left over",
         human(report.residual->value, true) + " +- " + human(report.residual_uncertainty.value_or(core::nanoseconds{}), false) +
             (report.verified ? ", verified" : ", not verified"));
  }
  line(out, "rtc", report.rtc);
  line(out, "time daemon", report.daemon);
  actions(out, report);
  return out;
}

std::string render_status(const core::AgentStatus& status) {
  std::string out;
  line(out, "state", to_string(status.state) + because(status.state_reason));
  line(out, "clock", clock_text(status));
  line(out, "checked", iso8601(status.checked_at.realtime) + ", void after " + human(status.void_after, false));
  line(out, "mode", std::string(to_string(status.mode)) + ", " + to_string(status.sequence));
  line(out, "clocksource", status.clocksource);
  if (!status.can_set_clock) line(out, "permission", "cannot set the clock" + because(status.can_set_clock_why));
  for (const core::ProbeStatus& probe : status.probes) {
    line(out, "probe",
         probe.name + ": " + to_string(probe.health.state) + because(probe.health.why) +
             (probe.health.last ? ", last " + reading_text(*probe.health.last) : ""));
  }
  for (const core::DaemonStatus& daemon : status.daemons) line(out, "time daemon", daemon_text(daemon));
  for (const core::ServerStatus& server : status.servers) {
    const std::string name = server.name.empty() || server.name == server.address ? "" : " " + server.name;
    line(out, "server", server.address + name + ": " + server.state + (server.last ? ", " + reading_text(*server.last) : ""));
  }
  line(out, "channel", status.channel);
  line(out, "rtc mode", status.rtc_mode);
  line(out, "config", status.config_error.empty() ? "" : "refused, the old one is in force: " + status.config_error);
  line(out, "counters", counters_text(status.counters));
  if (status.last) out += "\n" + render_report(*status.last);
  line(out, "agent", "clockmendd " + status.version + ", pid " + std::to_string(status.pid));
  return out;
}

core::Result<std::string> render_status_text(std::string_view status_json) {
  auto status = parse_status(status_json);
  if (!status) return status.error();
  return render_status(*status);
}

}  // namespace clockmend::wire
