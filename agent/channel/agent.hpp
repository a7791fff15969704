// What the channel needs of the agent: the app implements it, tests fake it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/notice.hpp"
#include "agent/core/ports/scheduler.hpp"
#include "agent/core/report.hpp"
#include "agent/core/status.hpp"

namespace clockmend::channel {

class Agent {
 public:
  using OnReport = std::function<void(const core::CorrectionReport&)>;

  virtual ~Agent() = default;
  /// All clocks now; taken right when request bytes arrive (t2) and right before a reply leaves (t3).
  [[nodiscard]] virtual core::ClockSnapshot snapshot() = 0;
  [[nodiscard]] virtual core::AgentStatus status() = 0;
  /// A checked notice. Never refuses and never blocks; a notice that arrives during a correction joins it.
  /// `done`, if given, is called exactly once and never from inside notify(): with the report of the correction the notice
  /// led to or joined, with Outcome::no_action where nothing was to do, for `pausing` when the fresh baseline is taken, and for
  /// `set_time` as soon as the clock is right, with the report as far as it has come.
  virtual void notify(core::HostNotice notice, OnReport done) = 0;
  /// History records as they lie in the file, one JSON object per element, newest first, at most `limit`, only those with
  /// number < `before` if given.
  [[nodiscard]] virtual std::vector<std::string> history(std::size_t limit, std::optional<std::uint64_t> before) = 0;
  /// Policy::host_clock_error: what the host's own clock may be wrong by.
  [[nodiscard]] virtual core::nanoseconds host_clock_error() = 0;
  [[nodiscard]] virtual core::Scheduler& scheduler() = 0;
};

}  // namespace clockmend::channel
