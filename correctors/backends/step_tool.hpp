// Lets a program make the step, and tells by value what it did to the clock.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "agent/core/backend.hpp"
#include "agent/core/offset.hpp"
#include "agent/core/ports/clock_reader.hpp"
#include "agent/core/ports/command_runner.hpp"
#include "correctors/backends/commands.hpp"

namespace clockmend::correctors {

struct StepToolResult {
  bool ok = false;     // it says that it has set the clock; by how much is what look() saw
  std::string detail;  // "ntpdate: its last line", or why not
};

/// One program at a time.
class StepTool {
 public:
  using Servers = std::function<StepServers()>;

  StepTool(core::CommandRunner& commands, core::ClockReader& clock, core::milliseconds deadline);
  ~StepTool();
  StepTool(const StepTool&) = delete;
  StepTool& operator=(const StepTool&) = delete;

  /// Where the servers to be named come from; asked right before a program is run.
  void ask_servers(Servers servers) { servers_ = std::move(servers); }
  void configure(core::milliseconds deadline) { deadline_ = deadline; }

  /// Answers once; at once, from inside this call, where nothing can be run. Ends with over().
  void run(core::StepBackend backend, std::function<void(const StepToolResult&)> done);
  /// By how much the clock was set since run() or since the last look; zero below what two readings of it can tell, and always
  /// while no program runs. REALTIME against BOOTTIME: both are slewed alike and both count a suspend, so only a step shows.
  [[nodiscard]] core::Offset look(const core::ClockSnapshot& now);
  /// The program has ended and the last look is taken: what changes from now on was somebody else.
  void over() { seen_.reset(); }

 private:
  core::CommandRunner& commands_;
  core::ClockReader& clock_;
  core::milliseconds deadline_;
  Servers servers_;
  std::optional<core::ClockSnapshot> seen_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace clockmend::correctors
