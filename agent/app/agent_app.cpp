#include "agent/app/agent_app.hpp"

#include <algorithm>
#include <asio/io_context.hpp>

#include "agent/app/daemon_health.hpp"
#include "agent/app/desk.hpp"
#include "agent/app/faces.hpp"
#include "agent/app/history.hpp"
#include "agent/app/hypervisor_clocks.hpp"
#include "agent/app/interrupted_report.hpp"
#include "agent/app/log.hpp"
#include "agent/app/pipeline.hpp"
#include "agent/app/quiescence.hpp"
#include "agent/app/status_board.hpp"
#include "agent/app/system.hpp"
#include "agent/app/valid_target.hpp"
#include "agent/app/version.hpp"
#include "agent/config/config.hpp"
#include "agent/os/child_program.hpp"
#include "agent/os/clock_set_timerfd.hpp"
#include "agent/os/notify.hpp"
#include "agent/os/process.hpp"
#include "agent/os/random.hpp"
#include "agent/os/resolver_cares.hpp"
#include "agent/os/signals.hpp"
#include "agent/os/udev_devices.hpp"
#include "agent/os/udp_socket.hpp"
#include "probes/clock_divergence.hpp"
#include "probes/clocksource.hpp"
#include "probes/host_notice.hpp"
#include "probes/ntp/ntp_probe.hpp"
#include "probes/rtc.hpp"

namespace clockmend::app {
namespace {

// Which daemons run is asked again now and then, so that one that dies of a gap is known to have run before it. The
// same event as the idle NTP round would do, but must not depend on NTP.
constexpr core::seconds kDaemonRefresh{600};
constexpr core::seconds kFirstDaemonRefresh{1};

core::RealtimePoint earliest_possible(const History& history) {
  const core::RealtimePoint built{core::seconds{kBuildEpoch}};
  return std::max(built, history.last_good_time().value_or(built));
}

core::Policy with_floor(core::Policy policy, const History& history) {
  policy.floor = std::max(policy.floor, earliest_possible(history));
  return policy;
}

/// What the dead-man timer runs: this program, wherever it is installed.
std::vector<std::string> recover_command() { return {os::own_folder() + "/clockmendd", "--recover", "--dead-man"}; }

os::ResolverPlace resolver_below(const std::string& root) { return {root.empty() ? "" : root + "/etc/resolv.conf", ""}; }

class AgentApp {
 public:
  AgentApp(const core::Paths& paths, const core::Settings& settings, std::string level_override)
      : paths_(paths),
        settings_(settings),
        level_override_(std::move(level_override)),
        log_(settings.log.level, paths.root),
        system_(io_, paths, settings),
        history_(loaded(system_, paths.history(), settings.history_max_records)),
        interrupted_(record_interrupted(system_.journal, history_, system_.clock)),
        engine_(with_floor(settings.policy, history_), {system_.clock.snapshot(), system_.clock.kernel_status()}, history_.next_number()),
        executor_(system_.correctors(), system_.journal, system_.scheduler, engine_.policy(),
                  [this](const std::string& why) { log_.text().error(why); }),
        pipeline_(engine_, executor_, system_.clock, system_.scheduler, listener()),
        clock_watch_(io_),
        devices_(io_, paths.root),
        network_(io_, system_.clock),
        resolver_(io_, resolver_below(paths.root)),
        clocks_(clock_watch_, system_.clock),
        rtc_(system_.rtc, system_.scheduler, system_.clock),
        ntp_({network_, resolver_, system_.scheduler, random_, system_.files}, settings.ntp, earliest_possible(history_)),
        clocksource_(system_.clock),
        hypervisor_(io_, system_.clock, system_.scheduler, settings, paths.root),
        desk_(system_.clock, system_.scheduler, engine_, host_, history_, [this] { return board_.compose(); }),
        board_(engine_, system_.clock, system_.scheduler, system_.writer, paths.status(), os::process_id(), sources()),
        faces_({io_, paths, settings.channel, desk_, host_, [this](const std::string& note) { log_.text().info(note); }}),
        quiescence_(engine_, executor_, system_.services, system_.scheduler, recover_command(),
                    [this](const std::string& note) { log_.text().warn(note); }),
        valid_target_(engine_, system_.init == os::InitSystem::systemd ? &system_.services : nullptr, system_.writer, system_.scheduler,
                      paths.valid_flag(), [this](const std::string& note) { log_.text().warn(note); }),
        signals_(io_, [this](os::ProcessSignal s) { signal(s); }) {
    system_.step_tool.ask_servers([this] { return good_servers(); });
  }

