#include "agent/os/notify.hpp"

#include <systemd/sd-daemon.h>

#include <algorithm>

#include "agent/os/timespecs.hpp"

namespace clockmend::os {
namespace {

// A line break would begin another assignment.
std::string status_line(const std::string& status) {
  std::string line = "STATUS=" + status.substr(0, 512);
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

}  // namespace

void notify_ready(const std::string& status) { ::sd_notify(0, ("READY=1\n" + status_line(status)).c_str()); }

void notify_reloading() {
  const auto now = std::chrono::duration_cast<core::microseconds>(read_clock(CLOCK_MONOTONIC));
  ::sd_notify(0, ("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.count())).c_str());
}

void notify_stopping(const std::string& status) { ::sd_notify(0, ("STOPPING=1\n" + status_line(status)).c_str()); }

void notify_status(const std::string& status) { ::sd_notify(0, status_line(status).c_str()); }

}  // namespace clockmend::os
