#include "agent/config/checks.hpp"

namespace clockmend::config {

std::vector<Contradiction> contradictions(const core::Settings& s) {
  std::vector<Contradiction> found;
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
  forbid(s.ntp.enabled && !s.ntp.discover && s.ntp.servers.empty(), "ntp.discover", "ntp.servers",
         "is off and ntp.servers is empty: nobody could be asked (ntp.enabled = false says so openly)");
  forbid(s.ntp.enabled && s.policy.verification_deadline < s.ntp.server_timeout, "policy.verification_deadline", "ntp.server_timeout",
         "must not be below ntp.server_timeout: no server could answer late and still count");
  return found;
}

}  // namespace clockmend::config
