// clockmend-valid.target and its flag: reached only while the clock may be trusted.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "agent/core/ports/files.hpp"
#include "agent/core/ports/scheduler.hpp"
#include "agent/core/ports/service_manager.hpp"
#include "agent/engine/engine.hpp"

namespace clockmend::app {

/// The flag is a file that the target asserts: a unit that merely requires the target cannot start it while the clock is wrong.
class ValidTarget {
 public:
  using OnNote = std::function<void(const std::string&)>;

  /// `services`: nullptr where there is no systemd; the flag is kept all the same.
  ValidTarget(engine::Engine& engine, core::ServiceManager* services, core::FileWriter& writer, core::Scheduler& scheduler,
              std::string flag, OnNote on_note);

  /// At start and at a reload. Begins with nothing valid.
  void configure(bool enabled);
  /// After each event: what follows is done in a later turn of the loop, so that it does not stand before a step.
  void follow();
  /// The agent ends: nobody vouches for the clock any more.
  void close();

 private:
  [[nodiscard]] bool wanted() const;
  [[nodiscard]] bool stepped_since() const { return shown_ && engine_.counters().steps != steps_; }
  void act();
  void show();
  void hide();
  void ended(bool shown, const core::Result<core::UnitState>& reply);

  engine::Engine& engine_;
  core::ServiceManager* services_;
  core::FileWriter& writer_;
  core::Scheduler& scheduler_;
  std::string flag_;
  OnNote on_note_;
  bool enabled_ = false;
  bool shown_ = false;       // as far as we have brought it
  bool busy_ = false;        // a job of ours is under way
  bool absent_ = false;      // the target is not installed
  std::uint64_t steps_ = 0;  // made when it was shown
  std::string told_;
  core::TimerHandle soon_;
  core::TimerHandle retry_;
};

}  // namespace clockmend::app
