// What the doctor can see for itself, without the agent: files of this machine, read through the FileReader port.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/cli/context.hpp"
#include "agent/cli/status_file.hpp"
#include "agent/core/result.hpp"
#include "agent/core/settings.hpp"

namespace clockmend::cli {

struct Facts {
  core::Result<core::Settings> settings = core::Settings{};
  core::Result<StatusFile> status = core::Error{};
  std::string status_void;  // why the status must not be believed; empty: it may be
  bool control_socket = false;
  std::optional<bool> virtual_machine;  // absent: this architecture does not tell
  std::vector<std::string> rtcs;        // "rtc0 (rtc_cmos)"
  bool rtc_local = false;               // line 3 of /etc/adjtime
  std::vector<std::string> ports;       // names of the virtio-serial ports
  std::vector<std::string> ptp_clocks;  // clock_name of each
  bool vmclock = false;
  std::vector<std::string> units;           // running systemd units
  std::vector<std::string> listed_daemons;  // by the machine's ntp-units.d
  std::vector<std::string> list_notes;      // what was wrong with those lists
  std::string clocksource;
  std::vector<std::string> missing_programs;  // that the configuration asks for

  [[nodiscard]] bool runs(std::string_view unit) const;
  /// The status, if there is one that may be believed.
  [[nodiscard]] const core::AgentStatus* agent() const;
};

[[nodiscard]] Facts gather_facts(const Context& context);

}  // namespace clockmend::cli
