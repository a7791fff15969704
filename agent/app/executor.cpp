#include "agent/app/executor.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace clockmend::app {
namespace {

// A daemon that does not start (a port still taken, a slow disk) is tried again; after the last pause at that pace.
constexpr std::array<core::seconds, 4> kRetryAfter{core::seconds{5}, core::seconds{30}, core::seconds{120}, core::seconds{600}};

std::string describe(const std::vector<correctors::UnitOutcome>& outcomes) {
  std::string text;
  for (const auto& o : outcomes) text += (text.empty() ? "" : ", ") + o.unit + " " + o.detail;
  return text;
}

// None that was to be stopped for the clock may be forgotten here: where nobody can tell, it counts as running.
bool any_running(const std::vector<correctors::UnitOutcome>& outcomes) {
  return std::ranges::any_of(outcomes, [](const auto& o) { return !o.ok || o.state.running(); });
}

bool all_ok(const std::vector<correctors::UnitOutcome>& outcomes) {
  for (const auto& o : outcomes)
    if (!o.ok) return false;
  return true;
}

}  // namespace

Executor::Executor(Correctors correctors, JournalFile& journal, core::Scheduler& scheduler, const core::Policy& policy,
                   OnProblem on_problem)
    : correctors_(correctors), journal_(journal), scheduler_(scheduler), policy_(policy), on_problem_(std::move(on_problem)) {}

core::Result<core::ClockSnapshot> Executor::apply(std::uint64_t correction, const engine::ApplyStep& step) {
  if (step.kind == core::ActionKind::slew) {
    if (auto slewed = correctors_.stepper.slew(step.offset); !slewed) return slewed.error();
    return core::ClockSnapshot{};
  }
  correction_ = correction;
  journaling_ = true;
  note(journal_.announce(correction, journal_units(), step.offset));
  auto result = correctors_.stepper.step(step.offset, {step.forced ? core::RealtimePoint{} : policy_.floor, policy_.ceiling});
  if (result) record(core::JournalState::stepped, step.offset);
  return result;
}

void Executor::run_step_tool(std::uint64_t correction, const engine::RunStepTool& tool, OnTool done) {
  if (correctors_.step_tool == nullptr) return done({false, std::string(core::to_string(tool.backend)) + " cannot be run here"});
  correction_ = correction;
  journaling_ = true;
  note(journal_.announce(correction, journal_units(), tool.expected, core::to_string(tool.backend)));
  correctors_.step_tool->run(tool.backend, [done = std::move(done)](const correctors::StepToolResult& r) { done({r.ok, r.detail}); });
}

std::optional<core::Offset> Executor::tool_stepped(const core::ClockSnapshot& now) {
  if (correctors_.step_tool == nullptr) return std::nullopt;
  const core::Offset moved = correctors_.step_tool->look(now);
  if (moved.value == core::nanoseconds::zero()) return std::nullopt;
  record(core::JournalState::stepped, moved);
  return moved;
}

void Executor::tool_over() {
  if (correctors_.step_tool != nullptr) correctors_.step_tool->over();
}

void Executor::run_hooks(const core::HookFacts& facts, std::function<void()> done) {
  if (correctors_.hooks == nullptr) {
    if (done) done();
    return;
  }
  if (facts.point == core::HookPoint::pre_step) {
    // On record before anybody is told: whoever was told and then not of the end, because we died, is told by our next life.
    correction_ = facts.correction;
    journaling_ = true;
    note(journal_.announce(facts.correction, journal_units(), facts.offset));
  }
  correctors_.hooks->run(facts, policy_.pre_step_wait, std::move(done));
}

void Executor::ask_daemons(std::function<void(std::optional<bool>)> done) {
  correctors_.daemons.refresh([done = std::move(done)](const core::Result<correctors::TimeDaemons::Units>& units) {
    done(units ? std::optional(!units->empty()) : std::nullopt);
  });
}

void Executor::stop_daemons(std::uint64_t correction, OnDaemons done, bool none_may_run) {
  if (stopping_) {
    stop_when_stopped_ = [this, correction, done = std::move(done), none_may_run] { stop_daemons(correction, done, none_may_run); };
    return;
  }
  stopping_ = true;
  told_ = false;
  retry_.reset();
  const auto known = [this, correction, none_may_run, done = std::move(done)](core::Result<correctors::TimeDaemons::Units> units) {
    if (!units) {
      stopping_ = false;
      done({false, false, units.error().text, true});
      return next_task();
    }
    // One that an earlier correction could not start is still ours to bring back.
    for (const correctors::ManagedUnit& left : std::exchange(stopped_, *units))
      if (std::ranges::find(stopped_, left.unit, &correctors::ManagedUnit::unit) == stopped_.end()) stopped_.push_back(left);
    for (correctors::ManagedUnit& unit : stopped_)
      if (none_may_run && unit.action == core::DaemonAction::nudge) unit.action = core::DaemonAction::restart;
    if (stopped_.empty()) {
      stopping_ = false;
      done({true, false, "none active"});
      return next_task();
    }
    correction_ = correction;
    open_journal();
    stop_units(stopped_, done);
  };
  correctors_.daemons.refresh(known);
}

void Executor::stop_units(const correctors::TimeDaemons::Units& units, OnDaemons done) {
  correctors_.daemons.stop(units, [this, done = std::move(done)](const Outcomes& outcomes) { stopped(outcomes, done); });
}

void Executor::stopped(const Outcomes& outcomes, const OnDaemons& done) {
  stopping_ = false;
  record(core::JournalState::stopped);
  done({all_ok(outcomes), true, describe(outcomes), any_running(outcomes)});
  next_task();
}

