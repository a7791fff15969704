// One discontinuity from detection to report: which action comes next, given what has happened so far.
//
//   investigating --step--> verifying --NTP, trimmed--> finishing --RTC and daemon done--> done
//        |  (stop-first: before it the daemon is stopped and NTP measured again)
//        +--nothing to do, refused, observed--> finishing (only if the daemon was already stopped) --> done
#pragma once

#include <cstdint>
#include <optional>

#include "agent/core/observation.hpp"
#include "agent/core/result.hpp"
#include "agent/engine/baselines.hpp"
#include "agent/engine/clock_state_machine.hpp"
#include "agent/engine/commands.hpp"
#include "agent/engine/planner.hpp"
#include "agent/engine/step_hooks.hpp"

namespace clockmend::engine {

/// What a correction needs of the engine that owns it; the references outlive it.
struct CorrectionContext {
  const core::Policy& policy;
  const Baselines& baselines;
  StepHistory& steps;
  ClockStateMachine& state;
  const bool& daemon_active;   // a time daemon ran when last looked
  bool fighting;               // somebody keeps taking our steps back
  const bool& leap_announced;  // by the kernel or most NTP servers
  std::uint64_t& deadlines;    // counts deadline tokens over all corrections: a late call never hits the wrong one
};

class Correction {
 public:
  /// `host_moved`: the VM may be on another host, or in another process of its hypervisor.
  Correction(CorrectionContext context, std::uint64_t number, core::Discontinuity discontinuity, bool host_moved);

  Commands begin(const core::ClockSnapshot& now);
  Commands reading(const core::OffsetReading& reading, const core::ClockSnapshot& now);
  Commands measurement_failed(const core::MeasurementFailed& failure, const core::ClockSnapshot& now);
  /// A further notice. False: it came too late to be covered by this correction and needs one of its own.
  [[nodiscard]] bool join(const core::HostNotice& notice, bool host_moved, const core::ClockSnapshot& now);
  /// False: it came too late for this correction to notice whether it was right.
  [[nodiscard]] bool foreign_step(core::nanoseconds amount, Commands& out);
  /// A tripwire says that the VM was paused, moved or restored. False: too late for this correction, and not about its own pause.
  [[nodiscard]] bool disrupted(const core::Disruption& disruption, const std::string& words, const core::ClockSnapshot& now);
  [[nodiscard]] const std::string& overtaken() const { return overtaken_; }  // who contradicts since the step what they said before
  void witness_void(core::Witness witness);  // its baseline broke: what it said so far compares with nothing
  /// Everything that was asked for and could answer at once has answered: decide.
  Commands reconsider(const core::ClockSnapshot& now);
  Commands advance(const core::ClockSnapshot& now);  // after something changed that is no event of its own
  Commands stepped(const core::Result<core::ClockSnapshot>& result, const core::ClockSnapshot& now);
  /// The program that steps has set the clock by so much; it may do so more than once.
  void tool_stepped(core::Offset amount);
  Commands tool_ended(const StepToolOutcome& outcome, const core::ClockSnapshot& now);
  Commands daemons_known(const core::ClockSnapshot& now);
  Commands daemons_stopped(const DaemonOutcome& outcome, const core::ClockSnapshot& now);
  Commands daemons_started(const DaemonOutcome& outcome, const core::ClockSnapshot& now);
  Commands rtc_written(const RtcOutcome& outcome, const core::ClockSnapshot& now);
  Commands hooks_done(const core::ClockSnapshot& now);
  Commands deadline(std::uint64_t token, const core::ClockSnapshot& now);

  [[nodiscard]] bool done() const { return phase_ == Phase::done; }
  [[nodiscard]] const core::CorrectionReport& report() const { return report_; }
  [[nodiscard]] bool recorded() const { return recorded_; }                // false: nothing worth a record was found
  [[nodiscard]] bool rtc_was_written() const { return rtc_was_written_; }  // where its second edge was before means nothing any more
  [[nodiscard]] bool rtc_was_aligned() const { return rtc_was_aligned_; }
  /// The witnesses' latest testimony, moved along with every step since it was given: the ground of new baselines.
  [[nodiscard]] const std::vector<core::Evidence>& testimony() const { return testimony_; }

 private:
  enum class Phase { investigating, stepping, verifying, finishing, done };
  enum class Task { idle, requested, finished };

