#pragma once

#include <functional>
#include <string>

#include "agent/core/result.hpp"
#include "agent/core/time.hpp"

namespace clockmend::core {

/// The state of one unit as its service manager tells it (org.freedesktop.systemd1.Unit).
struct UnitState {
  std::string id;             // primary name after alias resolution
  std::string load_state;     // loaded | not-found | masked | ...
  std::string active_state;   // active | inactive | failed | activating | deactivating | ...
  std::string sub_state;      // running | dead | ...
  std::string result;         // service result: success | exit-code | ...
  std::string invocation_id;  // hex; changes with each start
  [[nodiscard]] bool running() const { return active_state == "active" && sub_state == "running"; }
};

/// Starts and stops services. All calls are asynchronous, answer exactly once, and never later than their deadline.
class ServiceManager {
 public:
  using Reply = std::function<void(Result<UnitState>)>;
  virtual ~ServiceManager() = default;
  /// not_found if no such unit is loaded or loadable.
  virtual void query(const std::string& unit, milliseconds deadline, Reply reply) = 0;
  /// Queues a stop job, waits for its end, answers with the state afterwards. timeout when the job did not end in time.
  virtual void stop(const std::string& unit, milliseconds deadline, Reply reply) = 0;
  /// Queues a start job, waits for its end, answers with the state afterwards (which may be "failed": look at it).
  virtual void start(const std::string& unit, milliseconds deadline, Reply reply) = 0;
  /// True while the system is going down ("stopping"): nothing must be started then.
  virtual void system_stopping(milliseconds deadline, std::function<void(Result<bool>)> reply) = 0;
};

}  // namespace clockmend::core
