// Everything the agent can say about itself at one moment: the value behind status.json, `clockmend status` and the
// channel's clock-status. agent/wire turns it into JSON; nobody else formats it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/clock_state.hpp"
#include "agent/core/policy.hpp"
#include "agent/core/probe.hpp"
#include "agent/core/report.hpp"

namespace clockmend::core {

struct ProbeStatus {
  std::string name;
  ProbeHealth health;
};

struct DaemonStatus {
  std::string unit;          // primary id; empty: none found active
  std::string active_state;  // as systemd tells it
  std::string sub_state;
  std::string invocation_id;
  bool running = false;  // proved at once after a correction
  /// The kernel says a daemon disciplines the clock (STA_UNSYNC clear). Comes minutes after `running`.
  bool synchronising = false;
  std::string problem;  // could not stop/start/ask: why
  std::string action;   // what a correction does with it: restart | nudge | leave
  /// What the last correction did with it, and whether it has disciplined the clock since; empty before the first one.
  std::string health;
};

struct ServerStatus {
  std::string address;
  std::string name;   // as configured, if it was a name
  std::string state;  // ok | falseticker | unreachable | kod | bad reply: why | not asked
  std::optional<OffsetReading> last;
  int stratum = 0;
};

struct Counters {
  std::uint64_t discontinuities = 0;
  std::uint64_t corrections = 0;
  std::uint64_t steps = 0;
  std::uint64_t no_actions = 0;
  std::uint64_t refusals = 0;
  std::uint64_t failures = 0;
  std::uint64_t notices = 0;
  std::uint64_t notices_dropped = 0;    // repeats, too old, rate-limited
  std::uint64_t notices_coalesced = 0;  // joined a correction already running
  std::uint64_t bad_lines = 0;
  std::uint64_t foreign_steps = 0;
};

/// How fast error_bound grows between two verifications. RFC 5905's PHI of 15 ppm is for a clock under discipline; a guest's
/// crystal that nobody disciplines is within 100 ppm, and after a step nobody may for minutes.
inline constexpr std::int64_t kErrorGrowthPpm = 100;

struct AgentStatus {
  std::string version;
  std::uint32_t pid = 0;
  ClockState state = ClockState::starting;
  std::string state_reason;
  Mode mode = Mode::correct;
  Sequence sequence = Sequence::restore_first;
  ClockSnapshot checked_at;                  // when this was written
  std::optional<RealtimePoint> valid_since;  // clock trustworthy since; absent while it is not
  std::optional<nanoseconds> error_bound;    // |offset| is below this, as of the last verification plus drift
  nanoseconds max_detection_latency{};       // an unannounced resume can go unnoticed for so long
  nanoseconds void_after{};                  // do not believe this file longer than this after checked_at
  std::string clocksource;
  bool can_set_clock = false;
  std::string can_set_clock_why;
  std::vector<ProbeStatus> probes;
  std::vector<DaemonStatus> daemons;
  std::vector<ServerStatus> servers;
  std::string config_error;  // last reload refused: why (the old one is in force)
  std::string channel;       // connected | disconnected | off: why
  std::string rtc_mode;      // utc | local | none
  Counters counters;
  std::optional<CorrectionReport> last;
};

}  // namespace clockmend::core
