// Which units may be time daemons on this machine.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/core/ports/files.hpp"

namespace clockmend::correctors {

struct Discovery {
  /// Units that the machine's lists name, each once, in the lists' order; at most 24.
  std::vector<std::string> units;
  /// "FILE:LINE: what was ignored, and why"; bounded.
  std::vector<std::string> notes;
};

/// Reads the lists that systemd-timedated.service(8) chooses from: ntp-units.d/*.list below /etc, /run, /usr/local/lib and
/// /usr/lib. A file hides those of the same name in the later folders; an empty one hides without a replacement.
[[nodiscard]] Discovery discover(core::FileReader& files);

/// NAME.service, of the characters that systemd.unit(5) allows.
[[nodiscard]] bool is_service_name(std::string_view text);

}  // namespace clockmend::correctors
