#include "agent/app/quiescence.hpp"

#include <utility>

namespace clockmend::app {
namespace {

/// So much of the guest's own time may pass without a word that the VM was frozen and runs on.
constexpr core::seconds kLongest{60};
/// systemd's timer acts where we do not: it must not race with us.
constexpr core::seconds kDeadMan{75};

}  // namespace

Quiescence::Quiescence(engine::Engine& engine, Executor& executor, core::DeadMan& dead_man, core::Scheduler& scheduler,
                       std::vector<std::string> recover, OnNote on_note)
    : engine_(engine),
      executor_(executor),
      dead_man_(dead_man),
      scheduler_(scheduler),
      recover_(std::move(recover)),
      on_note_(std::move(on_note)) {}

void Quiescence::begin(OnDone done) {
  const core::Policy& policy = engine_.policy();
  const bool wanted = enabled_ && policy.mode == core::Mode::correct && policy.manage_daemon && !engine_.busy();
  if (!wanted || (active() && state_ != State::down)) return done("");
  const bool already = state_ == State::down;
  done_ = std::move(done);
  number_ = engine_.current_number();
  limit_.reset();
  state_ = State::arming;
  dead_man_.arm(recover_, kDeadMan, [this, already](const core::Status& armed) {
    if (state_ != State::arming) return;
    if (armed && !already && !overtaken()) return stop();
    if (armed && already && !overtaken()) return stopped({true, true, "it was down already", false});
    if (already) return bring_back("the time daemon is started again");
    // The VM runs on already, or nobody would start the daemon if we died: it is not touched then.
    dead_man_.disarm();
    state_ = State::idle;
    answer(armed ? "" : "; the time daemon runs on, for no dead-man timer could be armed: " + armed.error().text);
  });
}

void Quiescence::stop() {
  state_ = State::stopping;
  executor_.stop_daemons(
      number_, [this](const engine::DaemonOutcome& outcome) { stopped(outcome); }, true);
}

void Quiescence::stopped(const engine::DaemonOutcome& outcome) {
  state_ = State::down;
  if (!outcome.any) {
    dead_man_.disarm();
    state_ = State::idle;
    return answer(outcome.ok ? "" : "; the time daemon runs on: " + outcome.detail);
  }
  if (!outcome.ok) return bring_back("the time daemon did not stop (" + outcome.detail + "): it is started again");
  limit_ = scheduler_.after(kLongest, [this] {
    // A correction under way starts it, and its end is heard of.
    if (!engine_.busy()) bring_back("no word within 60 s that the VM runs on: the time daemon is started again");
  });
  answer("; the time daemon is down until the VM runs on: " + outcome.detail);
  // Frozen before it was down: the correction may be over, and would have nothing to start.
  if (!engine_.busy() && overtaken()) bring_back("the VM runs on already: the time daemon is started again");
}

void Quiescence::published() {
  if (state_ == State::down) bring_back("");
}

void Quiescence::bring_back(const std::string& why) {
  const core::TimerHandle keep = std::move(limit_);
  if (!why.empty() && on_note_) on_note_(why);
  state_ = State::starting;
  dead_man_.disarm();
  executor_.start_daemons([this](const engine::DaemonOutcome& outcome) {
    state_ = State::idle;
    if (outcome.any && on_note_) on_note_("time daemon, stopped for the pause: " + outcome.detail);
    if (!engine_.busy()) executor_.finished();
  });
  answer(why.empty() ? "" : "; " + why);
}

void Quiescence::answer(const std::string& words) {
  if (const auto done = std::exchange(done_, nullptr)) done(words);
}

}  // namespace clockmend::app
