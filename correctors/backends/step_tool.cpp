#include "correctors/backends/step_tool.hpp"

#include <algorithm>
#include <utility>

namespace clockmend::correctors {
namespace {

// The two clocks are read a moment apart; what is smaller is no step for the engine's ledger either.
constexpr core::microseconds kTolerance{500};

core::nanoseconds set_by(const core::ClockSnapshot& s) { return s.realtime.time_since_epoch() - s.boottime.time_since_epoch(); }

}  // namespace

StepTool::StepTool(core::CommandRunner& commands, core::ClockReader& clock, core::milliseconds deadline)
    : commands_(commands), clock_(clock), deadline_(deadline) {}
StepTool::~StepTool() = default;

void StepTool::run(core::StepBackend backend, std::function<void(const StepToolResult&)> done) {
  const auto argv = step_command(backend, servers_ ? servers_() : StepServers{}, deadline_);
  if (!argv) return done({false, argv.error().text});
  seen_ = clock_.snapshot();
  commands_.run_clock_tool(
      *argv, deadline_,
      [backend, done = std::move(done), alive = std::weak_ptr<bool>(alive_)](const core::Result<core::CommandResult>& result) {
        if (alive.expired()) return;
        const auto said = judge_step_program(backend, result);
        done({said.ok(), said ? *said : said.error().text});
      });
}

core::Offset StepTool::look(const core::ClockSnapshot& now) {
  if (!seen_) return {};
  const core::Offset moved{set_by(now) - set_by(*seen_)};
  if (core::magnitude(moved) <= kTolerance + std::max(seen_->bracket, now.bracket)) return {};
  seen_ = now;
  return moved;
}

}  // namespace clockmend::correctors