  int run() {
    log_.text().info("clockmendd {} starts: mode {}, {}, clocksource {}", kVersion, core::to_string(engine_.policy().mode),
                     core::to_string(engine_.policy().sequence), system_.clock.clocksource());
    for (const History::LoneStep& s : history_.lone_steps()) engine_.remember_lone_step(s.ended, s.total, system_.clock.snapshot());
    if (system_.init != os::InitSystem::systemd) log_.text().info("time daemons are started and stopped by {}", to_string(system_.init));
    if (interrupted_) log_.report(*interrupted_);
    if (history_.damaged() > 0) log_.text().warn("{}: {} damaged lines were skipped", paths_.history(), history_.damaged());
    if (const auto permitted = system_.adjuster.permitted(); !permitted)
      log_.text().error("cannot set the clock: {}", permitted.error().text);
    tell_list_notes();
    system_.hooks.on_note([this](const std::string& note, bool failed) { hook_note(note, failed); });
    look_for_hooks();
    if (interrupted_) finish_hooks(*interrupted_);
    desk_.on_pause([this](const std::function<void(const std::string&)>& done) { quiescence_.begin(done); });
    quiescence_.configure(settings_.daemon.quiesce);
    // Before anything else: what an earlier life of this agent left stopped.
    executor_.recover([this](const engine::DaemonOutcome& outcome) {
      if (outcome.any) log_.text().warn("an earlier run ended inside a correction; time daemon: {}", outcome.detail);
      begin();
    });
    io_.run();
    valid_target_.close();
    os::notify_stopping("ending");
    log_.text().info("clockmendd ends");
    return 0;
  }

 private:
  static History loaded(System& system, const std::string& path, std::uint32_t max_records) {
    History history{system.files, system.writer, path, max_records};
    history.load();
    return history;
  }

  PipelineListener listener() {
    return {[this](const core::CorrectionReport& report) { published(report); },
            [this](const std::string& note) { log_.text().info(note); },
            [this] {
              desk_.progressed();
              board_.refresh();
              valid_target_.follow();
            }};
  }

  StatusSources sources() {
    StatusSources s;
    s.daemons = [this] { return daemon_status(system_.daemons, system_.sync_watch, daemon_problem_); };
    s.servers = [this] { return ntp_.servers(); };
    s.channel = [this] { return faces_.channel_state(); };
    s.rtc_mode = [this] { return rtc_mode(); };
    s.counters = [this](core::Counters& c) { faces_.add_counters(c); };
    s.permitted = [this] { return system_.adjuster.permitted(); };
    s.last = [this] { return history_.last(); };
    return s;
  }

  void begin() {
    for (core::Probe* probe :
         {static_cast<core::Probe*>(&clocks_), static_cast<core::Probe*>(&host_), static_cast<core::Probe*>(&clocksource_)})
      pipeline_.add_probe(*probe);
    hypervisor_.add_to(pipeline_);
    if (settings_.rtc.enabled) pipeline_.add_probe(rtc_);
    pipeline_.add_probe(ntp_);  // also when disabled: a reload may enable it
    board_.watch(pipeline_.probes());
    pipeline_.start();
    faces_.start();
    const auto watching = devices_.start([this](const core::DeviceEvent& event) { device(event); });
    if (!watching) log_.text().warn("devices that come later will not be noticed: {}", watching.error().text);
    refresh_daemons_after(kFirstDaemonRefresh);
    valid_target_.configure(settings_.valid_target);
    if (const auto written = board_.write(); !written) log_.text().error("status file: {}", written.error().text);
    os::notify_ready(status_line());
  }

  void hook_note(const std::string& note, bool failed) { log_.text().log(failed ? spdlog::level::warn : spdlog::level::info, note); }

  /// What lies in hooks.d becomes policy here, so that a correction need not look.
  void look_for_hooks() {
    system_.hooks.look();
    core::Policy policy = engine_.policy();
    policy.pre_step_hooks = system_.hooks.any(core::HookPoint::pre_step);
    policy.post_step_hooks = system_.hooks.any(core::HookPoint::post_step);
    engine_.set_policy(policy);
  }

  /// An application that an earlier life of this agent held before a step is let go.
  void finish_hooks(const core::CorrectionReport& interrupted) {
    core::HookFacts facts;
    facts.point = core::HookPoint::post_step;
    facts.correction = interrupted.number;
    facts.cause = interrupted.discontinuity.cause;
    facts.offset = interrupted.total;
    system_.hooks.run(facts, core::nanoseconds::zero(), nullptr);
  }

  void tell_list_notes() {
    for (const std::string& note : system_.daemons.notes()) log_.text().info("time daemons: {}", note);
  }

  void device(const core::DeviceEvent& event) {
    faces_.device_event(event);
    hypervisor_.device(event);
    if (event.subsystem != "rtc") return;
    if (event.action == core::DeviceAction::remove)
      rtc_.device_gone();
    else
      rtc_.device_appeared();
  }

  void published(const core::CorrectionReport& report) {
    log_.report(report);
    if (const auto added = history_.add(report); !added) log_.text().error("history: {}", added.error().text);
    ntp_.set_floor(earliest_possible(history_));
    desk_.published(report);
    quiescence_.published();
    os::notify_status(status_line());
    refresh_daemons_after(kFirstDaemonRefresh);
    watch_daemon(report);
  }

