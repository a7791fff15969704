// Who starts and stops services on this machine.
#pragma once

#include <string>

namespace clockmend::os {

enum class InitSystem { systemd, openrc, sysv };

[[nodiscard]] const char* to_string(InitSystem init);

/// systemd where it is the init (sd_booted(3)), and where nothing else is found. `root`: a tree instead of the machine.
[[nodiscard]] InitSystem init_system(const std::string& root);

/// Where rc-service(8) is; distributions differ. Without `root`, which whoever runs it puts before it.
[[nodiscard]] std::string rc_service(const std::string& root);

/// Whether the machine is being shut down or rebooted, for openrc and sysv; false where nobody says so.
[[nodiscard]] bool going_down(InitSystem init, const std::string& root);

}  // namespace clockmend::os
