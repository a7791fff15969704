// Programs as children of this process: only where there is no systemd to run them.
#pragma once

#include <asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "agent/core/ports/command_runner.hpp"

namespace clockmend::os {

/// Each runs without a shell, in a process group of its own and in /, with nothing on its stdin and a PATH of the system's folders
/// as its whole environment: init scripts must not see what started the agent (service(8) of sysvinit does the same).
class ProgramRunner final : public core::CommandRunner {
 public:
  /// `root` is put before the program's path; tests have tools of their own there.
  explicit ProgramRunner(asio::io_context& io, std::string root = {});
  ProgramRunner(const ProgramRunner&) = delete;
  ProgramRunner& operator=(const ProgramRunner&) = delete;
  /// What still runs goes on: half a start would be worse. Nobody is answered any more.
  ~ProgramRunner() override;

  /// Ends with the program itself: a daemon that it started may keep its output open. At the deadline the program's whole
  /// group is killed; a daemon has left it by then (setsid(2)). A signal counts as exit code 128 + its number.
  /// not_permitted: the file is there and not executable.
  void run(const std::vector<std::string>& argv, core::milliseconds deadline, Reply reply) override;

 private:
  asio::io_context& io_;
  std::string root_;
  std::shared_ptr<const bool> open_;
};

}  // namespace clockmend::os
