#include "agent/config/checks.hpp"

#include <algorithm>

namespace clockmend::config {

namespace {

bool shared(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::ranges::any_of(a, [&b](const std::string& unit) { return std::ranges::find(b, unit) != b.end(); });
}

/// A program that makes the step needs NTP, and no time daemon beside it.
void check_step(const core::Settings& s, std::vector<Contradiction>& found) {
  const core::StepBackend backend = s.policy.step_backend;
  if (backend == core::StepBackend::builtin) return;
  constexpr const char* kBeside = "must be \"builtin\" where a time daemon is let run on: a program that steps cannot work beside one";
  if (s.daemon.action == core::DaemonAction::nudge || s.daemon.action == core::DaemonAction::leave)
    found.push_back({"step.backend", "daemon.action", kBeside});
  if (!s.daemon.nudge.empty()) found.push_back({"step.backend", "daemon.nudge", kBeside});
  if (!s.daemon.leave.empty()) found.push_back({"step.backend", "daemon.leave", kBeside});
  if (!s.ntp.enabled) found.push_back({"step.backend", "ntp.enabled", "must be \"builtin\" without NTP: a program follows nothing else"});
  if ((backend == core::StepBackend::ntpdate || backend == core::StepBackend::ntpdig) && s.ntp.port != 123)
    found.push_back({"step.backend", "ntp.port", "asks port 123 only"});
}

}  // namespace

std::vector<Contradiction> contradictions(const core::Settings& s) {
  std::vector<Contradiction> found;
  check_step(s, found);
  const auto forbid = [&found](bool wrong, const char* first, const char* second, const char* why) {
    if (wrong) found.push_back({first, second, why});
  };
  forbid(s.policy.step_threshold < s.policy.record_threshold, "policy.step_threshold", "policy.record_threshold",
         "must not be below policy.record_threshold: what is corrected must be recorded");
  forbid(s.policy.trim_threshold > s.policy.step_threshold, "policy.trim_threshold", "policy.step_threshold",
         "must not be above policy.step_threshold");
  forbid(s.policy.floor >= s.policy.ceiling, "policy.floor", "policy.ceiling", "must be before policy.ceiling");
  forbid(s.policy.max_accumulated < s.policy.max_forward_uncorroborated, "policy.max_accumulated", "policy.max_forward_uncorroborated",
         "must not be below policy.max_forward_uncorroborated: one allowed step would already exceed it");
  forbid(s.policy.sequence == core::Sequence::stop_first && !s.policy.manage_daemon, "policy.sequence", "daemon.manage",
         "\"stop-first\" needs daemon.manage = true");
  forbid(s.daemon.quiesce && !s.policy.manage_daemon, "daemon.quiesce", "daemon.manage", "needs daemon.manage = true");
  const bool stop_first = s.policy.sequence == core::Sequence::stop_first;
  constexpr const char* kRunsOn = "must not be \"stop-first\" where a time daemon is let run on";
  forbid(stop_first && (s.daemon.action == core::DaemonAction::nudge || s.daemon.action == core::DaemonAction::leave), "policy.sequence",
         "daemon.action", kRunsOn);
  forbid(stop_first && !s.daemon.nudge.empty(), "policy.sequence", "daemon.nudge", kRunsOn);
  forbid(stop_first && !s.daemon.leave.empty(), "policy.sequence", "daemon.leave", kRunsOn);
  constexpr const char* kTwice = "names a unit that another list names too";
  forbid(shared(s.daemon.restart, s.daemon.nudge), "daemon.restart", "daemon.nudge", kTwice);
  forbid(shared(s.daemon.restart, s.daemon.leave), "daemon.restart", "daemon.leave", kTwice);
  forbid(shared(s.daemon.nudge, s.daemon.leave), "daemon.nudge", "daemon.leave", kTwice);
  const core::DaemonSettings& d = s.daemon;
  const bool commands = !d.command_status.empty() || !d.command_stop.empty() || !d.command_start.empty();
  const bool all_three = !d.command_status.empty() && !d.command_stop.empty() && !d.command_start.empty();
  const char* const given = !d.command_start.empty()  ? "daemon.command_start"
                            : !d.command_stop.empty() ? "daemon.command_stop"
                                                      : "daemon.command_status";
  forbid(commands && !all_three, given, given, "is one of command_status, command_stop, command_start: all three are needed, or none");
  forbid(commands && !d.unit.empty(), "daemon.unit", "daemon.command_start", "and daemon.command_start name two time daemons");
  forbid(s.ntp.enabled && !s.ntp.discover && s.ntp.servers.empty(), "ntp.discover", "ntp.servers",
         "is off and ntp.servers is empty: nobody could be asked (ntp.enabled = false says so openly)");
  forbid(s.ntp.enabled && s.policy.verification_deadline < s.ntp.server_timeout, "policy.verification_deadline", "ntp.server_timeout",
         "must not be below ntp.server_timeout: no server could answer late and still count");
  return found;
}

}  // namespace clockmend::config
