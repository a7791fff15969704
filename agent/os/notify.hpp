// Messages to the service manager (sd_notify(3)); silent where nobody asked for them.
#pragma once

#include <string>

namespace clockmend::os {

void notify_ready(const std::string& status);
/// With the CLOCK_MONOTONIC stamp that Type=notify-reload wants.
void notify_reloading();
void notify_stopping(const std::string& status);
/// One line for `systemctl status`.
void notify_status(const std::string& status);

}  // namespace clockmend::os
