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

void Executor::ask_daemons(std::function<void(std::optional<bool>)> done) {
  correctors_.daemons.refresh([done = std::move(done)](const core::Result<correctors::TimeDaemons::Units>& units) {
    done(units ? std::optional(!units->empty()) : std::nullopt);
  });
}

void Executor::stop_daemons(std::uint64_t correction, OnDaemons done) {
  stopping_ = true;
  told_ = false;
  retry_.reset();
  correctors_.daemons.refresh([this, correction, done = std::move(done)](core::Result<correctors::TimeDaemons::Units> units) {
    if (!units) {
      stopping_ = false;
      done({false, false, units.error().text});
      if (start_when_stopped_) start_units(std::exchange(start_when_stopped_, nullptr));
      return;
    }
    // One that an earlier correction could not start is still ours to bring back.
    for (const correctors::ManagedUnit& left : std::exchange(stopped_, *units))
      if (std::ranges::find(stopped_, left.unit, &correctors::ManagedUnit::unit) == stopped_.end()) stopped_.push_back(left);
    if (stopped_.empty()) {
      stopping_ = false;
      done({true, false, "none active"});
      if (start_when_stopped_) start_units(std::exchange(start_when_stopped_, nullptr));
      return;
    }
    correction_ = correction;
    open_journal();
    stop_units(stopped_, done);
  });
}

void Executor::stop_units(const correctors::TimeDaemons::Units& units, OnDaemons done) {
  correctors_.daemons.stop(units, [this, done = std::move(done)](const Outcomes& outcomes) { stopped(outcomes, done); });
}

void Executor::stopped(const Outcomes& outcomes, const OnDaemons& done) {
  stopping_ = false;
  record(core::JournalState::stopped);
  done({all_ok(outcomes), true, describe(outcomes)});
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
  correctors_.rtc.write(
      [this, done = std::move(done)](const correctors::RtcWriteResult& r) {
        record(core::JournalState::rtc);
        done({r.ok, r.written, r.detail, r.aligned});
      },
      write.expected);
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
