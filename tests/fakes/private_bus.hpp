// A dbus-daemon of the test's own: private configuration, address in a temporary directory, gone with the object.
#pragma once

#include <sys/types.h>

#include <string>

#include "tests/fakes/temp_dir.hpp"

namespace clockmend::fakes {

class PrivateBus {
 public:
  /// Starts the daemon and returns once it listens; running() is false where dbus-daemon is not installed.
  PrivateBus();
  PrivateBus(const PrivateBus&) = delete;
  PrivateBus& operator=(const PrivateBus&) = delete;
  ~PrivateBus() { kill(); }

  [[nodiscard]] bool running() const { return pid_ > 0; }
  /// "unix:path=..."
  [[nodiscard]] std::string address() const { return "unix:path=" + dir_.path() + "/bus"; }
  /// SIGKILL and reaped: connections break at once.
  void kill();
  /// A fresh daemon at the same address.
  void start();

 private:
  TempDir dir_;
  pid_t pid_ = -1;
};

}  // namespace clockmend::fakes
