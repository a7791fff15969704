// Where the channel meets the pipeline: notices go in, reports come back to whoever waits for them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "agent/app/history.hpp"
#include "agent/channel/agent.hpp"
#include "agent/core/ports/clock_reader.hpp"
#include "agent/engine/engine.hpp"
#include "probes/host_notice.hpp"

namespace clockmend::app {

class Desk final : public channel::Agent {
 public:
  using StatusSource = std::function<core::AgentStatus()>;

  Desk(core::ClockReader& clock, core::Scheduler& scheduler, engine::Engine& engine, probes::HostNoticeProbe& host, History& history,
       StatusSource status);

  [[nodiscard]] core::ClockSnapshot snapshot() override { return clock_.snapshot(); }
  [[nodiscard]] core::AgentStatus status() override { return status_(); }
  void notify(core::HostNotice notice, OnReport done) override;
  [[nodiscard]] std::vector<std::string> history(std::size_t limit, std::optional<std::uint64_t> before) override;
  [[nodiscard]] core::nanoseconds host_clock_error() override { return engine_.policy().host_clock_error; }
  [[nodiscard]] core::Scheduler& scheduler() override { return scheduler_; }

  /// The pipeline published: every notice that this report answers is answered.
  void published(const core::CorrectionReport& report);
  /// The pipeline handled an event: who only waits for the right time (guest-set-time) is answered as soon as the clock is right,
  /// while the time daemon and the RTC are still being taken care of.
  void progressed();
  /// What a host's `pausing` leads to once the baselines are taken; it answers in words when it is done.
  using AtPause = std::function<void(std::function<void(const std::string&)> done)>;
  void on_pause(AtPause call) { at_pause_ = std::move(call); }

 private:
  struct Waiting {
    OnReport done;
    bool until_right = false;
  };

  void answer_pausing(const core::HostNotice& notice, OnReport done);
  void answer(const core::CorrectionReport& report, bool only_until_right);

  core::ClockReader& clock_;
  core::Scheduler& scheduler_;
  engine::Engine& engine_;
  probes::HostNoticeProbe& host_;
  History& history_;
  StatusSource status_;
  AtPause at_pause_;
  std::multimap<std::string, Waiting> waiting_;
  std::size_t until_right_ = 0;  // how many of them
  std::map<std::uint64_t, core::TimerHandle> later_;
  std::uint64_t sequence_ = 0;
};

}  // namespace clockmend::app
