#include "correctors/backends/commands.hpp"

#include <algorithm>

#include "agent/core/printable.hpp"

namespace clockmend::correctors {
namespace {

constexpr std::size_t kMostServers = 8;
constexpr std::size_t kLongestAddress = 64;
constexpr std::size_t kMostOutput = 160;
// A shell's word for a command that it could not run (POSIX sh, 2.8.2): ntpsec's ntpdate is a script around ntpdig.
constexpr int kNotExecutable = 126;
constexpr int kNotFound = 127;

/// An address is one word of argv, and in chronyd's case a part of a directive: nothing but an address may get there.
bool is_address(const std::string& text) {
  const auto fits = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == ':' || c == '%' || c == '_' ||
           c == '-';
  };
  return !text.empty() && text.size() <= kLongestAddress && text.front() != '-' && std::all_of(text.begin(), text.end(), fits);
}

std::vector<std::string> usable(const StepServers& servers) {
  std::vector<std::string> addresses;
  for (const std::string& address : servers.addresses)
    if (addresses.size() < kMostServers && is_address(address)) addresses.push_back(address);
  return addresses;
}

/// chronyd(8) -t: ends with a failure by itself, a little before it would be ended.
std::string chronyd_timeout(core::milliseconds deadline) {
  return std::to_string(std::max<std::int64_t>(1, std::chrono::floor<core::seconds>(deadline * 7 / 10).count()));
}

/// Exit status 1 is all that these programs have for a failure; what it means in practice.
const char* meaning(core::StepBackend backend, int status) {
  if (status == kNotFound || status == kNotExecutable) return "a program that it needs is missing";
  if (status != 1) return "unknown";
  if (backend == core::StepBackend::chronyd) return "no source was good enough in time";
  if (backend == core::StepBackend::ntpd) return "see its own log";
  return "no server was good enough, or it could not set the clock";
}

}  // namespace

const char* step_program(core::StepBackend backend) {
  switch (backend) {
    case core::StepBackend::builtin:
      break;
    case core::StepBackend::ntpdate:
      return "/usr/sbin/ntpdate";
    case core::StepBackend::ntpd:
      return "/usr/sbin/ntpd";
    case core::StepBackend::ntpdig:
      return "/usr/bin/ntpdig";
    case core::StepBackend::chronyd:
      return "/usr/sbin/chronyd";
  }
  return "";
}

std::string last_line(const std::string& output) {
  const auto end = output.find_last_not_of("\r\n\t ");
  if (end == std::string::npos) return {};
  const auto newline = output.find_last_of("\r\n", end);
  const std::size_t begin = newline == std::string::npos ? 0 : newline + 1;
  return core::printable_ascii(output.substr(begin, std::min(end + 1 - begin, kMostOutput)));
}

core::Result<std::vector<std::string>> step_command(core::StepBackend backend, const StepServers& servers, core::milliseconds deadline) {
  if (backend == core::StepBackend::builtin) return core::Error{core::ErrorCode::invalid, "the built-in step is no program"};
  std::vector<std::string> argv{step_program(backend)};
  if (backend == core::StepBackend::ntpd) {
    argv.emplace_back("-gq");
    return argv;
  }
  const std::vector<std::string> addresses = usable(servers);
  if (addresses.empty())
    return core::Error{core::ErrorCode::invalid, std::string(core::to_string(backend)) + ": there is no server to name"};
  if (backend == core::StepBackend::chronyd) {
    argv.insert(argv.end(), {"-q", "-t", chronyd_timeout(deadline)});
    const std::string port = servers.port == 123 ? "" : " port " + std::to_string(servers.port);
    for (const std::string& address : addresses) argv.push_back("server " + address + port + " iburst");
    return argv;
  }
  // ntpdate(8): -u any source port, -b step whatever the size. ntpdig(1): -S step; one dead server costs -t seconds.
  const bool ntpdate = backend == core::StepBackend::ntpdate;
  if (ntpdate)
    argv.insert(argv.end(), {"-u", "-b", "-t", "1"});
  else
    argv.insert(argv.end(), {"-S", "-t", "1"});
  argv.insert(argv.end(), addresses.begin(), addresses.end());
  return argv;
}

std::vector<std::string> hwclock_command(core::RtcMode mode, const std::string& device) {
  // util-linux: where /usr is merged, /sbin leads there too.
  std::vector<std::string> argv{"/sbin/hwclock", "-w", mode == core::RtcMode::utc ? "--utc" : "--localtime"};
  if (!device.empty()) argv.insert(argv.end(), {"-f", device});
  return argv;
}

core::Result<std::string> judge_step_program(core::StepBackend backend, const core::Result<core::CommandResult>& result) {
  const std::string name = core::to_string(backend);
  if (!result && result.error().code == core::ErrorCode::not_found)
    return core::Error{core::ErrorCode::not_found, std::string(step_program(backend)) + " cannot be run: is it installed?"};
  if (!result) return core::Error{result.error().code, name + ": " + core::printable_ascii(result.error().text)};
  const std::string said = last_line(result->output);
  if (result->exit_code == 0) return name + (said.empty() ? "" : ": " + said);
  return core::Error{core::ErrorCode::io, name + " ended with " + std::to_string(result->exit_code) + " (" +
                                              meaning(backend, result->exit_code) + ")" + (said.empty() ? "" : ": " + said)};
}

}  // namespace clockmend::correctors