void Executor::next_task() {
  if (const auto again = std::exchange(stop_when_stopped_, nullptr)) return again();
  if (start_when_stopped_) start_units(std::exchange(start_when_stopped_, nullptr));
}

void Executor::start_daemons(OnDaemons done) {
  if (stopping_)
    start_when_stopped_ = std::move(done);
  else
    start_units(std::move(done));
}

void Executor::start_units(OnDaemons done) {
  if (stopped_.empty()) {
    done({true, false, "none active"});
    return;
  }
  correctors_.daemons.start(
      stopped_,
      [this, done = std::move(done)](const Outcomes& outcomes) {
        started(outcomes);
        done({all_ok(outcomes), true, describe(outcomes)});
      },
      [this](const Outcomes& outcomes) { confirmed(outcomes); });
}

void Executor::started(const Outcomes& outcomes) {
  const auto over = [&](const correctors::ManagedUnit& unit) {
    const auto o = std::ranges::find(outcomes, unit.unit, &correctors::UnitOutcome::unit);
    return o == outcomes.end() || !o->retry;
  };
  std::erase_if(stopped_, over);
  if (!stopped_.empty()) return retry_later();
  attempts_ = 0;
  record(core::JournalState::started);
}

// It ran, and died at once: to be started again like one that did not start.
void Executor::confirmed(const Outcomes& outcomes) {
  const std::size_t waiting = stopped_.size();
  for (const correctors::UnitOutcome& o : outcomes) {
    if (o.ok || stopping_) continue;
    if (on_problem_) on_problem_("time daemon " + o.unit + " " + o.detail);
    if (o.retry) stopped_.push_back({o.unit, o.state.invocation_id, correctors::DaemonKind::configured, o.state});
  }
  if (stopped_.size() > waiting) open_journal();  // it said that all was done
  if (!stopped_.empty() && !stopping_ && !retry_) retry_later();
}

void Executor::retry_later() {
  const core::seconds pause = kRetryAfter[std::min(attempts_++, kRetryAfter.size() - 1)];
  retry_ = scheduler_.after(pause, [this] {
    const core::TimerHandle keep = std::move(retry_);
    start_units([this](const engine::DaemonOutcome& outcome) {
      if (on_problem_) on_problem_("time daemon, tried again: " + outcome.detail);
      if (stopped_.empty()) finished();
    });
  });
}

void Executor::write_rtc(const engine::WriteRtc& write, OnRtc done) {
  if (!correctors_.rtc_enabled) return done({true, false, "skipped: rtc.enabled is off"});
  if (write.offset && core::magnitude(*write.offset) <= policy_.rtc_write_threshold) return done({true, false, "already right"});
  const auto finish = [this, done = std::move(done)](const engine::RtcOutcome& outcome) {
    record(core::JournalState::rtc);
    done(outcome);
  };
  const auto by_ourselves = [this, finish, expected = write.expected](const std::string& why) {
    correctors_.rtc.write(
        [finish, why](const correctors::RtcWriteResult& r) {
          finish({r.ok, r.written, r.detail + why, r.aligned});
        },
        expected);
  };
  if (correctors_.hwclock == nullptr || !correctors_.hwclock->chosen()) return by_ourselves("");
  correctors_.hwclock->write(
      [this, finish, by_ourselves](const correctors::HwclockResult& r) {
        if (r.ok || r.written || r.went_ahead || !correctors_.hwclock->may_fall_back()) return finish({r.ok, r.written, r.detail});
        by_ourselves("; by clockmend itself after \"" + r.detail + "\"");
      },
      write.expected);
}

void Executor::on_rtc_written(const std::function<void()>& call) {
  correctors_.rtc.on_written(call);
  if (correctors_.hwclock != nullptr) correctors_.hwclock->on_written(call);
}

void Executor::finished() {
  if (!stopped_.empty() || !std::exchange(journaling_, false)) return;
  note(journal_.close());
}

void Executor::recover(OnDaemons done) {
  const std::optional<Interrupted> left = journal_.interrupted();
  stopped_.clear();
  journaling_ = true;  // closed in any case, so that the file is there and has its page should /run become full
  if (left) {
    correction_ = left->correction;
    for (const core::JournalUnit& u : left->units) stopped_.push_back({u.unit, u.invocation_id, correctors::DaemonKind::configured, {}});
  }
  start_units([this, done = std::move(done)](const engine::DaemonOutcome& outcome) {
    finished();
    done(outcome);
  });
}

void Executor::open_journal() {
  journaling_ = true;
  note(journal_.begin(correction_, journal_units()));
}

void Executor::record(core::JournalState state, std::optional<core::Offset> offset) {
  if (!journaling_) return;
  core::JournalRecord r;
  r.state = state;
  r.units = journal_units();
  r.offset = offset;
  note(journal_.append(std::move(r)));
}

void Executor::note(const core::Status& written) {
  if (written || told_) return;
  told_ = true;
  if (on_problem_) on_problem_("the journal cannot be written, a crash now would leave the time daemon stopped: " + written.error().text);
}

std::vector<core::JournalUnit> Executor::journal_units() const {
  std::vector<core::JournalUnit> units;
  // One that is left alone is never stopped by us: whoever stops it meanwhile meant it.
  for (const auto& u : stopped_)
    if (u.action != core::DaemonAction::leave) units.push_back({u.unit, u.invocation_id});
  return units;
}

}  // namespace clockmend::app
