// Stops the time daemons that run, and brings back exactly those.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/core/ports/command_runner.hpp"
#include "agent/core/ports/files.hpp"
#include "agent/core/ports/scheduler.hpp"
#include "agent/core/ports/service_manager.hpp"
#include "agent/core/settings.hpp"

namespace clockmend::correctors {

enum class DaemonKind { ntpd, ntpsec, chronyd, timesyncd, openntpd, ntpd_rs, configured };

[[nodiscard]] const char* to_string(DaemonKind kind);

/// A unit as it was when we looked.
struct ManagedUnit {
  std::string unit;           // primary id
  std::string invocation_id;  // of the run that we saw
  DaemonKind kind = DaemonKind::configured;
  core::UnitState state;
  core::DaemonAction action = core::DaemonAction::restart;  // never `automatic`
};

struct UnitOutcome {
  std::string unit;
  bool ok = false;
  std::string detail;  // "stopped", "running", "already running: started by someone else", or what failed
  core::UnitState state;
  bool retry = false;  // start: it should run and does not, for a reason that may pass
};

/// What more there may be; without it the machine's lists are not read, and no daemon is nudged that needs a program for it.
struct DaemonTools {
  core::FileReader* files = nullptr;
  core::CommandRunner* commands = nullptr;
};

/// Every operation answers exactly once and never later than its deadline; one operation at a time.
class TimeDaemons {
 public:
  using Units = std::vector<ManagedUnit>;
  using OnUnits = std::function<void(core::Result<Units>)>;
  using OnOutcomes = std::function<void(std::vector<UnitOutcome>)>;

  TimeDaemons(core::ServiceManager& services, core::Scheduler& scheduler, core::DaemonSettings settings, DaemonTools tools = {});
  ~TimeDaemons();
  TimeDaemons(const TimeDaemons&) = delete;
  TimeDaemons& operator=(const TimeDaemons&) = delete;

  /// Reads the machine's lists of time daemons anew, too.
  void configure(core::DaemonSettings settings);
  /// What was wrong with those lists.
  [[nodiscard]] const std::vector<std::string>& notes() const;

  /// Time daemons that are active now (aliases resolved, each once), plus those that were active at the last refresh and
  /// have died since (ActiveState failed: ntpd exits above 1000 s). Empty if none; an error if nobody can be asked.
  void refresh(OnUnits done);
  /// The result of the last refresh or start, for status; never asks.
  [[nodiscard]] const Units& known() const;

  /// What the last start() said of a unit, for status; empty if it has not been in one.
  [[nodiscard]] std::string last_outcome(const std::string& unit) const;

  /// Stops them all at once; one that is to be nudged or left runs on. A unit that does not stop in time is reported and asked to start
  /// again, so that its pending stop job is cancelled.
  void stop(const Units& units, OnOutcomes done);
  /// Starts what was stopped, unless it is masked, runs already, another time daemon became active meanwhile, or the
  /// system is going down. ok means: seen running, with a new InvocationID if we started it. Pass every unit that went
  /// into stop(), whatever its outcome: one that was never stopped is left as it is.
  /// One that was to be nudged is told now, and restarted if that fails.
  /// `confirmed` (optional) comes 300 ms after `done`, with the units started: a daemon that dies at once is found out.
  void start(const Units& units, OnOutcomes done, OnOutcomes confirmed = {});

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace clockmend::correctors
