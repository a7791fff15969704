// Runs what an application's administrator put into hooks.d, before and after a step.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/core/hooks.hpp"
#include "agent/core/ports/hooks.hpp"
#include "agent/core/ports/scheduler.hpp"
#include "agent/core/settings.hpp"

namespace clockmend::correctors {

class ApplicationHooks {
 public:
  using OnNote = std::function<void(const std::string& text, bool failed)>;

  ApplicationHooks(core::HookFinder& finder, core::HookRunner& runner, core::Scheduler& scheduler, std::string folder,
                   core::HookSettings settings);

  /// Who hears what a program said and how it ended, bounded and printable.
  void on_note(OnNote call) { on_note_ = std::move(call); }
  void configure(core::HookSettings settings) { settings_ = settings; }
  /// Looks into the folders: at start, at a reload, and now and then, never while the clock waits to be set.
  void look();
  [[nodiscard]] bool any(core::HookPoint point) const { return settings_.enabled && !at(point).empty(); }

  /// The programs of that point one after the other, each to its end or deadline. `done` (optional) comes when the last one has
  /// ended or `patience` is over, whichever is first; what still runs then goes on.
  void run(const core::HookFacts& facts, core::nanoseconds patience, std::function<void()> done);

 private:
  /// All programs of one point for one correction.
  struct Round {
    core::HookFacts facts;
    std::vector<std::string> programs;
    std::function<void()> done;
    core::TimerHandle patience;
  };

  [[nodiscard]] const std::vector<std::string>& at(core::HookPoint point) const {
    return point == core::HookPoint::pre_step ? pre_step_ : post_step_;
  }
  void next();
  void ended(const std::string& program, core::MonotonicPoint begun, const core::Result<core::CommandResult>& result);
  void note(const std::string& text, bool failed) const;
  static void release(Round& round);

  core::HookFinder& finder_;
  core::HookRunner& runner_;
  core::Scheduler& scheduler_;
  std::string folder_;
  core::HookSettings settings_;
  OnNote on_note_;
  std::vector<std::string> pre_step_;
  std::vector<std::string> post_step_;
  std::vector<std::string> told_;  // what was objected to when last looked
  std::deque<std::shared_ptr<Round>> rounds_;
  std::size_t position_ = 0;  // in the first round
};

/// The environment a hook is run with, "NAME=value": see clockmendd(8).
[[nodiscard]] std::vector<std::string> hook_environment(const core::HookFacts& facts);

}  // namespace clockmend::correctors
