// The doctor's checks of the machine: hardware, channel, time daemons, and who else sets the clock.
#include <algorithm>
#include <array>
#include <string_view>

#include "agent/cli/doctor_checks.hpp"
#include "correctors/time_daemon/drivers.hpp"

namespace clockmend::cli {

namespace {

// Time daemons that the agent does not stop and start by itself; daemon.unit makes it manage one.
constexpr std::array<std::string_view, 2> kUnmanaged = {"busybox-ntpd.service", "timemaster.service"};

// `unit`: a name, or the beginning of an instance's ("phc2sys@").
struct Master {
  std::string_view unit;
  std::string_view what;
  std::string_view advice;
};

constexpr std::array<Master, 10> kMasters = {{
    {"open-vm-tools.service", "VMware Tools may set the clock", "vmware-toolbox-cmd timesync disable"},
    {"vmtoolsd.service", "VMware Tools may set the clock", "vmware-toolbox-cmd timesync disable"},
    {"virtualbox-guest-utils.service", "VBoxService sets the clock", "start it with --disable-timesync"},
    {"vboxadd-service.service", "VBoxService sets the clock", "start it with --disable-timesync"},
    {"vboxservice.service", "VBoxService sets the clock", "start it with --disable-timesync"},
    {"google-guest-agent.service", "Google's guest agent sets the clock after migration",
     "set clock_skew_daemon = false in instance_configs.cfg"},
    {"google-clock-skew-daemon.service", "Google's clock skew daemon sets the clock after migration",
     "systemctl disable --now google-clock-skew-daemon.service"},
    {"phc2sys.service", "phc2sys steers the clock by a PTP clock", "keep it or the time daemon: systemctl disable --now of the other"},
    {"phc2sys@", "phc2sys steers the clock by a PTP clock", "keep it or the time daemon: systemctl disable --now of the other"},
    {"prltoolsd.service", "Parallels Tools set the clock", "switch time synchronisation off in the VM's settings"},
}};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

bool holds(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// An alias never runs beside its unit: systemd links the primary name only.
std::vector<std::string> running_daemons(const Facts& facts) {
  std::vector<std::string> running;
  for (const auto& known : correctors::known_units())
    if (facts.runs(known.unit)) running.emplace_back(known.unit);
  for (const std::string& listed : facts.listed_daemons)
    if (facts.runs(listed) && !holds(running, listed)) running.push_back(listed);
  return running;
}

std::string running_master(const Facts& facts, const Master& master) {
  for (const std::string& unit : facts.units)
    if (unit == master.unit || (master.unit.ends_with('@') && unit.starts_with(master.unit))) return unit;
  return "";
}

/// The unit that the agent is told to manage, or nothing.
std::string managed_only(const Facts& facts) { return facts.settings ? facts.settings->daemon.unit : ""; }

std::string how_to_keep_one(const std::vector<std::string>& running) {
  std::string text = "they fight over the clock: keep one, for example ";
  for (std::size_t i = 1; i < running.size(); ++i) text += (i == 1 ? "systemctl disable --now " : " ") + running[i];
  return text;
}

}  // namespace

Findings check_machine(const Facts& facts) {
  Findings findings;
  if (facts.virtual_machine == false)
    findings.push_back({Level::warn, "machine", "this does not look like a virtual machine", "clockmendd.service starts in VMs only"});
  if (facts.virtual_machine == true) findings.push_back({Level::ok, "machine", "a virtual machine", ""});
  if (!facts.clocksource.empty()) findings.push_back({Level::ok, "machine", "clocksource " + facts.clocksource, ""});
  if (!facts.ptp_clocks.empty()) findings.push_back({Level::ok, "machine", "PTP clocks: " + joined(facts.ptp_clocks), ""});
  if (facts.vmclock) findings.push_back({Level::ok, "machine", "vmclock0 is there", ""});
  return findings;
}

Findings check_rtc(const Facts& facts) {
  constexpr const char* kTopic = "rtc";
  if (facts.rtcs.empty())
    return {{Level::warn, kTopic, "there is no RTC", "without it a pause that nobody announces is seen only by the next NTP verification"}};
  const std::string text = joined(facts.rtcs);
  if (facts.rtc_local)
    return {
        {Level::warn, kTopic, text + ", kept in local time (/etc/adjtime)", "daylight saving makes it ambiguous: hwclock --systohc --utc"}};
  return {{Level::ok, kTopic, text + ", kept in UTC", ""}};
}

Findings check_channel(const Facts& facts) {
  constexpr const char* kTopic = "channel";
  const core::Settings settings = facts.settings ? *facts.settings : core::Settings{};
  const std::string& name = settings.channel.port_name;
  if (!settings.channel.enabled) return {{Level::ok, kTopic, "switched off in the configuration", ""}};
  if (!holds(facts.ports, name))
    return {{Level::warn, kTopic, "there is no virtio-serial port " + name,
             "give the VM a unix channel of that name (see clockmend-host(1)): the host's word is the fastest witness"}};
  if (name == "org.qemu.guest_agent.0" && facts.runs("qemu-guest-agent.service"))
    return {{Level::fail, kTopic, name + " is held by qemu-guest-agent",
             "only one program can open a port: stop one, or use org.clockmend.agent.0"}};
  const core::AgentStatus* agent = facts.agent();
  return {{Level::ok, kTopic, "port " + name + (agent != nullptr ? ": " + agent->channel : " is there"), ""}};
}

Findings check_programs(const Facts& facts) {
  Findings findings;
  for (const std::string& path : facts.missing_programs)
    findings.push_back({Level::warn, "backends", path + " is configured and not there: what the fallback says is done instead",
                        "install it, or change step.backend or rtc.backend"});
  return findings;
}

Findings check_time_daemon(const Facts& facts) {
  constexpr const char* kTopic = "daemon";
  Findings findings;
  if (const core::AgentStatus* agent = facts.agent()) {
    for (const core::DaemonStatus& daemon : agent->daemons)
      if (!daemon.problem.empty())
        findings.push_back({Level::fail, kTopic, daemon.unit + ": " + daemon.problem, "systemctl status " + daemon.unit});
  }
  for (const std::string& note : facts.list_notes) findings.push_back({Level::warn, kTopic, note, "correct or remove that line"});
  const std::vector<std::string> running = running_daemons(facts);
  for (const std::string_view unit : kUnmanaged) {
    const bool configured = managed_only(facts) == unit;
    if (facts.runs(unit) && !configured)
      findings.push_back({Level::warn, kTopic, std::string{unit} + " runs, and the agent does not know it",
                          "set daemon.unit = \"" + std::string{unit} + "\""});
  }
  if (running.size() > 1)
    findings.push_back({Level::warn, kTopic, "several time daemons run: " + joined(running), how_to_keep_one(running)});
  if (running.size() == 1) findings.push_back({Level::ok, kTopic, running.front() + " runs", ""});
  if (running.empty() && findings.empty())
    findings.push_back({Level::warn, kTopic, "no time daemon runs",
                        "between corrections nothing keeps the clock from drifting: install ntpsec or chrony"});
  return findings;
}

Findings check_other_masters(const Facts& facts) {
  constexpr const char* kTopic = "masters";
  Findings findings;
  std::vector<std::string> together = running_daemons(facts);
  const std::size_t daemons = together.size();
  for (const Master& master : kMasters) {
    const std::string unit = running_master(facts, master);
    if (unit.empty()) continue;
    together.push_back(unit);
    findings.push_back({Level::warn, kTopic, std::string{master.what} + " (" + unit + ")", std::string{master.advice}});
  }
  if (holds(facts.ptp_clocks, "hyperv"))
    findings.push_back({Level::warn, kTopic, "the kernel lets Hyper-V set the clock after a resume (hv_utils)",
                        "switch the VM's time synchronisation service off"});
  if (holds(facts.ptp_clocks, "hyperv")) together.emplace_back("hv_utils");
  if (daemons > 0 && together.size() > daemons)
    findings.push_back({Level::warn, kTopic, "several masters set the clock at once: " + joined(together),
                        "each undoes what the other did: leave it to the time daemon, and switch off the others as said above"});
  if (facts.runs("qemu-guest-agent.service"))
    findings.push_back({Level::ok, kTopic,
                        "qemu-guest-agent runs: it sets the clock when the host asks (virsh domtime), and the agent verifies that; "
                        "its option -b guest-set-time refuses such requests",
                        ""});
  if (findings.empty()) findings.push_back({Level::ok, kTopic, "nobody else is known to set the clock", ""});
  return findings;
}

Findings all_findings(const Facts& facts) {
  Findings all;
  for (const auto check : {check_agent, check_config, check_machine, check_witnesses, check_rtc, check_channel, check_servers,
                           check_time_daemon, check_programs, check_other_masters}) {
    const Findings found = check(facts);
    all.insert(all.end(), found.begin(), found.end());
  }
  return all;
}

}  // namespace clockmend::cli
