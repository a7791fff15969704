#include "correctors/time_daemon/nudge.hpp"

#include <string>
#include <utility>
#include <vector>

#include "agent/core/printable.hpp"

namespace clockmend::correctors {
namespace {

// chronyc(1): "reset sources" drops all measurements and cancels a slew under way; "burst" asks every source again, at the
// shortest distance, until 4 of at most 8 requests were answered well; -m: each argument is a command; -n: no DNS. "makestep"
// is not among them: right after a reset nothing is measured, and the few milliseconds that the burst finds are slewed.
const std::vector<std::string> kChronyc{"/usr/bin/chronyc", "-n", "-m", "reset sources", "burst 4/8"};

core::Status judge(const core::Result<core::CommandResult>& result) {
  if (!result && result.error().code == core::ErrorCode::not_found)
    return core::Error{core::ErrorCode::not_found, kChronyc.front() + " cannot be run: is it installed?"};
  if (!result) return core::Error{result.error().code, "chronyc: " + result.error().text};
  if (result->exit_code == 0) return core::success();
  return core::Error{core::ErrorCode::io,
                     "chronyc ended with " + std::to_string(result->exit_code) + ": " + core::first_line(result->output)};
}

}  // namespace

void nudge(core::CommandRunner* commands, DaemonKind kind, core::milliseconds deadline, std::function<void(core::Status)> done) {
  // systemd-timesyncd holds a timer that every step cancels (TFD_TIMER_CANCEL_ON_SET), and asks its server again then.
  if (kind != DaemonKind::chronyd) return done(core::success());
  if (commands == nullptr) return done(core::Error{core::ErrorCode::unavailable, "chronyc cannot be run here"});
  commands->run(kChronyc, deadline, [done = std::move(done)](const core::Result<core::CommandResult>& result) { done(judge(result)); });
}

}  // namespace clockmend::correctors
