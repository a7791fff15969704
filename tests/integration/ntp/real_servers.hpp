// chronyd and ntpsec's ntpd as servers: programs of Debian's packages, unpacked into the build folder, started in a network
// namespace of the test's own. They serve this machine's clock as it is and could not set it: they run without CAP_SYS_TIME.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

namespace clockmend::tests {

/// A child process that does not outlive this object.
class Program {
 public:
  /// Runs `command` with its output in `log`; below setpriv(1), without CAP_SYS_TIME.
  Program(const std::vector<std::string>& command, const std::string& log);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  [[nodiscard]] bool running();
  /// Its exit code, 128 + its signal, or -1 if it could not be started.
  int wait();

 private:
  pid_t pid_ = -1;
  int code_ = -1;
};

class RealServers {
 public:
  RealServers();
  ~RealServers();
  RealServers(const RealServers&) = delete;
  RealServers& operator=(const RealServers&) = delete;

  /// Unpacks what is needed. Why that is impossible here; empty if it is not. Before the network namespace is entered.
  [[nodiscard]] static std::string unpack();
  /// Started and synchronized as a server of `stratum`; what went wrong, empty if nothing.
  [[nodiscard]] std::string chronyd(const std::string& address, int stratum);
  [[nodiscard]] std::string ntpd(const std::string& address, int stratum);

 private:
  std::string start(const std::string& name, const std::string& address, int stratum, std::vector<std::string> command, std::string config);

  std::string folder_;  // configuration, logs, pid files
  std::vector<std::unique_ptr<Program>> programs_;
};

}  // namespace clockmend::tests
