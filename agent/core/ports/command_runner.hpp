#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "agent/core/result.hpp"
#include "agent/core/time.hpp"

namespace clockmend::core {

struct CommandResult {
  int exit_code = 0;
  std::string output;  // standard output and error, the first 4 KiB, as the program wrote it
};

/// Runs programs, without a shell and outside of this process's sandbox.
class CommandRunner {
 public:
  using Reply = std::function<void(Result<CommandResult>)>;
  virtual ~CommandRunner() = default;
  /// argv[0] is an absolute path. Answers exactly once and never later than the deadline, at which the program is killed.
  /// not_found if it cannot be executed, timeout, unavailable where nobody can run it.
  virtual void run(const std::vector<std::string>& argv, milliseconds deadline, Reply reply) = 0;
  /// A program that is there to set the clock or the RTC: it gets the right to, which others do not have.
  virtual void run_clock_tool(const std::vector<std::string>& argv, milliseconds deadline, Reply reply) {
    run(argv, deadline, std::move(reply));
  }
};

}  // namespace clockmend::core
