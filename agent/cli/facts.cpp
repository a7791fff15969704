#include "agent/cli/facts.hpp"

#include <algorithm>
#include <string_view>

#include "agent/config/config.hpp"
#include "correctors/backends/commands.hpp"
#include "correctors/time_daemon/discovery.hpp"

namespace clockmend::cli {

namespace {

constexpr std::size_t kSmallFile = 4096;
constexpr std::size_t kCpuInfoLimit = std::size_t{4} * 1024 * 1024;  // a few KiB per processor

// A sysfs attribute without its newline; empty if there is none.
std::string attribute(core::FileReader& files, const std::string& path) {
  const auto text = files.read(path, kSmallFile);
  if (!text) return "";
  return text->substr(0, text->find('\n'));
}

// `file` of every device of a class.
std::vector<std::string> attributes(core::FileReader& files, const std::string& folder, const std::string& file) {
  std::vector<std::string> values;
  for (const std::string& device : files.list(folder)) {
    const std::string value = attribute(files, folder + "/" + device + "/" + file);
    if (!value.empty()) values.push_back(value);
  }
  return values;
}

std::vector<std::string> find_rtcs(core::FileReader& files) {
  std::vector<std::string> rtcs;
  for (const std::string& device : files.list("/sys/class/rtc"))
    rtcs.push_back(device + " (" + attribute(files, "/sys/class/rtc/" + device + "/name") + ")");
  return rtcs;
}

// hwclock(8): UTC where the file or its third line is missing.
bool keeps_local_time(core::FileReader& files) {
  const auto text = files.read("/etc/adjtime", kSmallFile);
  if (!text) return false;
  std::string_view rest = *text;
  for (int line = 1; line < 3; ++line) {
    const auto end = rest.find('\n');
    if (end == std::string_view::npos) return false;
    rest.remove_prefix(end + 1);
  }
  return rest.substr(0, 5) == "LOCAL";
}

// x86 tells by a CPU flag that a hypervisor is below (CPUID leaf 1, ECX bit 31).
std::optional<bool> under_hypervisor(core::FileReader& files) {
  const auto text = files.read("/proc/cpuinfo", kCpuInfoLimit);
  if (!text) return std::nullopt;
  const auto begin = text->find("\nflags");
  if (begin == std::string::npos) return std::nullopt;
  const std::string line = text->substr(begin + 1, text->find('\n', begin + 1) - begin - 1) + " ";
  return line.find(" hypervisor ") != std::string::npos;
}

// systemd links the invocation of every running unit here for journald; readable without D-Bus and without rights.
std::vector<std::string> running_units(core::FileReader& files) {
  constexpr std::string_view kPrefix = "invocation:";
  std::vector<std::string> units;
  for (const std::string& name : files.list("/run/systemd/units"))
    if (name.starts_with(kPrefix)) units.push_back(name.substr(kPrefix.size()));
  return units;
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_there(core::FileReader& files, const std::string& path) {
  const auto slash = path.rfind('/');
  return contains(files.list(path.substr(0, slash)), path.substr(slash + 1));
}

/// Programs that the configuration gives the step or the RTC to.
std::vector<std::string> missing_programs(core::FileReader& files, const core::Settings& settings) {
  std::vector<std::string> missing;
  if (const std::string path = correctors::step_program(settings.policy.step_backend); !path.empty() && !is_there(files, path))
    missing.push_back(path);
  const std::string hwclock = correctors::hwclock_command(core::RtcMode::utc, "").front();
  if (settings.rtc.backend == core::RtcBackend::hwclock && !is_there(files, hwclock)) missing.push_back(hwclock);
  return missing;
}

}  // namespace

bool Facts::runs(std::string_view unit) const { return contains(units, unit); }

const core::AgentStatus* Facts::agent() const { return status && status_void.empty() ? &status->status : nullptr; }

Facts gather_facts(const Context& context) {
  core::FileReader& files = context.files;
  Facts facts;
  facts.settings = config::load(files, context.paths);
  facts.status = read_status(context);
  if (facts.status) facts.status_void = why_void(facts.status->status, context.clock.snapshot().monotonic);
  facts.control_socket = contains(files.list(context.paths.runtime_dir), "control.sock");
  facts.virtual_machine = under_hypervisor(files);
  facts.rtcs = find_rtcs(files);
  facts.rtc_local = keeps_local_time(files);
  facts.ports = attributes(files, "/sys/class/virtio-ports", "name");
  facts.ptp_clocks = attributes(files, "/sys/class/ptp", "clock_name");
  facts.vmclock = contains(files.list("/sys/class/misc"), "vmclock0");
  facts.units = running_units(files);
  correctors::Discovery daemons = correctors::discover(files);
  facts.listed_daemons = std::move(daemons.units);
  facts.list_notes = std::move(daemons.notes);
  if (facts.settings) facts.missing_programs = missing_programs(files, *facts.settings);
  facts.clocksource = attribute(files, "/sys/devices/system/clocksource/clocksource0/current_clocksource");
  return facts;
}

}  // namespace clockmend::cli
