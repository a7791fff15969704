// What the operations of TimeDaemons share. Replies may outlive it, so they hold it weakly.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "correctors/time_daemon/command_services.hpp"
#include "correctors/time_daemon/time_daemons.hpp"

namespace clockmend::correctors {

/// What the configured commands manage, in the place of a unit's name.
inline constexpr const char* kConfiguredCommands = "configured-commands";

/// One unit's answer, by the name it was asked for.
struct UnitAnswer {
  std::string asked;
  core::Result<core::UnitState> state;
};

struct TimeDaemons::State : std::enable_shared_from_this<State> {
  State(core::ServiceManager& s, core::Scheduler& t, DaemonTools m) : services(s), scheduler(t), tools(m) {}

  core::ServiceManager& services;
  std::unique_ptr<CommandServices> configured;  // while the operator's commands stand for a unit
  core::Scheduler& scheduler;
  DaemonTools tools;
  core::DaemonSettings settings;
  /// Every name to ask for; of the known ones, the machine's lists and the configuration.
  std::vector<std::string> candidates;
  /// Those of which systemd knew nothing when all were asked last: each name costs it a look at the disk, and a correction is
  /// no time for that.
  std::set<std::string> absent;
  std::optional<core::MonotonicPoint> asked_all;
  std::vector<std::string> notes;
  Units known;
  /// Known daemons that we do not manage but that ran beside ours: no reason to leave ours stopped.
  std::set<std::string> bystanders;
  /// InvocationIDs of starts that were ours, so that they are not taken for somebody else's.
  std::map<std::string, std::string> own_runs;
  /// Units that were to be told and had to be restarted, until they run again.
  std::set<std::string> own_stops;
  std::map<std::string, std::string> outcomes;  // of the last start(), by unit
  std::map<unsigned, core::TimerHandle> rechecks;
  unsigned recheck_number = 0;

  /// Asks for all of them at once; `done` once, with the answers in the order of `units`.
  void query_all(std::vector<std::string> units, std::function<void(std::vector<UnitAnswer>)> done);
  void remember(const core::UnitState& state);
  void configure(core::DaemonSettings fresh);
  /// The candidates worth a question now.
  [[nodiscard]] std::vector<std::string> to_ask();
  /// Those to manage among what was answered; the rest that is active becomes `bystanders`.
  [[nodiscard]] Units sort_out(const std::vector<UnitAnswer>& answers);
  /// Who manages that unit.
  [[nodiscard]] core::ServiceManager& manager_of(const std::string& unit);
  [[nodiscard]] bool decided_by_name(const std::string& name) const;
  /// `asked`: the name in `id`'s place that was asked for.
  [[nodiscard]] core::DaemonAction action_for(const std::string& asked, const std::string& id) const;
};

/// active, or on the way there.
[[nodiscard]] bool is_up(const core::UnitState& state);
/// "failed (exit-code)", "inactive (dead)" for people.
[[nodiscard]] std::string in_words(const core::UnitState& state);

/// Calls `done` once `count` parts have arrived, each by its index.
template <typename T>
class Gather {
 public:
  Gather(std::vector<T> parts, std::function<void(std::vector<T>)> done)
      : missing_(parts.size()), parts_(std::move(parts)), done_(std::move(done)) {}
  void arrived(std::size_t index, T part) {
    parts_[index] = std::move(part);
    if (--missing_ == 0) done_(std::move(parts_));
  }

 private:
  std::size_t missing_;
  std::vector<T> parts_;
  std::function<void(std::vector<T>)> done_;
};

}  // namespace clockmend::correctors
