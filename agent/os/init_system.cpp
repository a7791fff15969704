#include "agent/os/init_system.hpp"

#include <sys/stat.h>
#include <utmpx.h>

#include <cstring>

#include "agent/os/files.hpp"

namespace clockmend::os {
namespace {

constexpr std::size_t kLargestUtmp = std::size_t{1024} * 1024;

bool is_there(const std::string& path, mode_t kind) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && (info.st_mode & S_IFMT) == kind;
}

/// sysvinit's run level as runlevel(8) reads it: the last RUN_LVL record of utmp(5), in the low byte of ut_pid. 0: unknown.
char run_level(const std::string& root) {
  const auto records = PosixFileReader{root}.read("/run/utmp", kLargestUtmp);
  if (!records) return 0;
  char level = 0;
  utmpx record{};
  for (std::size_t at = 0; at + sizeof record <= records->size(); at += sizeof record) {
    std::memcpy(&record, records->data() + at, sizeof record);
    if (record.ut_type == RUN_LVL) level = static_cast<char>(record.ut_pid & 0xff);
  }
  return level;
}

}  // namespace

const char* to_string(InitSystem init) {
  switch (init) {
    case InitSystem::systemd:
      return "systemd";
    case InitSystem::openrc:
      return "OpenRC";
    case InitSystem::sysv:
      return "init scripts";
  }
  return "?";
}

InitSystem init_system(const std::string& root) {
  if (is_there(root + "/run/systemd/system", S_IFDIR)) return InitSystem::systemd;
  // Made by openrc(8) at boot; the tools may be installed beside another init.
  if (is_there(root + "/run/openrc/softlevel", S_IFREG)) return InitSystem::openrc;
  if (is_there(root + "/etc/init.d", S_IFDIR)) return InitSystem::sysv;
  return InitSystem::systemd;
}

std::string rc_service(const std::string& root) {
  for (const std::string path : {"/usr/sbin/rc-service", "/usr/bin/rc-service", "/bin/rc-service"})
    if (is_there(root + path, S_IFREG)) return path;
  return "/sbin/rc-service";
}

bool going_down(InitSystem init, const std::string& root) {
  // rc.stopping is there while a run level's services are being stopped.
  if (init == InitSystem::openrc) return is_there(root + "/run/openrc/rc.stopping", S_IFREG);
  const char level = init == InitSystem::sysv ? run_level(root) : char{0};
  return level == '0' || level == '6';  // inittab(5): halt, reboot
}

}  // namespace clockmend::os
