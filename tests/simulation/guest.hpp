// The real agent on a World: engine, probes, correctors, executor and pipeline, wired as agent/app does it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/app/desk.hpp"
#include "agent/app/history.hpp"
#include "agent/app/pipeline.hpp"
#include "agent/app/quiescence.hpp"
#include "probes/clock_divergence.hpp"
#include "probes/host_notice.hpp"
#include "probes/ntp/ntp_probe.hpp"
#include "probes/ptp.hpp"
#include "probes/rtc.hpp"
#include "probes/tsc.hpp"
#include "probes/vmclock.hpp"
#include "probes/vmgenid.hpp"
#include "tests/simulation/world.hpp"

namespace clockmend::sim {

core::Policy default_policy();

class Guest {
 public:
  Guest(World& world, const core::Policy& policy, std::size_t servers);
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;

  /// Hands a notice to the desk as the channel does; the answers are counted by id.
  void notify(const core::HostNotice& notice);
  /// `pausing`: the desk answers it by itself, no report does.
  void announce_pause(const core::HostNotice& notice) {
    desk_.notify(notice, [](const core::CorrectionReport&) {});
  }
  /// daemon.action of the configuration.
  void decide_daemons(core::DaemonAction action) {
    core::DaemonSettings settings;
    settings.action = action;
    daemons_.configure(std::move(settings));
  }
  void decide_rtc(core::RtcSettings settings) { hwclock_.configure(std::move(settings)); }
  [[nodiscard]] app::Desk& desk() { return desk_; }
  /// daemon.quiesce of the configuration.
  void quiesce() { quiescence_.configure(true); }
  [[nodiscard]] const engine::Engine& engine() const { return engine_; }
  [[nodiscard]] engine::Engine& engine() { return engine_; }
  /// What the agent holds that could grow, in elements or bytes.
  [[nodiscard]] std::size_t largest_report() const { return largest_report_; }

  std::vector<core::CorrectionReport> reports;
  std::size_t published = 0;
  std::size_t reports_kept = 1000;  // a growth test keeps none
  std::vector<std::string> notes;
  std::map<std::string, int> answers;  // by notice id
  std::map<std::string, int> sent;

 private:
  [[nodiscard]] std::vector<core::Probe*> probes();
  static core::NtpSettings ntp_settings(const World& world, std::size_t servers);
  app::PipelineListener listener();
  void refresh_daemons(nanoseconds after);

  World& world_;
  engine::Engine engine_;
  app::JournalFile journal_;
  correctors::ClockStepper stepper_;
  correctors::TimeDaemons daemons_;
  correctors::RtcWriter rtc_writer_;
  correctors::StepTool step_tool_;
  correctors::HwclockWriter hwclock_;
  app::Executor executor_;
  app::Pipeline pipeline_;
  app::History history_;
  probes::ClockDivergenceProbe clocks_;
  probes::RtcProbe rtc_;
  probes::HostNoticeProbe host_;
  probes::NtpProbe ntp_;
  probes::PtpProbe ptp_;
  probes::VmclockProbe vmclock_;
  probes::TscProbe tsc_;
  probes::VmgenidProbe vmgenid_;
  app::Desk desk_;
  app::Quiescence quiescence_;
  core::TimerHandle daemon_timer_;
  std::size_t largest_report_ = 0;
};

}  // namespace clockmend::sim
