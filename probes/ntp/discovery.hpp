// Which servers the machine's own time daemon would ask.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/core/ports/files.hpp"
#include "probes/ntp/address_book.hpp"

namespace clockmend::probes::ntp {

enum class DaemonKind { unknown, ntpd, ntpsec, chrony, timesyncd, openntpd };

/// By primary unit name ("ntpsec.service"); unknown for anything else.
[[nodiscard]] DaemonKind daemon_kind(std::string_view unit);

struct Discovery {
  std::vector<ServerName> servers;
  std::string source;               // the file (or files) they came from
  std::vector<std::string> looked;  // every file that was looked at, found or not
  std::vector<std::string> notes;   // what was found and left out, and why
};

/// The configuration of `active` first, then of the other daemons in the order of DaemonKind, then DHCP leases: the first that
/// names a server wins, because one daemon's list is what its administrator meant to be asked together. Bounded for each
/// daemon: 64 files and folders are looked at, there or not, 32 files of 64 KiB are read, includes go 4 deep.
[[nodiscard]] Discovery discover(core::FileReader& files, DaemonKind active);

}  // namespace clockmend::probes::ntp
