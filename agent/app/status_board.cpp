#include "agent/app/status_board.hpp"

#include "agent/app/detection_latency.hpp"
#include "agent/app/version.hpp"
#include "agent/wire/status.hpp"

namespace clockmend::app {
namespace {

// The file is renewed at least so often while nothing happens: two wakeups a minute at most, usually none of its own.
constexpr core::seconds kRefresh{30};
// A reader must not believe a file older than two refreshes and a busy second: then the agent hangs or is gone.
constexpr core::seconds kVoidAfter{65};

std::uint64_t event_count(const core::Counters& c) {
  return c.discontinuities + c.notices + c.notices_dropped + c.bad_lines + c.foreign_steps + c.steps;
}

}  // namespace

StatusBoard::StatusBoard(engine::Engine& engine, core::ClockReader& clock, core::Scheduler& scheduler, core::FileWriter& writer,
                         std::string path, std::uint32_t pid, StatusSources sources)
    : engine_(engine),
      clock_(clock),
      scheduler_(scheduler),
      writer_(writer),
      path_(std::move(path)),
      pid_(pid),
      sources_(std::move(sources)) {}

core::AgentStatus StatusBoard::compose() {
  core::AgentStatus s;
  s.version = kVersion;
  s.pid = pid_;
  s.state = engine_.state();
  s.state_reason = engine_.state_reason();
  s.mode = engine_.policy().mode;
  s.sequence = engine_.policy().sequence;
  s.checked_at = clock_.snapshot();
  s.valid_since = engine_.valid_since();
  s.error_bound = engine_.error_bound(s.checked_at);
  s.void_after = kVoidAfter;
  s.clocksource = clock_.clocksource();
  for (const core::Probe* probe : probes_) s.probes.push_back({std::string(probe->name()), probe->health()});
  s.max_detection_latency = max_detection_latency(s.probes);
  const core::Status permitted = sources_.permitted();
  s.can_set_clock = permitted.ok();
  if (!permitted) s.can_set_clock_why = permitted.error().text;
  s.daemons = sources_.daemons();
  const bool synchronising = !clock_.kernel_status().unsynchronized;
  for (auto& d : s.daemons) d.synchronising = d.running && synchronising;
  s.servers = sources_.servers();
  s.channel = sources_.channel();
  s.rtc_mode = sources_.rtc_mode();
  s.config_error = config_error_;
  s.counters = counters();
  s.last = sources_.last();
  return s;
}

core::Counters StatusBoard::counters() const {
  core::Counters c = engine_.counters();
  sources_.counters(c);
  return c;
}

bool StatusBoard::changed() const { return engine_.state() != written_state_ || event_count(counters()) != written_events_; }

void StatusBoard::refresh() {
  if (soon_ || (!changed() && scheduler_.now() - written_ < kRefresh / 2)) return;
  // After the turn of the loop that brought the change: composing JSON must not stand between a witness and the step.
  soon_ = scheduler_.after(core::nanoseconds::zero(), [this] { (void)write(); });
}

core::Status StatusBoard::write() {
  const core::TimerHandle keep = std::move(soon_);
  written_ = scheduler_.now();
  written_state_ = engine_.state();
  written_events_ = event_count(counters());
  arm();
  return writer_.replace(path_, wire::status_pretty(compose()), false);
}

void StatusBoard::arm() {
  timer_ = scheduler_.after(kRefresh, [this] { (void)write(); });
}

void StatusBoard::set_config_error(std::string why) {
  config_error_ = std::move(why);
  (void)write();
}

}  // namespace clockmend::app
