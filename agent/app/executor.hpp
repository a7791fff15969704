// Carries out what the engine ordered, writing the journal before every action that a crash must not leave half done.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/app/journal_file.hpp"
#include "agent/core/policy.hpp"
#include "agent/core/ports/scheduler.hpp"
#include "agent/engine/commands.hpp"
#include "correctors/application_hooks.hpp"
#include "correctors/backends/hwclock_writer.hpp"
#include "correctors/backends/step_tool.hpp"
#include "correctors/clock_stepper.hpp"
#include "correctors/rtc_writer.hpp"
#include "correctors/time_daemon/time_daemons.hpp"

namespace clockmend::app {

/// The correctors an executor drives; they outlive it.
struct Correctors {
  correctors::ClockStepper& stepper;
  correctors::TimeDaemons& daemons;
  correctors::RtcWriter& rtc;
  bool rtc_enabled = true;
  correctors::StepTool* step_tool = nullptr;     // none: no program can step
  correctors::HwclockWriter* hwclock = nullptr;  // none: always our own write
  correctors::ApplicationHooks* hooks = nullptr;
};

class Executor {
 public:
  using OnDaemons = std::function<void(const engine::DaemonOutcome&)>;
  using OnTool = std::function<void(const engine::StepToolOutcome&)>;
  using OnRtc = std::function<void(const engine::RtcOutcome&)>;
  /// A journal that cannot be written (full /run) never stops a correction; it is told once per correction.
  using OnProblem = std::function<void(const std::string&)>;

  Executor(Correctors correctors, JournalFile& journal, core::Scheduler& scheduler, const core::Policy& policy, OnProblem on_problem);

  core::Result<core::ClockSnapshot> apply(std::uint64_t correction, const engine::ApplyStep& step);
  /// Lets a program make the step. What it does is seen by tool_stepped(), until tool_over().
  void run_step_tool(std::uint64_t correction, const engine::RunStepTool& tool, OnTool done);
  /// By how much that program has set the clock since this was last asked, if it has.
  [[nodiscard]] std::optional<core::Offset> tool_stepped(const core::ClockSnapshot& now);
  void tool_over();
  /// `done` (optional): pre-step hooks have ended or have had their time.
  void run_hooks(const core::HookFacts& facts, std::function<void()> done);
  /// Whether any time daemon runs now; nothing if nobody could be asked.
  void ask_daemons(std::function<void(std::optional<bool>)> done);
  /// `none_may_run`: those that would be told of the step are stopped too.
  void stop_daemons(std::uint64_t correction, OnDaemons done, bool none_may_run = false);
  /// Waits for a stop under way; starts what it stopped.
  void start_daemons(OnDaemons done);
  void write_rtc(const engine::WriteRtc& write, OnRtc done);
  /// Called right after the RTC took a write of ours, long before its read-back ends.
  void on_rtc_written(const std::function<void()>& call);
  /// The correction is over: closes the journal, unless a daemon still waits to be started; then it stays open for
  /// recovery, and the start is tried again now and then.
  void finished();
  /// What an earlier life of the agent stopped and did not start again. Answers once; nothing to do answers any = false.
  void recover(OnDaemons done);

 private:
  using Outcomes = std::vector<correctors::UnitOutcome>;
  void stop_units(const correctors::TimeDaemons::Units& units, OnDaemons done);
  void stopped(const Outcomes& outcomes, const OnDaemons& done);
  void next_task();
  void start_units(OnDaemons done);
  void started(const Outcomes& outcomes);
  void confirmed(const Outcomes& outcomes);
  void retry_later();
  void open_journal();
  void record(core::JournalState state, std::optional<core::Offset> offset = std::nullopt);
  void note(const core::Status& written);
  [[nodiscard]] std::vector<core::JournalUnit> journal_units() const;

  Correctors correctors_;
  JournalFile& journal_;
  core::Scheduler& scheduler_;
  const core::Policy& policy_;
  OnProblem on_problem_;
  correctors::TimeDaemons::Units stopped_;  // to be brought back
  bool stopping_ = false;
  bool journaling_ = false;
  bool told_ = false;
  OnDaemons start_when_stopped_;
  std::function<void()> stop_when_stopped_;  // a stop that came during another
  core::TimerHandle retry_;
  std::size_t attempts_ = 0;
  std::uint64_t correction_ = 0;  // the last one that touched anything
};

}  // namespace clockmend::app
