// An agent that keeps the protocol, for fake guests.
#pragma once

#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "agent/host/backlog.hpp"
#include "agent/wire/reply.hpp"
#include "agent/wire/report.hpp"
#include "agent/wire/request.hpp"
#include "tests/integration/host/client_clock.hpp"

namespace clockmend::tests {

inline bool in_backlog(const std::string& path) {
  std::ifstream file("/proc/net/unix");
  std::stringstream text;
  text << file.rdbuf();
  return host::waits_in_backlog(text.str(), path);
}

inline core::CorrectionReport report_with(core::Outcome outcome) {
  core::CorrectionReport report;
  report.number = 3;
  report.outcome = outcome;
  report.total = core::Offset{core::seconds{20}};
  return report;
}

/// Its clock is `behind`.
struct HonestAgent {
  core::nanoseconds behind = core::seconds{20};
  core::Outcome outcome = core::Outcome::corrected;
  bool report = true;
  wire::Disposition disposition = wire::Disposition::accepted;
  std::shared_ptr<std::vector<std::string>> told = std::make_shared<std::vector<std::string>>();  // ids of the notices

  std::string operator()(const std::string& line) const {
    const std::string clean = line.substr(line.find('{'));
    const wire::ParsedRequest parsed = wire::parse_request(clean);
    const auto* request = std::get_if<wire::Request>(&parsed.request);
    if (request == nullptr) return wire::error_reply(wire::ErrorClass::generic, "bad", parsed.id_json) + "\n";
    if (const auto* sync = std::get_if<wire::GuestSyncDelimited>(request))
      return "\xff" + wire::integer_reply(sync->id, parsed.id_json) + "\n";
    if (std::holds_alternative<wire::ClockExchange>(*request)) {
      const std::int64_t now = (ClientClock::read(CLOCK_REALTIME) - behind).count();
      return wire::exchange_reply({now, now}, parsed.id_json) + "\n";
    }
    if (const auto* notice = std::get_if<wire::ClockNotify>(request)) {
      wire::NotifyReply reply;
      told->push_back(notice->id);
      reply.id = notice->id;
      reply.disposition = disposition;
      reply.host_time = notice->exchange.empty() ? wire::HostTime::bound : wire::HostTime::exchange;
      if (report && notice->wait) reply.report = report_with(outcome);
      return wire::notify_reply(reply, parsed.id_json) + "\n";
    }
    if (std::holds_alternative<wire::ClockHistory>(*request)) {
      core::CorrectionReport record = report_with(outcome);
      record.notices = *told;
      return wire::history_reply({wire::report_line(record)}, false, parsed.id_json) + "\n";
    }
    return wire::error_reply(wire::ErrorClass::command_not_found, "unknown", parsed.id_json) + "\n";
  }
};

}  // namespace clockmend::tests