  // A correction that touched neither clock nor daemon has nothing to prove.
  void watch_daemon(const core::CorrectionReport& report) {
    const bool daemon = std::ranges::any_of(report.actions, [](const auto& a) { return a.kind == core::ActionKind::start_daemon; });
    if (!daemon && report.total.value == core::nanoseconds::zero()) return;
    system_.sync_watch.begin([this] {
      const bool again = system_.sync_watch.state() == correctors::SyncWatch::State::again;
      log_.text().log(again ? spdlog::level::info : spdlog::level::warn, "time daemon: {}", in_words(system_.sync_watch));
      (void)board_.write();
    });
  }

  void refresh_daemons_after(core::seconds delay) {
    daemon_timer_ = system_.scheduler.after(delay, [this] {
      const core::TimerHandle keep = std::move(daemon_timer_);
      // A correction under way stops and starts them itself: its end is soon enough.
      if (engine_.busy() || quiescence_.active()) return refresh_daemons_after(kFirstDaemonRefresh);
      look_for_hooks();
      system_.daemons.refresh([this](const core::Result<correctors::TimeDaemons::Units>& units) { daemons_known(units); });
      refresh_daemons_after(kDaemonRefresh);
    });
  }

  void daemons_known(const core::Result<correctors::TimeDaemons::Units>& units) {
    daemon_problem_ = units ? "" : units.error().text;
    if (!units) return;
    engine_.set_daemon_active(!units->empty());
    if (!units->empty()) ntp_.set_active_daemon(units->front().unit);
    board_.refresh();
  }

  // A program is named those only that were found good: it would wait for a dead one, and might believe a liar.
  [[nodiscard]] correctors::StepServers good_servers() const {
    correctors::StepServers servers;
    servers.port = settings_.ntp.port;
    for (const core::ServerStatus& s : ntp_.servers())
      if (s.state == "ok") servers.addresses.push_back(s.address);
    return servers;
  }

  std::string rtc_mode() {
    if (!system_.rtc.present()) return "none";
    return system_.rtc.mode() == core::RtcMode::utc ? "utc" : "local";
  }

  [[nodiscard]] std::string status_line() const { return std::string(core::to_string(engine_.state())) + ": " + engine_.state_reason(); }

  void signal(os::ProcessSignal s) {
    if (s == os::ProcessSignal::terminate) return io_.stop();
    os::notify_reloading();
    reload();
    os::notify_ready(status_line());
  }

  void reload() {
    auto fresh = config::load(system_.files, paths_);
    if (!fresh) {
      log_.text().error("the new configuration has errors, the old one stays in force:\n{}", fresh.error().text);
      board_.set_config_error(fresh.error().text);
      return;
    }
    settings_ = *fresh;
    log_.set_level(level_override_.empty() ? settings_.log.level : level_override_);
    system_.hooks.configure(settings_.hooks);
    engine_.set_policy(with_floor(settings_.policy, history_));
    look_for_hooks();
    quiescence_.configure(settings_.daemon.quiesce);
    valid_target_.configure(settings_.valid_target);
    system_.daemons.configure(settings_.daemon);
    system_.step_tool.configure(settings_.step.deadline);
    system_.hwclock.configure(settings_.rtc);
    tell_list_notes();
    ntp_.configure(settings_.ntp);
    hypervisor_.configure(settings_);
    faces_.configure(settings_.channel);
    board_.set_config_error("");
    log_.text().info("configuration reloaded: mode {}, {}", core::to_string(settings_.policy.mode),
                     core::to_string(settings_.policy.sequence));
  }

  core::Paths paths_;
  core::Settings settings_;
  std::string level_override_;
  asio::io_context io_{1};
  Log log_;
  System system_;
  History history_;
  std::optional<core::CorrectionReport> interrupted_;  // told once; before the engine, which counts on from its number
  engine::Engine engine_;
  Executor executor_;
  Pipeline pipeline_;
  os::ClockSetTimerfd clock_watch_;
  os::UdevDevices devices_;
  os::UdpFactory network_;
  os::CaresResolver resolver_;
  os::KernelRandom random_;
  probes::ClockDivergenceProbe clocks_;
  probes::HostNoticeProbe host_;
  probes::RtcProbe rtc_;
  probes::NtpProbe ntp_;
  probes::ClocksourceProbe clocksource_;
  HypervisorClocks hypervisor_;
  Desk desk_;
  StatusBoard board_;
  Faces faces_;
  Quiescence quiescence_;
  ValidTarget valid_target_;
  os::SignalWatch signals_;
  core::TimerHandle daemon_timer_;
  std::string daemon_problem_;
};

}  // namespace

int run_agent(const core::Paths& paths, const core::Settings& settings, const std::string& level_override) {
  for (const std::string& dir : {paths.runtime_dir, paths.state_dir}) {
    if (const auto usable = os::require_directory(paths.root + dir, 0755); !usable) {
      Log(settings.log.level, paths.root).text().error("{}", usable.error().text);
      return 1;
    }
  }
  AgentApp app{paths, settings, level_override};
  return app.run();
}

}  // namespace clockmend::app
