// A channel with virtual time, a scripted agent and streams the test holds both ends of.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/channel/channel.hpp"
#include "agent/wire/reply.hpp"
#include "agent/wire/report.hpp"
#include "agent/wire/request.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_scheduler.hpp"
#include "tests/unit/channel/far_end.hpp"

namespace clockmend::tests {

class FakeAgent final : public channel::Agent {
 public:
  struct Told {
    core::HostNotice notice;
    OnReport done;
  };

  core::ClockSnapshot snapshot() override {
    if (before_snapshot) before_snapshot();
    return clock.snapshot();
  }
  core::AgentStatus status() override { return current; }
  void notify(core::HostNotice notice, OnReport done) override { told.push_back({std::move(notice), std::move(done)}); }
  std::vector<std::string> history(std::size_t limit, std::optional<std::uint64_t> before) override {
    std::vector<std::string> lines;
    for (std::uint64_t n = records; n > 0 && lines.size() < limit; --n) {
      if (before && n >= *before) continue;
      core::CorrectionReport report;
      report.number = n;
      lines.push_back(wire::report_line(report));
    }
    return lines;
  }
  core::nanoseconds host_clock_error() override { return core::milliseconds(50); }
  core::Scheduler& scheduler() override { return time; }

  fakes::FakeClock clock;
  fakes::FakeScheduler time{clock};
  core::AgentStatus current;
  std::vector<Told> told;
  std::uint64_t records = 0;
  std::function<void()> before_snapshot;  // lets time pass between t2 and t3
};

struct Rig {
  explicit Rig(core::ChannelSettings settings = {}) : channel(agent, settings, "0.1.0") {}

  std::shared_ptr<FarEnd> port() {
    auto far = std::make_shared<FarEnd>();
    channel.open_port(std::make_unique<FakeStream>(far));
    return far;
  }
  std::shared_ptr<FarEnd> client(bool administrator) {
    auto far = std::make_shared<FarEnd>();
    channel.add_client(std::make_unique<FakeStream>(far), administrator);
    return far;
  }
  /// One request, the one reply that came at once ("" if none did).
  std::string ask(FarEnd& far, const std::string& line, core::Arrival arrival = core::Arrival::live) {
    far.received.clear();
    far.say(line + "\n", arrival);
    const auto replies = far.lines();
    return replies.size() == 1 ? replies[0] : (replies.empty() ? "" : "more than one reply");
  }
  std::string ask(FarEnd& far, const wire::Request& request) { return ask(far, wire::request_text(request)); }

  /// One exchange round as the host does it: `there` and `back` are the true one-way delays; the host's clock is the true time.
  wire::Quadruple round(FarEnd& far, core::nanoseconds there, core::nanoseconds back) {
    wire::Quadruple q;
    q.t1 = host_now();
    agent.clock.advance(there);
    far.received.clear();
    far.say(wire::request_text(wire::ClockExchange{q.t1}) + "\n");
    const auto reply = wire::parse_reply(far.lines().at(0));
    const auto stamps = wire::parse_exchange_reply(reply->value_json);
    q.t2 = stamps->t2;
    q.t3 = stamps->t3;
    agent.clock.advance(back);
    q.t4 = host_now();
    return q;
  }
  std::int64_t host_now() { return agent.clock.truth().time_since_epoch().count(); }

  FakeAgent agent;
  channel::Channel channel;
};

inline core::CorrectionReport report_number(std::uint64_t number, core::Outcome outcome = core::Outcome::corrected) {
  core::CorrectionReport report;
  report.number = number;
  report.outcome = outcome;
  report.reason = "because";
  return report;
}

inline std::string error_class(const std::string& reply) {
  const auto parsed = wire::parse_reply(reply);
  if (!parsed) return "not a reply: " + reply;
  return parsed->error ? to_string(parsed->error->error_class) : "none";
}

inline wire::NotifyReply notify_reply_of(const std::string& reply) {
  const auto parsed = wire::parse_reply(reply);
  if (!parsed || parsed->error) return {"not a notify reply: " + reply, {}, {}, {}, {}};
  const auto notify = wire::parse_notify_reply(parsed->value_json);
  return notify ? *notify : wire::NotifyReply{"not a notify reply: " + reply, {}, {}, {}, {}};
}

}  // namespace clockmend::tests
