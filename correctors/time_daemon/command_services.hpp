// Services that programs start, stop and ask for: init scripts, and the operator's own commands.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/core/ports/command_runner.hpp"
#include "agent/core/ports/service_manager.hpp"
#include "agent/core/settings.hpp"

namespace clockmend::correctors {

/// What the exit code of "status" says.
enum class StatusCodes {
  lsb,         // init scripts by the LSB: 0 runs, 1 and 2 died, 3 does not run, 5 not installed
  openrc,      // openrc-run(8): 0 started, 3 stopped, 4 stopping, 8 starting, 16 inactive, 32 crashed
  zero_or_not  // 0 runs, anything else does not
};

struct ServicePrograms {
  /// The program and its arguments; `verb` is status, stop or start.
  std::function<std::vector<std::string>(const std::string& unit, const std::string& verb)> words;
  StatusCodes codes = StatusCodes::lsb;
  /// Empty: never.
  std::function<bool()> going_down;
};

/// /etc/init.d/NAME for NAME.service.
[[nodiscard]] ServicePrograms init_scripts(std::function<bool()> going_down);
/// The same scripts, started and stopped by rc-service(8), whose path is given.
[[nodiscard]] ServicePrograms openrc_scripts(std::string rc_service, std::function<bool()> going_down);
/// daemon.command_status, command_stop and command_start.
[[nodiscard]] ServicePrograms configured_programs(const core::DaemonSettings& settings);

/// No such service has an InvocationID: whether somebody else started it meanwhile cannot be told. A script that must not be
/// executed counts as masked.
class CommandServices final : public core::ServiceManager {
 public:
  /// `commands` outlives it.
  CommandServices(core::CommandRunner& commands, ServicePrograms programs);

  void query(const std::string& unit, core::milliseconds deadline, Reply reply) override;
  void stop(const std::string& unit, core::milliseconds deadline, Reply reply) override;
  void start(const std::string& unit, core::milliseconds deadline, Reply reply) override;
  void system_stopping(core::milliseconds deadline, std::function<void(core::Result<bool>)> reply) override;

 private:
  struct Tools;
  std::shared_ptr<const Tools> tools_;  // held by the replies, too
};

}  // namespace clockmend::correctors
