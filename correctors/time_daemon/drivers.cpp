#include "correctors/time_daemon/drivers.hpp"

#include <array>

namespace clockmend::correctors {
namespace {

constexpr std::array kKnown{
    DaemonUnit{"ntpsec.service", DaemonKind::ntpsec},    // Debian, Ubuntu
    DaemonUnit{"ntpd.service", DaemonKind::ntpd},        // RHEL, SUSE, Arch; Debian: alias of ntpsec
    DaemonUnit{"ntp.service", DaemonKind::ntpd},         // classic Debian; alias of ntpsec today
    DaemonUnit{"chrony.service", DaemonKind::chronyd},   // Debian, Ubuntu
    DaemonUnit{"chronyd.service", DaemonKind::chronyd},  // RHEL, SUSE, Arch; Debian: alias of chrony
    DaemonUnit{"systemd-timesyncd.service", DaemonKind::timesyncd},
    DaemonUnit{"openntpd.service", DaemonKind::openntpd},  // Debian, Ubuntu, Arch, Fedora
    DaemonUnit{"ntpd-rs.service", DaemonKind::ntpd_rs},    // Debian, Fedora, Arch and its own packages
};

}  // namespace

std::span<const DaemonUnit> known_units() { return kKnown; }

DaemonKind kind_of(std::string_view unit) {
  for (const DaemonUnit& known : kKnown)
    if (known.unit == unit) return known.kind;
  return DaemonKind::configured;
}

bool can_be_nudged(DaemonKind kind) { return kind == DaemonKind::chronyd || kind == DaemonKind::timesyncd; }

core::DaemonAction best_action(DaemonKind kind) {
  return kind == DaemonKind::chronyd ? core::DaemonAction::nudge : core::DaemonAction::restart;
}

const char* to_string(DaemonKind kind) {
  switch (kind) {
    case DaemonKind::ntpd:
      return "ntpd";
    case DaemonKind::ntpsec:
      return "ntpsec";
    case DaemonKind::chronyd:
      return "chronyd";
    case DaemonKind::timesyncd:
      return "systemd-timesyncd";
    case DaemonKind::openntpd:
      return "openntpd";
    case DaemonKind::ntpd_rs:
      return "ntpd-rs";
    case DaemonKind::configured:
      return "configured";
  }
  return "?";
}

}  // namespace clockmend::correctors
