#include "tests/simulation/guest.hpp"

#include <algorithm>

namespace clockmend::sim {

core::Policy default_policy() {
  core::Policy p;
  p.floor = core::RealtimePoint{core::seconds{1577836800}};  // 2020-01-01, as if that was the build date
  return p;
}

core::NtpSettings Guest::ntp_settings(const World& world, std::size_t servers) {
  core::NtpSettings s;
  for (std::size_t i = 0; i < servers; ++i) s.servers.push_back(world.server_address(i));
  s.discover = false;
  return s;
}

Guest::Guest(World& world, const core::Policy& policy, std::size_t servers)
    : world_(world),
      engine_(policy, {world.clock.snapshot(), world.clock.kernel_status()}, 1),
      journal_(world.files, world, world.clock, "/run/clockmend/journal", "boot-1"),
      stepper_(world, world.clock),
      daemons_(world.services, world.scheduler, {}, {&world.files, &world.commands}),
      rtc_writer_(world.rtc, world.clock, world.scheduler),
      step_tool_(world.commands, world.clock, core::StepSettings{}.deadline),
      hwclock_(world.commands, world.rtc, world.clock, {}),
      executor_({stepper_, daemons_, rtc_writer_, true, &step_tool_, &hwclock_}, journal_, world.scheduler, engine_.policy(),
                [this](const std::string& why) { notes.push_back(why); }),
      pipeline_(engine_, executor_, world.clock, world.scheduler, listener()),
      history_(world.files, world, "/var/lib/clockmend/history.jsonl", 100),
      clocks_(world, world.clock),
      rtc_(world.rtc, world.scheduler, world.clock),
      ntp_({world.network, world.resolver, world.scheduler, world.random, world.files}, ntp_settings(world, servers), policy.floor),
      ptp_(world.devices.phcs, world.scheduler, world.clock, {}, core::Settings{}.poll_interval),
      vmclock_(world.devices.vmclock, world.scheduler, core::Settings{}.poll_interval),
      tsc_(world.devices.tsc, world.clock, world.scheduler, core::Settings{}.poll_interval),
      vmgenid_(world.devices.kernel_log),
      desk_(world.clock, world.scheduler, engine_, host_, history_, [] { return core::AgentStatus{}; }),
      quiescence_(engine_, executor_, world.dead_man, world.scheduler, {"/usr/sbin/clockmendd", "--recover", "--dead-man"},
                  [this](const std::string& note) { notes.push_back(note); }) {
  desk_.on_pause([this](const std::function<void(const std::string&)>& done) { quiescence_.begin(done); });
  step_tool_.ask_servers([this] {
    correctors::StepServers good;
    for (const core::ServerStatus& s : ntp_.servers())
      if (s.state == "ok") good.addresses.push_back(s.address);
    return good;
  });
  for (core::Probe* probe : probes()) pipeline_.add_probe(*probe);
  pipeline_.start();
  refresh_daemons(1s);
}

// A device that the machine does not have is no probe's business: the scenarios without it cost nothing then.
std::vector<core::Probe*> Guest::probes() {
  std::vector<core::Probe*> all{&clocks_, &host_, &rtc_, &ntp_};
  const DeviceSpec& has = world_.devices.spec;
  if (!has.ptp.empty()) all.push_back(&ptp_);
  if (has.vmclock || has.vmclock_time) all.push_back(&vmclock_);
  if (has.tsc) all.push_back(&tsc_);
  if (has.vmgenid) all.push_back(&vmgenid_);
  return all;
}

app::PipelineListener Guest::listener() {
  return {[this](const core::CorrectionReport& report) {
            ++published;
            largest_report_ =
                std::max(largest_report_, report.actions.size() + report.discontinuity.evidence.size() + report.notices.size());
            for (const std::string& id : report.notices) ++answers[id];
            if (reports.size() < reports_kept) reports.push_back(report);
            (void)history_.add(report);
            desk_.published(report);
            quiescence_.published();
            refresh_daemons(1s);
          },
          [this](const std::string& note) {
            if (notes.size() < reports_kept) notes.push_back(note);
          },
          [this] { desk_.progressed(); }};
}

void Guest::refresh_daemons(nanoseconds after) {
  daemon_timer_ = world_.scheduler.after(after, [this] {
    if (!engine_.busy() && !quiescence_.active())
      daemons_.refresh([this](const core::Result<correctors::TimeDaemons::Units>& units) {
        if (units) engine_.set_daemon_active(!units->empty());
      });
    refresh_daemons(600s);
  });
}

void Guest::notify(const core::HostNotice& notice) {
  ++sent[notice.id];
  desk_.notify(notice, [](const core::CorrectionReport&) {});
}

}  // namespace clockmend::sim
