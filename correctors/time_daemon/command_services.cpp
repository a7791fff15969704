#include "correctors/time_daemon/command_services.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "agent/core/printable.hpp"

namespace clockmend::correctors {

struct CommandServices::Tools {
  core::CommandRunner& commands;
  ServicePrograms programs;

  void ask(const std::shared_ptr<const Tools>& self, const std::string& unit, core::milliseconds deadline, const Reply& reply) const;
  void act(const std::shared_ptr<const Tools>& self, const std::string& verb, const std::string& unit, core::milliseconds deadline,
           const Reply& reply) const;
};

namespace {

/// Of the time for a stop or a start, for the look at what came of it.
constexpr core::milliseconds kLook{2000};

std::string script_of(const std::string& unit) {
  constexpr std::string_view kSuffix = ".service";
  return unit.ends_with(kSuffix) ? unit.substr(0, unit.size() - kSuffix.size()) : unit;
}

core::UnitState in_state(const std::string& unit, const char* active_state, const char* sub_state, const char* result = "success") {
  return {unit, "loaded", active_state, sub_state, result, ""};
}

core::Result<core::UnitState> by_openrc(const std::string& unit, int code) {
  switch (code) {
    case 4:
      return in_state(unit, "deactivating", "stop");
    case 8:
      return in_state(unit, "activating", "start");
    case 16:  // started, and waits for something
      return in_state(unit, "activating", "waiting");
    case 32:
      return in_state(unit, "failed", "crashed", "crashed");
    default:
      return core::Error{core::ErrorCode::unavailable, unit + ": its status is unknown (exit code " + std::to_string(code) + ")"};
  }
}

core::Result<core::UnitState> by_code(const std::string& unit, StatusCodes codes, int code) {
  if (code == 0) return in_state(unit, "active", "running");
  if (code == 3 || codes == StatusCodes::zero_or_not) return in_state(unit, "inactive", "dead");
  if (codes == StatusCodes::openrc) return by_openrc(unit, code);
  if (code == 1 || code == 2) return in_state(unit, "failed", "dead", "died");
  const bool absent = code == 5;
  return core::Error{absent ? core::ErrorCode::not_found : core::ErrorCode::unavailable,
                     unit + (absent ? ": not installed" : ": its status is unknown (exit code " + std::to_string(code) + ")")};
}

}  // namespace

void CommandServices::Tools::ask(const std::shared_ptr<const Tools>& self, const std::string& unit, core::milliseconds deadline,
                                 const Reply& reply) const {
  commands.run(programs.words(unit, "status"), deadline, [self, unit, reply](const core::Result<core::CommandResult>& result) {
    const StatusCodes codes = self->programs.codes;
    if (result) return reply(by_code(unit, codes, result->exit_code));
    if (result.error().code == core::ErrorCode::not_permitted && codes != StatusCodes::zero_or_not) {
      core::UnitState masked = in_state(unit, "inactive", "dead");
      masked.load_state = "masked";
      return reply(masked);
    }
    reply(core::Error{result.error().code, unit + ": " + result.error().text});
  });
}

void CommandServices::Tools::act(const std::shared_ptr<const Tools>& self, const std::string& verb, const std::string& unit,
                                 core::milliseconds deadline, const Reply& reply) const {
  const core::milliseconds look = std::min(kLook, deadline / 4);
  const std::vector<std::string> words = programs.words(unit, verb);
  std::string what = unit + ": " + verb;
  commands.run(words, deadline - look, [self, unit, look, reply, what](const core::Result<core::CommandResult>& result) {
    if (!result) return reply(core::Error{result.error().code, what + ": " + result.error().text});
    if (result->exit_code == 0) return self->ask(self, unit, look, reply);
    reply(core::Error{core::ErrorCode::io,
                      what + " ended with " + std::to_string(result->exit_code) + ": " + core::first_line(result->output)});
  });
}

CommandServices::CommandServices(core::CommandRunner& commands, ServicePrograms programs)
    : tools_(std::make_shared<const Tools>(Tools{commands, std::move(programs)})) {}

void CommandServices::query(const std::string& unit, core::milliseconds deadline, Reply reply) {
  tools_->ask(tools_, unit, deadline, reply);
}

void CommandServices::stop(const std::string& unit, core::milliseconds deadline, Reply reply) {
  tools_->act(tools_, "stop", unit, deadline, reply);
}

void CommandServices::start(const std::string& unit, core::milliseconds deadline, Reply reply) {
  tools_->act(tools_, "start", unit, deadline, reply);
}

void CommandServices::system_stopping(core::milliseconds, std::function<void(core::Result<bool>)> reply) {
  reply(tools_->programs.going_down && tools_->programs.going_down());
}

ServicePrograms init_scripts(std::function<bool()> going_down) {
  const auto words = [](const std::string& unit, const std::string& verb) {
    return std::vector<std::string>{"/etc/init.d/" + script_of(unit), verb};
  };
  return {words, StatusCodes::lsb, std::move(going_down)};
}

ServicePrograms openrc_scripts(std::string rc_service, std::function<bool()> going_down) {
  const auto words = [rc_service = std::move(rc_service)](const std::string& unit, const std::string& verb) {
    // rc-service(8) runs just this for "status"; asked directly, a script that is not there is told from one that failed.
    if (verb == "status") return std::vector<std::string>{"/etc/init.d/" + script_of(unit), verb};
    return std::vector<std::string>{rc_service, script_of(unit), verb};
  };
  return {words, StatusCodes::openrc, std::move(going_down)};
}

ServicePrograms configured_programs(const core::DaemonSettings& settings) {
  const auto words = [status = settings.command_status, stop = settings.command_stop, start = settings.command_start](
                         const std::string&, const std::string& verb) {
    return verb == "status" ? status : verb == "stop" ? stop : start;
  };
  return {words, StatusCodes::zero_or_not, {}};
}

}  // namespace clockmend::correctors
