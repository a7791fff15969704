// The pure agent: observations and outcomes in, commands out. It reads no clock and touches nothing, so the whole of
// clockmend's judgement runs unchanged in the simulator.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/core/clock_state.hpp"
#include "agent/core/observation.hpp"
#include "agent/core/ports/clock_reader.hpp"
#include "agent/core/status.hpp"
#include "agent/engine/clock_ledger.hpp"
#include "agent/engine/correction.hpp"
#include "agent/engine/detector.hpp"

namespace clockmend::engine {

struct Now {
  core::ClockSnapshot clocks;
  core::KernelClockStatus kernel;
};

class Engine {
 public:
  /// `next_number`: of the first report (the history's last + 1).
  Engine(core::Policy policy, const Now& now, std::uint64_t next_number);

  Commands observe(const core::Observation& observation, const Now& now);
  Commands reconsider(const Now& now);
  Commands stepped(const core::Result<core::ClockSnapshot>& result, const Now& now);
  /// Books an own step; the executor calls it right after the kernel accepted the step and before anything else is
  /// observed, then stepped().
  void own_step_applied(core::Offset amount);
  /// The same for a program that steps by itself, between RunStepTool and tool_ended().
  void tool_stepped(core::Offset amount);
  Commands tool_ended(const StepToolOutcome& outcome, const Now& now);
  /// The answer to AskDaemons; nothing: nobody could be asked, what was known stays.
  Commands daemons_known(std::optional<bool> active, const Now& now);
  Commands daemons_stopped(const DaemonOutcome& outcome, const Now& now);
  Commands daemons_started(const DaemonOutcome& outcome, const Now& now);
  Commands rtc_written(const RtcOutcome& outcome, const Now& now);
  /// The pre-step hooks of that correction have ended, or have had their time.
  Commands hooks_done(std::uint64_t correction, const Now& now);
  Commands deadline(std::uint64_t token, const Now& now);

  /// A step on one source's word that an earlier life of the agent made: restarting it must not re-arm the guard against many
  /// small ones (CVE-2015-5300). `ended` by the clock of then, `now` by that of now; one that lies ahead counts as just made.
  void remember_lone_step(core::RealtimePoint ended, core::Offset total, const core::ClockSnapshot& now);
  /// Takes effect for the next decision; a correction under way ends under the new policy.
  void set_policy(const core::Policy& policy) { policy_ = policy; }
  void set_daemon_active(bool active);

  [[nodiscard]] const core::Policy& policy() const { return policy_; }
  [[nodiscard]] core::ClockState state() const { return state_.state(); }
  [[nodiscard]] const std::string& state_reason() const { return state_.reason(); }
  [[nodiscard]] std::optional<core::RealtimePoint> valid_since() const { return state_.valid_since(); }
  /// Bound on |offset| now: last verification plus drift since; nothing while the clock is not trusted.
  [[nodiscard]] std::optional<core::nanoseconds> error_bound(const core::ClockSnapshot& now) const;
  [[nodiscard]] const core::Counters& counters() const { return counters_; }
  /// The number of the correction under way, or of the next one.
  [[nodiscard]] std::uint64_t current_number() const { return next_number_; }
  [[nodiscard]] bool busy() const { return active_.has_value(); }
  /// The report of the correction under way as far as it has come; nullptr: there is none.
  [[nodiscard]] const core::CorrectionReport* under_way() const { return active_ ? &active_->report() : nullptr; }
  [[nodiscard]] const Baselines& baselines() const { return baselines_; }

 private:
  /// An offset that was just measured and deliberately left: an answer still on its way says nothing new.
  struct LeftAlone {
    core::RawPoint until;
    core::Offset offset;
  };
  struct Verification {
    core::RawPoint at;
    core::nanoseconds bound{};
  };

  Commands on_reading(const core::OffsetReading& reading, const Now& now);
  void hear_of_leap(const core::Observation& observation, const Now& now);
  Commands on_notice(const core::HostNotice& notice, const Now& now);
  [[nodiscard]] core::CorrectionReport unanswered(const core::HostNotice& notice, const Now& now) const;
  Commands on_void(const core::BaselineVoid& v);
  Commands on_disruption(const core::Disruption& disruption, const Now& now);
  Commands idle_reading(const core::OffsetReading& reading, const Judgement& j, const Now& now);
  [[nodiscard]] static Commands fresh_baselines(const std::string& why);
  void forget_host_clock();
  Commands on_failure(const core::MeasurementFailed& failure, const Now& now);
  Note leave_wrong(const std::string& tripwire, const Now& now);
  Commands idle_ntp(const core::OffsetReading& reading, const Now& now);
  Commands compare_clocks(const Now& now);
  Commands foreign(const ForeignChange& change, const Now& now);
  Commands open(core::Cause cause, std::string tripwire, std::optional<core::HostNotice> notice, std::optional<core::nanoseconds> step,
                const Now& now, bool moved, const core::Disruption* disruption = nullptr);
  [[nodiscard]] bool host_moved(const core::HostNotice& notice);
  [[nodiscard]] bool fighting(std::optional<core::nanoseconds> foreign_step, const Now& now);
  Commands after(Commands commands, const Now& now);
  Commands open_what_came_late(const Correction& ended, const Now& now);
  void close(const Correction& ended, const Now& now);
  [[nodiscard]] core::RawPoint left_until(const core::CorrectionReport& report, const Now& now) const;
  void judge_outcome(const Correction& ended, const Now& now);
  void renew_baselines(const Correction& ended, const Now& now);
  void count(const core::CorrectionReport& report);
  [[nodiscard]] bool disciplined(const Now& now) const;
  [[nodiscard]] bool sound(const core::OffsetReading& reading, const Now& now) const;

  /// A daemon with another opinion undoes our step within seconds of its restart; an administrator does not so often.
  static constexpr core::seconds kFightWindow{600};

  core::Policy policy_;
  std::uint64_t next_number_;
  ClockLedger ledger_;
  Baselines baselines_;
  StepHistory steps_;
  ClockStateMachine state_;
  ClockStateMachine state_before_;
  bool daemon_active_ = false;
  std::optional<Correction> active_;
  std::uint64_t deadlines_ = 0;
  std::uint64_t leap_token_ = 0;                          // of the deadline that ends the doubt about a leap second
  std::optional<core::RawPoint> servers_announced_leap_;  // last heard
  bool leap_announced_ = false;
  std::deque<core::HostNotice> late_notices_;                                // came too late for the running correction, oldest first
  core::nanoseconds late_step_{};                                            // somebody else's, likewise
  std::optional<std::pair<core::Disruption, std::string>> late_disruption_;  // a tripwire, likewise, in its words
  std::deque<core::RawPoint> disrupted_;                                     // when tripwires opened a correction, within the storm window
  std::optional<core::Offset> last_total_;                                   // what the last correction that stepped did
  std::deque<core::RawPoint> undone_;                                        // when somebody took such a step back
  std::string host_epoch_;
  std::optional<Verification> verification_;
  std::optional<Verification> verification_before_;  // the correction under way; void while it runs
  std::optional<LeftAlone> left_alone_;
  bool known_wrong_ = false;  // the last correction left the clock wrong, or in doubt: the kernel's flag proves nothing then
  core::Counters counters_;
};

}  // namespace clockmend::engine
