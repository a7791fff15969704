#include "agent/config/keys.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>

#include "agent/config/command_key.hpp"
#include "agent/config/date_key.hpp"
#include "agent/config/key_types.hpp"
#include "agent/core/verbs.hpp"

namespace clockmend::config {
namespace {

using core::Settings;
using namespace std::chrono_literals;

constexpr auto kCentury = std::chrono::hours(24 * 36500);

bool all_of(const std::string& text, std::string_view more) {
  return std::all_of(text.begin(), text.end(), [more](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || more.find(c) != std::string_view::npos;
  });
}

Problem check_host(const std::string& text) {
  if (text.empty() || text.size() > 255) return "a server is a name or address of 1 .. 255 characters";
  if (text.front() == '-' || !all_of(text, ".:-_%")) return in_quotes(text) + " is neither a host name nor an address";
  return std::nullopt;
}

/// Names one sysfs attribute and one device link: a slash would leave the folder.
Problem check_port_name(const std::string& text) {
  if (text.empty() || text.size() > 64 || text.front() == '.' || !all_of(text, ".-_")) return in_quotes(text) + " is not a port name";
  return std::nullopt;
}

Problem check_unit(const std::string& text) {
  if (text.empty()) return std::nullopt;
  constexpr std::string_view kSuffix = ".service";
  const bool named = text.size() > kSuffix.size() && text.size() <= 255 && text.ends_with(kSuffix) && all_of(text, ":-_.\\@");
  if (!named) return in_quotes(text) + " is not a service unit (NAME.service)";
  return std::nullopt;
}

constexpr const char* kUnitList = "list of up to 8 service units";
constexpr std::size_t kMaxUnits = 8;

Problem check_listed_unit(const std::string& text) {
  if (text.empty()) return "an empty name is not a service unit";
  return check_unit(text);
}

Problem check_device(const std::string& text) {
  if (text.empty()) return std::nullopt;
  if (!text.starts_with("/dev/") || text.find("..") != std::string::npos || !all_of(text, "/-_."))
    return in_quotes(text) + " is not below /dev";
  return std::nullopt;
}

/// Compared with a sysfs attribute, never a path.
Problem check_clock_name(const std::string& text) {
  if (text.empty() || text.size() > 64 || !all_of(text, " .:-_/")) return in_quotes(text) + " is not a clock_name";
  return std::nullopt;
}

Problem check_verb(const std::string& text) {
  if (std::find(core::kChannelVerbs.begin(), core::kChannelVerbs.end(), text) != core::kChannelVerbs.end()) return std::nullopt;
  const auto meant = nearest(text, {core::kChannelVerbs.begin(), core::kChannelVerbs.end()});
  return in_quotes(text) + " is not a channel command" + (meant ? "; did you mean " + in_quotes(*meant) + "?" : "");
}

std::vector<KeySpec> what_may_be_done() {
  return {
      word_key<core::Mode>(
          {"policy", "mode", "What may be done to the clock. observe: detect, measure and report, touch nothing."},
          {{"correct", core::Mode::correct},
           {"slew-only", core::Mode::slew_only},
           {"observe", core::Mode::observe},
           {"off", core::Mode::off}},
          [](auto& s) -> auto& { return s.policy.mode; }),
      word_key<core::Sequence>(
          {"policy", "sequence",
           "restore-first: step from the first sufficient witness while the time daemon is being stopped. "
           "stop-first: touch no clock while a time daemon runs."},
          {{"restore-first", core::Sequence::restore_first}, {"stop-first", core::Sequence::stop_first}},
          [](auto& s) -> auto& { return s.policy.sequence; }),
      word_key<core::OnDisagreement>(
          {"policy", "on_disagreement", "Whom to follow when the host's time and NTP contradict each other. hold: nobody."},
          {{"ntp", core::OnDisagreement::ntp}, {"host", core::OnDisagreement::host}, {"hold", core::OnDisagreement::hold}},
          [](auto& s) -> auto& { return s.policy.on_disagreement; }),
      word_key<core::OnForeignStep>(
          {"policy", "on_foreign_step", "When somebody else set the clock: verify it against the witnesses, or ignore it."},
          {{"verify", core::OnForeignStep::verify}, {"ignore", core::OnForeignStep::ignore}},
          [](auto& s) -> auto& { return s.policy.on_foreign_step; }),
  };
}

std::vector<KeySpec> thresholds() {
  return {
      duration_key(
          {"policy", "record_threshold", "Smaller gaps are taken for noise and not recorded."}, 1ms, 10s,
          [](auto& s) -> auto& { return s.policy.record_threshold; }),
      duration_key(
          {"policy", "step_threshold", "A larger offset starts a correction; smaller ones are left to the time daemon."}, 1ms, 1h,
          [](auto& s) -> auto& { return s.policy.step_threshold; }),
      duration_key(
          {"policy", "trim_threshold", "Inside a correction, verification removes what is left above this."}, 1us, 1s,
          [](auto& s) -> auto& { return s.policy.trim_threshold; }),
      duration_key(
          {"policy", "backward_slew_limit", "A clock that is ahead by up to this is not stepped backward."}, 0s, 1min,
          [](auto& s) -> auto& { return s.policy.backward_slew_limit; }),
      duration_key(
          {"policy", "max_forward_uncorroborated", "One witness alone may move the clock forward by this much."}, 0s, kCentury,
          [](auto& s) -> auto& { return s.policy.max_forward_uncorroborated; }),
      duration_key(
          {"policy", "max_backward_uncorroborated", "One witness alone may move the clock backward by this much."}, 0s, kCentury,
          [](auto& s) -> auto& { return s.policy.max_backward_uncorroborated; }),
      duration_key(
          {"policy", "disagreement_tolerance", "A single NTP server may contradict a local witness by this much."}, 1ms, 1h,
          [](auto& s) -> auto& { return s.policy.disagreement_tolerance; }),
      duration_key(
          {"policy", "max_accumulated", "Sum of uncorroborated steps allowed within accumulation_window."}, 0s, kCentury,
          [](auto& s) -> auto& { return s.policy.max_accumulated; }),
      duration_key(
          {"policy", "accumulation_window", "See max_accumulated."}, 1min, std::chrono::hours(24 * 30),
          [](auto& s) -> auto& { return s.policy.accumulation_window; }),
  };
}

std::vector<KeySpec> bounds() {
  return {
      date_key(
          {"policy", "floor", "No corrected time before this. The build date and the last good time apply anyway where they are later."},
          [](auto& s) -> auto& { return s.policy.floor; }),
      date_key(
          {"policy", "ceiling", "No corrected time after this."}, [](auto& s) -> auto& { return s.policy.ceiling; }),
      duration_key(
          {"policy", "host_clock_error", "How far the host's own clock may be from true time."}, 0s, 10s,
          [](auto& s) -> auto& { return s.policy.host_clock_error; }),
      duration_key(
          {"policy", "verification_deadline", "Witnesses that have not answered by then are decided without."}, 100ms, 1min,
          [](auto& s) -> auto& { return s.policy.verification_deadline; }),
  };
}

std::vector<KeySpec> ntp() {
  return {
      flag_key(
          {"ntp", "enabled", "Ask NTP servers at all."}, [](auto& s) -> auto& { return s.ntp.enabled; }),
      list_key(
          {"ntp", "servers", "Names or addresses; a name stands for all its addresses. Empty: found in the time daemon's configuration."},
          "list of up to 16 names or addresses", 16, check_host, [](auto& s) -> auto& { return s.ntp.servers; }),
      flag_key(
          {"ntp", "discover", "With no servers given, read ntp.conf, chrony.conf, timesyncd.conf."},
          [](auto& s) -> auto& { return s.ntp.discover; }),
      number_key(
          {"ntp", "port", "UDP port of the servers."}, 1, 65535, [](auto& s) -> auto& { return s.ntp.port; }),
      duration_key(
          {"ntp", "server_timeout", "Wait for one answer; one retry follows."}, 50ms, 10s,
          [](auto& s) -> auto& { return s.ntp.server_timeout; }),
      duration_key(
          {"ntp", "resolve_timeout", "Wait for a name's addresses."}, 50ms, 30s, [](auto& s) -> auto& { return s.ntp.resolve_timeout; }),
      duration_key(
          {"ntp", "wanted_error", "A majority that agrees within this ends the measurement."}, 1ms, 1s,
          [](auto& s) -> auto& { return s.ntp.wanted_error; }),
      duration_key(
          {"ntp", "idle_interval", "How often an undisturbed clock is verified."}, 64s, std::chrono::hours(24),
          [](auto& s) -> auto& { return s.ntp.idle_interval; }),
      number_key(
          {"ntp", "max_servers", "At most so many addresses are asked."}, 1, 64, [](auto& s) -> auto& { return s.ntp.max_servers; }),
  };
}

std::vector<KeySpec> step() {
  return {
      word_key<core::StepBackend>(
          {"step", "backend",
           "Who makes a step that NTP stands behind. builtin: the agent, by one relative step. ntpdate; ntpd: ntpd -gq; ntpdig: ntpdig -S; "
           "chronyd: chronyd -q. With a program the time daemon is stopped first, whatever sequence says."},
          {{"builtin", core::StepBackend::builtin},
           {"ntpdate", core::StepBackend::ntpdate},
           {"ntpd", core::StepBackend::ntpd},
           {"ntpdig", core::StepBackend::ntpdig},
           {"chronyd", core::StepBackend::chronyd}},
          [](auto& s) -> auto& { return s.policy.step_backend; }),
      word_key<core::StepFallback>(
          {"step", "fallback",
           "Where the program is missing, fails or cannot make this step. none: the clock is left as it is then, and the report says so."},
          {{"builtin", core::StepFallback::builtin}, {"none", core::StepFallback::none}},
          [](auto& s) -> auto& { return s.policy.step_fallback; }),
      duration_key(
          {"step", "deadline", "A program that has not ended by then is killed."}, 1s, 5min,
          [](auto& s) -> auto& { return s.step.deadline; }),
  };
}

std::vector<KeySpec> rtc_and_channel() {
  return {
      flag_key(
          {"rtc", "enabled", "Watch the RTC."}, [](auto& s) -> auto& { return s.rtc.enabled; }),
      text_key(
          {"rtc", "device", "Empty: /dev/rtc, else the first that answers."}, "path below /dev", check_device,
          [](auto& s) -> auto& { return s.rtc.device; }),
      flag_key(
          {"rtc", "write", "Write the RTC after a correction."}, [](auto& s) -> auto& { return s.policy.write_rtc; }),
      duration_key(
          {"rtc", "write_threshold", "Only when it is off by more than this."}, 1ms, 1h,
          [](auto& s) -> auto& { return s.policy.rtc_write_threshold; }),
      word_key<core::RtcBackend>(
          {"rtc", "backend", "ioctl: written by the agent, aligned to the second and read back. hwclock: by hwclock -w."},
          {{"ioctl", core::RtcBackend::ioctl}, {"hwclock", core::RtcBackend::hwclock}}, [](auto& s) -> auto& { return s.rtc.backend; }),
      word_key<core::RtcFallback>(
          {"rtc", "fallback", "Where hwclock is missing or fails. none: the RTC is not written then, and the report says so."},
          {{"ioctl", core::RtcFallback::ioctl}, {"none", core::RtcFallback::none}}, [](auto& s) -> auto& { return s.rtc.fallback; }),
      flag_key(
          {"channel", "enabled", "Listen to the host on the virtio-serial port."}, [](auto& s) -> auto& { return s.channel.enabled; }),
      text_key(
          {"channel", "port_name", "Name of the virtio-serial port. org.qemu.guest_agent.0 answers `virsh domtime` where no qemu-ga runs."},
          "port name", check_port_name, [](auto& s) -> auto& { return s.channel.port_name; }),
      list_key(
          {"channel", "allowed_verbs", "Only these commands are answered on the port and on the control socket; empty: all."},
          "list of channel commands", core::kChannelVerbs.size(), check_verb, [](auto& s) -> auto& { return s.channel.allowed_verbs; }),
      list_key(
          {"channel", "blocked_verbs", "Commands refused on the port and on the control socket."}, "list of channel commands",
          core::kChannelVerbs.size(), check_verb, [](auto& s) -> auto& { return s.channel.blocked_verbs; }),
      duration_key(
          {"channel", "max_age", "A notice proved to be older is dropped."}, 1s, 1h, [](auto& s) -> auto& { return s.channel.max_age; }),
  };
}

std::vector<KeySpec> hypervisor_clocks() {
  return {
      flag_key(
          {"ptp", "enabled", "Use the hypervisor's PTP clock (ptp_kvm, hyperv, ptp_vmw, vmclock, virtio, ena)."},
          [](auto& s) -> auto& { return s.ptp.enabled; }),
      list_key(
          {"ptp", "allow", "clock_names (/sys/class/ptp/*/clock_name) allowed besides; a physical NIC is never taken by itself."},
          "list of up to 8 clock names", 8, check_clock_name, [](auto& s) -> auto& { return s.ptp.allow; }),
      word_key<core::Timescale>(
          {"ptp", "timescale", "Scale of clocks whose kind does not tell it. auto: decided against the disciplined system clock."},
          {{"auto", core::Timescale::automatic}, {"utc", core::Timescale::utc}, {"tai", core::Timescale::tai}},
          [](auto& s) -> auto& { return s.ptp.timescale; }),
      flag_key(
          {"vmclock", "enabled", "Watch the vmclock page."}, [](auto& s) -> auto& { return s.vmclock.enabled; }),
      text_key(
          {"vmclock", "device", "The vmclock device."}, "path below /dev", check_device, [](auto& s) -> auto& { return s.vmclock.device; }),
      flag_key(
          {"tsc", "enabled", "Compare the TSC with CLOCK_MONOTONIC_RAW (sees a pause under kvm-clock)."},
          [](auto& s) -> auto& { return s.tsc_enabled; }),
      flag_key(
          {"vmgenid", "enabled", "Read the kernel log for the line that tells of a restored or cloned VM."},
          [](auto& s) -> auto& { return s.vmgenid_enabled; }),
      duration_key(
          {"detection", "poll_interval", "Period of the clocks that must be polled: ptp, vmclock, tsc. One wake-up for all of them."}, 50ms,
          10s, [](auto& s) -> auto& { return s.poll_interval; }),
  };
}

std::vector<KeySpec> daemon_commands() {
  return {
      command_key(
          {"daemon", "command_status",
           "For a time daemon that neither systemd nor an init script starts: ends with 0 while it runs. All three commands or none; no "
           "shell."},
          [](auto& s) -> auto& { return s.daemon.command_status; }),
      command_key(
          {"daemon", "command_stop", "Stops it, and ends with 0 when it is stopped."},
          [](auto& s) -> auto& { return s.daemon.command_stop; }),
      command_key(
          {"daemon", "command_start", "Has it started, and ends with 0. Under systemd nothing that it leaves behind survives it."},
          [](auto& s) -> auto& { return s.daemon.command_start; }),
      flag_key(
          {"daemon", "quiesce", "Stop the time daemon when the host announces a pause, start it when the VM runs on."},
          [](auto& s) -> auto& { return s.daemon.quiesce; }),
  };
}

std::vector<KeySpec> applications() {
  return {
      flag_key(
          {"hooks", "enabled", "Run the programs in /etc/clockmend/hooks.d/pre-step and post-step."},
          [](auto& s) -> auto& { return s.hooks.enabled; }),
      duration_key(
          {"hooks", "pre_step_wait", "A step waits at most so long for pre-step programs; 0 s: they are started and not waited for."}, 0s,
          10s, [](auto& s) -> auto& { return s.policy.pre_step_wait; }),
      duration_key(
          {"hooks", "deadline", "A program that has not ended by then is killed."}, 100ms, 1min,
          [](auto& s) -> auto& { return s.hooks.deadline; }),
      flag_key(
          {"target", "enabled", "Keep clockmend-valid.target active while the clock is trustworthy, and only then."},
          [](auto& s) -> auto& { return s.valid_target; }),
  };
}

std::vector<KeySpec> daemon_log_history() {
  return {
      flag_key(
          {"daemon", "manage", "Stop the time daemon before, start it after a correction."},
          [](auto& s) -> auto& { return s.policy.manage_daemon; }),
      text_key(
          {"daemon", "unit", "Empty: whichever known time daemon is active."}, "service unit", check_unit,
          [](auto& s) -> auto& { return s.daemon.unit; }),
      word_key<core::DaemonAction>(
          {"daemon", "action",
           "restart: stop it before the correction ends, then start it. nudge: leave it running and tell it of the step, where it can be "
           "told (chronyd, systemd-timesyncd); else restart. leave: neither stop nor start nor tell it. auto: what measured best."},
          {{"auto", core::DaemonAction::automatic},
           {"restart", core::DaemonAction::restart},
           {"nudge", core::DaemonAction::nudge},
           {"leave", core::DaemonAction::leave}},
          [](auto& s) -> auto& { return s.daemon.action; }),
      list_key(
          {"daemon", "restart", "Units that are restarted, whatever action says."}, kUnitList, kMaxUnits, check_listed_unit,
          [](auto& s) -> auto& { return s.daemon.restart; }),
      list_key(
          {"daemon", "nudge", "Units that are nudged, whatever action says."}, kUnitList, kMaxUnits, check_listed_unit,
          [](auto& s) -> auto& { return s.daemon.nudge; }),
      list_key(
          {"daemon", "leave", "Units that are left alone, whatever action says."}, kUnitList, kMaxUnits, check_listed_unit,
          [](auto& s) -> auto& { return s.daemon.leave; }),
      duration_key(
          {"daemon", "stop_deadline", "A daemon that has not stopped by then is left alone."}, 100ms, 5min,
          [](auto& s) -> auto& { return s.daemon.stop_deadline; }),
      duration_key(
          {"daemon", "start_deadline", "A daemon that does not run by then is reported."}, 100ms, 5min,
          [](auto& s) -> auto& { return s.daemon.start_deadline; }),
      word_key<std::string>(
          {"log", "level", "Least severity that is logged."},
          {{"debug", "debug"}, {"info", "info"}, {"warning", "warning"}, {"error", "error"}}, [](auto& s) -> auto& { return s.log.level; }),
      number_key(
          {"history", "max_records", "Older records are dropped beyond this."}, 10, 100000,
          [](auto& s) -> auto& { return s.history_max_records; }),
  };
}

std::vector<KeySpec> gather() {
  std::vector<KeySpec> keys;
  for (auto part : {what_may_be_done(), thresholds(), bounds(), step(), ntp(), rtc_and_channel(), hypervisor_clocks(), daemon_commands(),
                    daemon_log_history(), applications()}) {
    std::move(part.begin(), part.end(), std::back_inserter(keys));
  }
  return keys;
}

}  // namespace

const std::vector<KeySpec>& all_keys() {
  static const std::vector<KeySpec> keys = gather();
  return keys;
}

}  // namespace clockmend::config
