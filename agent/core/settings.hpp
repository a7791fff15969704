// The checked configuration as values. Text to values is agent/config's job; defaults live only here.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/core/hooks.hpp"
#include "agent/core/policy.hpp"
#include "agent/core/time.hpp"

namespace clockmend::core {

struct NtpSettings {
  bool enabled = true;
  /// Names or numeric addresses; empty: discovered from the time daemon's configuration.
  std::vector<std::string> servers;
  /// Read ntp.conf, ntpsec, chrony.conf, timesyncd.conf when `servers` is empty.
  bool discover = true;
  std::uint16_t port = 123;
  milliseconds server_timeout{1000};  // one request; one retry follows
  milliseconds resolve_timeout{2000};
  /// Stop asking as soon as a majority intersects within this.
  milliseconds wanted_error{10};
  seconds idle_interval{1020};  // 17 min: not a divisor of any daemon's poll interval
  unsigned max_servers = 16;
};

struct RtcSettings {
  bool enabled = true;
  std::string device;  // empty: /dev/rtc, else the first rtc that answers
  RtcBackend backend = RtcBackend::ioctl;
  RtcFallback fallback = RtcFallback::ioctl;  // where hwclock is missing or fails
};

/// Which time scale a PTP clock runs on. `automatic`: by its kind, else by the nearer of UTC and TAI to a second witness.
enum class Timescale { automatic, utc, tai };

struct PtpSettings {
  bool enabled = true;
  /// clock_names allowed besides the hypervisors' own (a physical NIC is never taken by itself).
  std::vector<std::string> allow;
  Timescale timescale = Timescale::automatic;  // of the clocks in `allow` and of those whose kind does not tell
};

struct VmclockSettings {
  bool enabled = true;
  std::string device = "/dev/vmclock0";
};

struct ChannelSettings {
  bool enabled = true;
  std::string port_name = "org.clockmend.agent.0";
  std::vector<std::string> allowed_verbs;  // empty: all
  std::vector<std::string> blocked_verbs;  // also where they are allowed
  seconds max_age{30};

  /// Which of the two lists keeps the command from being answered; nullptr: neither.
  [[nodiscard]] const char* list_against(std::string_view verb) const {
    const auto has = [verb](const std::vector<std::string>& list) { return std::find(list.begin(), list.end(), verb) != list.end(); };
    if (!allowed_verbs.empty() && !has(allowed_verbs)) return "channel.allowed_verbs";
    return has(blocked_verbs) ? "channel.blocked_verbs" : nullptr;
  }
};

/// What a correction does with a time daemon that runs. restart: stop it, start it again. nudge: leave it running and tell it
/// that its measurements are void, where it can be told; else restart. leave: neither stop nor start nor tell it.
enum class DaemonAction { automatic, restart, nudge, leave };

[[nodiscard]] constexpr const char* to_string(DaemonAction a) {
  switch (a) {
    case DaemonAction::automatic:
      return "auto";
    case DaemonAction::restart:
      return "restart";
    case DaemonAction::nudge:
      return "nudge";
    case DaemonAction::leave:
      return "leave";
  }
  return "?";
}

struct DaemonSettings {
  std::string unit;  // empty: discovered among the known ones
  DaemonAction action = DaemonAction::automatic;
  /// Units, by any of their names, for which something else holds than `action`.
  std::vector<std::string> restart;
  std::vector<std::string> nudge;
  std::vector<std::string> leave;
  /// Programs with their arguments, all three or none, instead of a unit: for what only they can start and stop.
  std::vector<std::string> command_status;
  std::vector<std::string> command_stop;
  std::vector<std::string> command_start;
  milliseconds stop_deadline{10000};
  milliseconds start_deadline{10000};
  /// On a host's `pausing`: stop the time daemon until the VM runs again.
  bool quiesce = false;
};

struct StepSettings {
  /// A program that has not stepped by then is ended. `ntpd -gq` takes 8 s from a near server, the others 1 to 5 s; a client of
  /// the channel waits 30 s for the whole correction.
  milliseconds deadline{20000};
};

struct LogSettings {
  std::string level = "info";  // debug | info | warning | error
};

struct Settings {
  Policy policy;
  NtpSettings ntp;
  RtcSettings rtc;
  PtpSettings ptp;
  VmclockSettings vmclock;
  bool tsc_enabled = true;
  bool vmgenid_enabled = true;
  /// Period of the witnesses that must be polled (PTP, vmclock without notification, TSC): one tick for all of them.
  milliseconds poll_interval{250};
  ChannelSettings channel;
  DaemonSettings daemon;
  StepSettings step;
  HookSettings hooks;
  bool valid_target = true;  // clockmend-valid.target follows the clock
  LogSettings log;
  std::uint32_t history_max_records = 1000;
  /// Where each value that is not a default came from, for `doctor` ("file:line key").
  std::vector<std::string> origins;
};

/// Every path the daemon touches, under one prefix (tests use their own tree).
struct Paths {
  std::string root;  // "" in production
  std::string config = "/etc/clockmend/clockmend.toml";
  std::string config_dir = "/etc/clockmend/conf.d";
  std::string hooks_dir = "/etc/clockmend/hooks.d";
  std::string runtime_dir = "/run/clockmend";
  std::string state_dir = "/var/lib/clockmend";
  [[nodiscard]] std::string status() const { return runtime_dir + "/status.json"; }
  [[nodiscard]] std::string journal() const { return runtime_dir + "/journal"; }
  [[nodiscard]] std::string control_socket() const { return runtime_dir + "/control.sock"; }
  [[nodiscard]] std::string history() const { return state_dir + "/history.jsonl"; }
  /// There while the clock may be trusted; what clockmend-valid.target asserts.
  [[nodiscard]] std::string valid_flag() const { return runtime_dir + "/clock-valid"; }
};

}  // namespace clockmend::core
