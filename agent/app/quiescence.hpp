// No time daemon while the VM is frozen: stopped on the host's word, started again when the VM runs on, whatever happens to us.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "agent/app/executor.hpp"
#include "agent/core/ports/dead_man.hpp"
#include "agent/core/ports/scheduler.hpp"
#include "agent/engine/engine.hpp"

namespace clockmend::app {

class Quiescence {
 public:
  using OnNote = std::function<void(const std::string&)>;
  /// In words, for the host; empty: nothing was done.
  using OnDone = std::function<void(const std::string&)>;

  /// `recover`: the command that brings back what the journal says was stopped.
  Quiescence(engine::Engine& engine, Executor& executor, core::DeadMan& dead_man, core::Scheduler& scheduler,
             std::vector<std::string> recover, OnNote on_note);

  /// daemon.quiesce; takes effect for the next pause.
  void configure(bool enabled) { enabled_ = enabled; }
  /// The host is about to freeze the VM, and the baselines are taken: the dead-man timer is armed, then the time daemon stopped.
  void begin(OnDone done);
  /// A correction has ended, so the VM runs on: the daemon is started, unless the correction did it.
  void published();
  /// The daemon is down by our hand: that none runs says nothing now.
  [[nodiscard]] bool active() const { return state_ != State::idle; }

 private:
  enum class State { idle, arming, stopping, down, starting };

  [[nodiscard]] bool overtaken() const { return engine_.busy() || engine_.current_number() != number_; }
  void stop();
  void stopped(const engine::DaemonOutcome& outcome);
  void bring_back(const std::string& why);
  void answer(const std::string& words);

  engine::Engine& engine_;
  Executor& executor_;
  core::DeadMan& dead_man_;
  core::Scheduler& scheduler_;
  std::vector<std::string> recover_;
  OnNote on_note_;
  bool enabled_ = false;
  State state_ = State::idle;
  std::uint64_t number_ = 0;  // of the next correction, when the host announced the pause
  OnDone done_;
  core::TimerHandle limit_;
};

}  // namespace clockmend::app
