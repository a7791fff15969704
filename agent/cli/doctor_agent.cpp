// The doctor's checks of the agent itself: does it run, may it work, what does it work with.
#include "agent/cli/doctor_checks.hpp"
#include "agent/wire/text.hpp"

namespace clockmend::cli {

namespace {

Finding running(const core::AgentStatus& status) {
  const std::string text = "clockmendd " + status.version + " runs (pid " + std::to_string(status.pid) + "), mode " +
                           to_string(status.mode) + ", state " + to_string(status.state);
  if (status.state == core::ClockState::refused)
    return {Level::fail, "agent", text + ": " + status.state_reason,
            "read `clockmend history --full`; `clockmend resync --force` lifts the limits"};
  if (status.mode != core::Mode::correct)
    return {Level::warn, "agent", text, "policy.mode is not \"correct\": the clock will not be stepped"};
  return {Level::ok, "agent", text, ""};
}

Finding permission(const core::AgentStatus& status) {
  if (status.can_set_clock) return {Level::ok, "permission", "the agent may set the clock", ""};
  return {Level::fail, "permission", "the agent cannot set the clock: " + status.can_set_clock_why,
          "it needs CAP_SYS_TIME; containers usually withhold it"};
}

Finding one_probe(const core::ProbeStatus& probe) {
  const std::string why = probe.health.why.empty() ? "" : " (" + probe.health.why + ")";
  const std::string text = probe.name + ": " + to_string(probe.health.state) + why;
  if (probe.health.state == core::ProbeState::degraded) return {Level::warn, "probe", text, "the agent tries again by itself"};
  return {Level::ok, "probe", text, ""};
}

bool is_witness(const core::ProbeStatus& probe) {
  for (std::size_t i = 0; i < core::kWitnesses; ++i)
    if (probe.name == to_string(static_cast<core::Witness>(i))) return true;
  return false;
}

}  // namespace

Findings check_agent(const Facts& facts) {
  constexpr const char* kTopic = "agent";
  if (!facts.status) {
    const bool missing = facts.status.error().code == core::ErrorCode::not_found;
    return {{Level::fail, kTopic, missing ? "clockmendd does not run" : facts.status.error().text,
             "systemctl status clockmendd; journalctl -u clockmendd"}};
  }
  if (!facts.status_void.empty())
    return {{Level::fail, kTopic, facts.status_void, "systemctl status clockmendd; journalctl -u clockmendd"}};
  Findings findings = {running(facts.status->status), permission(facts.status->status)};
  if (!facts.control_socket)
    findings.push_back({Level::warn, kTopic, "there is no control socket", "`clockmend resync` will not work; the journal tells why"});
  return findings;
}

Findings check_config(const Facts& facts) {
  constexpr const char* kTopic = "config";
  if (!facts.settings) return {{Level::fail, kTopic, facts.settings.error().text, "correct it, then: systemctl reload clockmendd"}};
  if (const auto* agent = facts.agent(); agent != nullptr && !agent->config_error.empty())
    return {{Level::fail, kTopic, "the agent refused the configuration: " + agent->config_error, "systemctl reload clockmendd"}};
  if (facts.settings->origins.empty()) return {{Level::ok, kTopic, "all defaults", ""}};
  std::string text = "changed from the defaults:";
  for (const std::string& origin : facts.settings->origins) text += " " + origin + ";";
  text.pop_back();
  return {{Level::ok, kTopic, text, ""}};
}

Findings check_witnesses(const Facts& facts) {
  Findings findings;
  const core::AgentStatus* agent = facts.agent();
  if (agent == nullptr) return findings;
  bool any = false;
  for (const core::ProbeStatus& probe : agent->probes) {
    findings.push_back(one_probe(probe));
    any = any || (is_witness(probe) && probe.health.state == core::ProbeState::running);
  }
  if (!any)
    findings.push_back({Level::fail, "witness", "no witness outside the guest answers: a pause cannot be seen or measured",
                        "give the VM the port org.clockmend.agent.0, an RTC, or a reachable NTP server"});
  return findings;
}

Findings check_servers(const Facts& facts) {
  constexpr const char* kTopic = "ntp";
  const core::AgentStatus* agent = facts.agent();
  if (agent == nullptr || !facts.settings || !facts.settings->ntp.enabled) return {};
  if (agent->servers.empty())
    return {{Level::warn, kTopic, "no NTP server is known, so no correction can be verified",
             "set ntp.servers in /etc/clockmend/conf.d, or configure the time daemon"}};
  std::size_t good = 0;
  std::string bad;
  for (const core::ServerStatus& server : agent->servers) {
    if (server.state == "ok")
      ++good;
    else
      bad += "; " + server.address + " " + server.state;
  }
  const std::string text = std::to_string(good) + " of " + std::to_string(agent->servers.size()) + " NTP servers answer well" + bad;
  if (good == 0) return {{Level::warn, kTopic, text, "is UDP port 123 open to them?"}};
  if (good < 3) return {{Level::warn, kTopic, text, "three or more servers are needed to outvote one that lies"}};
  return {{Level::ok, kTopic, text, ""}};
}

}  // namespace clockmend::cli
