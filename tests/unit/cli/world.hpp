// A machine for the subcommands: files in a map, a clock, and an agent that answers what the test says.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/cli/context.hpp"
#include "agent/core/status.hpp"
#include "agent/wire/report.hpp"
#include "agent/wire/status.hpp"
#include "tests/fakes/fake_clock.hpp"

namespace clockmend::tests {

class MapFiles final : public core::FileReader {
 public:
  std::map<std::string, std::string> contents;

  core::Result<std::string> read(const std::string& path, std::size_t limit) override {
    const auto found = contents.find(path);
    if (found == contents.end()) return core::Error{core::ErrorCode::not_found, path + ": No such file or directory"};
    if (found->second.size() > limit) return core::Error{core::ErrorCode::invalid, path + ": too large"};
    return found->second;
  }
  std::vector<std::string> list(const std::string& directory) override {
    std::set<std::string> names;
    const std::string prefix = directory + "/";
    for (const auto& [path, text] : contents)
      if (path.starts_with(prefix)) names.insert(path.substr(prefix.size(), path.find('/', prefix.size()) - prefix.size()));
    return {names.begin(), names.end()};
  }
};

struct World {
  MapFiles files;
  fakes::FakeClock clock;
  core::Result<wire::Reply> answer = core::Error{core::ErrorCode::not_found, "connect: No such file or directory"};
  std::vector<std::string> asked;

  [[nodiscard]] cli::Context context() {
    return {files, clock, core::Paths{}, [this](const wire::Request& request, core::nanoseconds) {
              asked.push_back(wire::request_text(request));
              return answer;
            }};
  }

  [[nodiscard]] core::AgentStatus healthy() {
    core::AgentStatus s;
    s.version = "0.1.0";
    s.pid = 77;
    s.state = core::ClockState::synchronized;
    s.checked_at = clock.snapshot();
    s.valid_since = s.checked_at.realtime;
    s.error_bound = core::microseconds{1200};
    s.void_after = core::seconds{65};
    s.can_set_clock = true;
    s.channel = "connected";
    s.rtc_mode = "utc";
    core::ProbeStatus rtc;
    rtc.name = "rtc";
    rtc.health.state = core::ProbeState::running;
    s.probes.push_back(rtc);
    return s;
  }

  void publish(const core::AgentStatus& status) {
    files.contents["/run/clockmend/status.json"] = wire::status_pretty(status);
    files.contents["/run/clockmend/control.sock"] = "";
  }
};

[[nodiscard]] inline core::CorrectionReport report_number(std::uint64_t number) {
  core::CorrectionReport report;
  report.number = number;
  report.outcome = core::Outcome::corrected;
  report.total = core::Offset{core::milliseconds{47'550}};
  report.duration = core::milliseconds{812};
  report.verified = true;
  return report;
}

}  // namespace clockmend::tests
