// Gathers what everybody knows into one AgentStatus, and keeps /run/clockmend/status.json current.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agent/core/ports/clock_reader.hpp"
#include "agent/core/ports/files.hpp"
#include "agent/core/ports/scheduler.hpp"
#include "agent/core/probe.hpp"
#include "agent/core/status.hpp"
#include "agent/engine/engine.hpp"

namespace clockmend::app {

/// What the board cannot ask the engine for; filled by wiring.
struct StatusSources {
  std::function<std::vector<core::DaemonStatus>()> daemons;
  std::function<std::vector<core::ServerStatus>()> servers;
  std::function<std::string()> channel;
  std::function<std::string()> rtc_mode;
  std::function<void(core::Counters&)> counters;  // adds the channel's own
  std::function<core::Status()> permitted;
  std::function<std::optional<core::CorrectionReport>()> last;
};

class StatusBoard {
 public:
  StatusBoard(engine::Engine& engine, core::ClockReader& clock, core::Scheduler& scheduler, core::FileWriter& writer, std::string path,
              std::uint32_t pid, StatusSources sources);

  void watch(std::vector<core::Probe*> probes) { probes_ = std::move(probes); }
  [[nodiscard]] core::AgentStatus compose();
  /// Writes in the next turn of the loop if the state or the counters changed; else now and then.
  void refresh();
  /// Writes now. Errors are kept for the log: a full /run must not stop corrections.
  core::Status write();
  void set_config_error(std::string why);

 private:
  [[nodiscard]] bool changed() const;
  [[nodiscard]] core::Counters counters() const;  // the engine's and the channel's
  void arm();

  engine::Engine& engine_;
  core::ClockReader& clock_;
  core::Scheduler& scheduler_;
  core::FileWriter& writer_;
  std::string path_;
  std::uint32_t pid_;
  StatusSources sources_;
  std::vector<core::Probe*> probes_;
  std::string config_error_;
  core::TimerHandle timer_;
  core::TimerHandle soon_;
  core::MonotonicPoint written_{};
  core::ClockState written_state_ = core::ClockState::starting;
  std::uint64_t written_events_ = 0;
};

}  // namespace clockmend::app
