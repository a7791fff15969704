// Parsers for the configuration of the time daemons and for what DHCP left behind: text in, servers out. Pure, bounded,
// and lenient: what they do not know belongs to the daemon.
#pragma once

#include <string_view>

#include "probes/ntp/config_text.hpp"

namespace clockmend::probes::ntp {

/// ntp.conf(5) of classic ntpd and of ntpsec: `server`, `pool`, `includefile`. Reference clocks, `peer`, `broadcast` and
/// servers marked `noselect` are noted and left out.
[[nodiscard]] ServerText parse_ntp_conf(std::string_view text);

/// chrony.conf(5) and *.sources files: `server`, `pool` (with their `port`), `include`, `confdir`, `sourcedir`.
[[nodiscard]] ServerText parse_chrony_conf(std::string_view text);

/// ntpd.conf(5) of OpenNTPD: `server`, `servers`.
[[nodiscard]] ServerText parse_openntpd_conf(std::string_view text);

/// timesyncd.conf(5), main file and drop-ins in order of precedence, lowest first. Lists add up; an empty assignment clears.
struct TimesyncdText {
  std::vector<std::string> ntp;
  std::vector<std::string> fallback;
  /// The main file shows compiled-in defaults as comments ("#FallbackNTP=..."): what timesyncd asks when nothing is set.
  std::vector<std::string> compiled_in;
};
void parse_timesyncd_conf(std::string_view text, TimesyncdText& into);

/// systemd-networkd's state files (/run/systemd/netif/state, links/N): `NTP=`.
[[nodiscard]] ServerText parse_netif_state(std::string_view text);

/// dhclient.leases(5): `option ntp-servers` of the last lease.
[[nodiscard]] ServerText parse_dhclient_leases(std::string_view text);

}  // namespace clockmend::probes::ntp
