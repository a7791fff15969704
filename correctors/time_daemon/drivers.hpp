// The time daemons we know, as data.
#pragma once

#include <span>
#include <string_view>

#include "correctors/time_daemon/time_daemons.hpp"

namespace clockmend::correctors {

/// A unit name under which a daemon may run. Distributions differ, and one name may be an alias of another's unit
/// (Debian: ntp.service and ntpd.service are ntpsec.service), so the primary id decides what it is.
struct DaemonUnit {
  std::string_view unit;
  DaemonKind kind;
};

[[nodiscard]] std::span<const DaemonUnit> known_units();
/// What is best done with it when nobody decided; README.md has the measurements.
[[nodiscard]] core::DaemonAction best_action(DaemonKind kind);
/// Whether it can learn of a step without a restart.
[[nodiscard]] bool can_be_nudged(DaemonKind kind);
/// What runs under this primary id; `configured` for one that we do not know.
[[nodiscard]] DaemonKind kind_of(std::string_view unit);

}  // namespace clockmend::correctors