  void take_notice(const core::HostNotice& notice, const core::ClockSnapshot& now);
  void add_evidence(const core::OffsetReading& reading);
  void shift_testimony(core::Offset applied);
  void host_moved();
  [[nodiscard]] bool moved_on(const core::Evidence& before, const core::Evidence& now) const;
  void know_gap(const core::OffsetInterval& gap);
  void advance(const core::ClockSnapshot& now, Commands& out);
  void investigate(const core::ClockSnapshot& now, Commands& out);
  void act(const Decision& decision, const core::ClockSnapshot& now, Commands& out);
  void take_step(const core::Estimate& estimate, const core::ClockSnapshot& now, Commands& out);
  void work_off(const Gradually& gradually, const core::ClockSnapshot& now, Commands& out);
  void verify(const core::ClockSnapshot& now, Commands& out);
  void verified_by(const core::OffsetReading& ntp, const core::ClockSnapshot& now, Commands& out);
  void conclude(core::Outcome outcome, std::string reason, const core::ClockSnapshot& now, Commands& out);
  void overtaken_by(core::Witness witness);
  void finish(const core::ClockSnapshot& now, Commands& out);
  void start_what_was_stopped(const core::ClockSnapshot& now, Commands& out);
  void publish(const core::ClockSnapshot& now, Commands& out);
  void weaken(const std::string& why);
  void request_stop(const core::ClockSnapshot& now, Commands& out);
  void apply(core::Offset offset, core::ActionKind kind, const core::ClockSnapshot& now, Commands& out);
  void make_step(const core::Estimate& estimate, const core::ClockSnapshot& now, Commands& out);
  [[nodiscard]] std::string no_tool_here(const core::Estimate& estimate) const;
  void arm(Commands& out);
  void arm(core::nanoseconds delay, Commands& out);
  [[nodiscard]] std::string hands_off() const;  // why nothing may be changed, empty if it may
  [[nodiscard]] bool stop_first() const;
  [[nodiscard]] WriteRtc write_rtc() const;
  [[nodiscard]] bool waits_for_stop_first() const;
  [[nodiscard]] PlanContext plan_context(const core::ClockSnapshot& now) const;
  core::ActionRecord& begin_action(core::ActionKind kind, const core::ClockSnapshot& now);
  void end_action(core::ActionKind kind, bool ok, std::string detail, const core::ClockSnapshot& now);

  CorrectionContext context_;
  core::CorrectionReport report_;
  std::vector<core::Evidence> testimony_;  // the record keeps what was said; this is what it means now
  Phase phase_ = Phase::investigating;
  Task stop_ = Task::idle;
  Task verify_ = Task::idle;
  Task rtc_ = Task::idle;
  Task start_ = Task::idle;
  StepHooks hooks_;
  EventContext event_;
  DaemonOutcome stopped_;
  core::RawPoint verify_asked_{};
  core::ActionKind pending_kind_ = core::ActionKind::step;  // the ApplyStep under way
  core::Offset pending_offset_;
  core::StepBackend backend_;             // who is to make the step
  core::Offset tool_stepped_;             // by the program, so far
  std::string no_tool_;                   // why it was not, or in vain, the program that was wanted
  bool ready_ = false;                    // the first answers are in: a single early one must not decide alone
  bool daemons_known_ = true;             // false: AskDaemons is not answered yet
  bool forced_ = false;                   // some notice asked to lift the single-source limits
  bool dry_run_ = false;                  // every notice so far asked to touch nothing
  std::optional<core::Offset> at_least_;  // a hook's stamp: the offset is no smaller
  bool ntp_pending_ = true;               // asked with everybody else at the begin
  bool ntp_deferred_ = false;             // our own limit of requests keeps us from asking; it will be asked
  bool patience_over_ = false;            // an unannounced event has waited long enough for NTP's word
  bool patience_armed_ = false;           // the deadline under way ends the patience only
  bool remeasure_ = false;                // stop-first: NTP must be measured again now that the daemon is down
  bool deadline_passed_ = false;
  bool confirming_ = false;   // trimmed: one more NTP reading tells the residual, nobody waits for it
  bool local_proof_ = false;  // the host itself stood behind the step
  bool recorded_ = true;
  bool concluded_ = false;
  bool rtc_was_written_ = false;
  bool rtc_was_aligned_ = false;
  bool rtc_moved_ = false;     // another pause since the step; or our write of it, while that is under way
  bool corroborated_ = false;  // two witnesses, or several servers, stood behind the step or its proof
  bool withdrawn_ = false;     // what tripped turned out to be a write of the RTC
  std::string overtaken_;      // by what, in words
  std::string weakness_;       // why the end is not a full success
  std::uint64_t token_ = 0;    // of the deadline armed last
};

}  // namespace clockmend::engine
